"""The gate on real images: what 265 of them show, and what 40 cannot."""

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest

from stopline.devices.coco import read_coco
from stopline.devices.fidelity import Answers, Evidence, ap_of, evidence_of, fidelity
from stopline.devices.gate import Verdict, judge
from stopline.devices.paired import DRAWS
from stopline.export.gate import exact_answers
from stopline.export.half import fp16_model
from stopline.runtime.bundle import open_bundle
from stopline.runtime.manifest import Precision


def of_some(found: Answers, rows: Sequence[int]) -> Answers:
    assert found.recorded is not None
    some = tuple(found.recorded.found[row] for row in rows)
    return replace(found, recorded=replace(found.recorded, found=some))


@pytest.mark.journey
@pytest.mark.data
def test_265_images_show_99_percent_and_40_of_them_do_not(data_pack: Path) -> None:
    """The same graph, half in precision, is judged as if it were INT8, by AP alone."""
    labelled = read_coco(data_pack / "splits" / "public_val.json", data_pack / "images")
    bundle = open_bundle("road-nano")
    model = onnx.load(bundle.variant_path("fp32"))
    evidence = evidence_of(labelled)
    fp32 = exact_answers(bundle, "fp32", model, evidence)
    fp16 = exact_answers(bundle, "fp16", fp16_model(model), evidence)
    assert bundle.manifest.variants["fp32"].accuracy is not None
    promised = bundle.manifest.variants["fp32"].accuracy.AP
    assert ap_of(fp32, labelled) == pytest.approx(promised, abs=0.003)

    def verdict(precision: Precision, rows: Sequence[int]) -> Verdict:
        images = tuple(labelled.images[row] for row in rows)
        seen = Evidence(evidence.scenes, "some", replace(labelled, images=images))
        said = fidelity(of_some(fp32, rows), of_some(fp16, rows), seen, 0.3)
        return judge(precision, said)

    every = range(len(labelled.images))
    assert DRAWS == 1000
    started = time.process_time()
    assert verdict("fp16", every).passed
    assert time.process_time() - started < 20  # of 265 images; the bootstrap is no burden
    assert verdict("int8", every).passed
    forty = np.linspace(0, len(labelled.images) - 1, 40).round().astype(int).tolist()
    refused = verdict("int8", forty).refused
    assert any("too few images to show 99%" in reason for reason in refused), refused
