"""`stopline verify`, from the command line to the exit code."""

import json
import sys
from dataclasses import dataclass
from pathlib import Path

import cv2
import msgspec
import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from stopline.cli import main
from stopline.export.bundle import ExportSettings, export_bundle
from stopline.export.families import Recognised
from stopline.export.selftest import selftest_npz
from stopline.export.variants import VariantsSettings
from stopline.runtime.bundle import Bundle, write_bundle
from stopline.runtime.manifest import Manifest
from tests.export.tiny import BLUE, painted, tiny_about

SCENES = [
    painted((left, 8, left + 32, 40), colour)
    for left in range(0, 64, 16)
    for colour in (BLUE, (0, 0, 255))
]


@dataclass
class Ended:
    code: int
    out: str
    err: str


class Verify:
    """`stopline verify bundle …` in a folder with the bundle and `images`."""

    def __init__(
        self, bundle: Bundle, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        self.bundle = bundle
        self._monkeypatch = monkeypatch
        self._capsys = capsys

    def __call__(self, *words: str) -> Ended:
        argv = ["stopline", "verify", "bundle", "--images", "images", *words]
        self._monkeypatch.setattr(sys, "argv", argv)
        with pytest.raises(SystemExit) as ended:
            main()
        said = self._capsys.readouterr()
        return Ended(int(ended.value.code or 0), said.out, said.err)

    def change(self, file: str, content: bytes, manifest: Manifest | None = None) -> None:
        """Write the bundle anew, hashes and all: nothing but the content is wrong."""
        files = {
            name: (self.bundle.path / name).read_bytes() for name in self.bundle.manifest.files
        }
        write_bundle(self.bundle.path, manifest or self.bundle.manifest, {**files, file: content})


@pytest.fixture(scope="module")
def exported(tiny: Recognised, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    where = tmp_path_factory.mktemp("exported") / "bundle"
    settings = ExportSettings(variants=VariantsSettings(("fp16",)))
    return export_bundle(where, tiny, tiny_about(), SCENES, settings).bundle


@pytest.fixture
def verify(
    exported: Bundle,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Verify:
    monkeypatch.chdir(tmp_path)
    files = {name: (exported.path / name).read_bytes() for name in exported.manifest.files}
    bundle = write_bundle(tmp_path / "bundle", exported.manifest, files)
    Path("images").mkdir()
    for at, scene in enumerate(SCENES):
        cv2.imwrite(f"images/{at}.png", scene)
    return Verify(bundle, monkeypatch, capsys)


def spoilt(bundle: Bundle, precision: str, by: float) -> bytes:
    """One weight of the graph multiplied."""
    model = onnx.load(bundle.path / f"{precision}.onnx")
    name = next(node.input[1] for node in model.graph.node if node.op_type == "Conv")
    (weight,) = [one for one in model.graph.initializer if one.name == name]
    value = numpy_helper.to_array(weight)
    weight.CopyFrom(numpy_helper.from_array((value * by).astype(value.dtype), name))
    content: bytes = model.SerializeToString()
    return content


def test_a_sound_bundle_passes_on_every_backend_that_is_here(verify: Verify) -> None:
    done = verify("--json", "said.json")
    assert done.code == 0, done.out + done.err
    said = json.loads(Path("said.json").read_text())
    assert said["passed"] is True
    ran = {(row["precision"], row["backend"]) for row in said["rows"] if row["passed"]}
    assert {("fp32", "onnxruntime"), ("fp16", "onnxruntime")} <= ran
    assert all(row["selftest"]["found"]["boxes"] > 10 for row in said["rows"] if row["passed"])
    fp16 = [row for row in said["rows"] if row["precision"] == "fp16" and row["passed"]]
    assert all(row["arithmetic"] == "float16 weights, float32 sums" for row in fp16)
    assert "every variant are what was exported" in done.out


def test_one_variant_on_one_backend_can_be_asked_for(verify: Verify) -> None:
    done = verify("--precision", "fp16", "--backend", "exact", "--json", "-")
    assert done.code == 0, done.err
    (row,) = json.loads(done.out)["rows"]
    assert (row["precision"], row["backend"]) == ("fp16", "exact")
    assert row["fidelity"]["matched"] == 1


@pytest.mark.parametrize("precision", ["fp32", "fp16"])
def test_a_variant_that_answers_otherwise_fails_and_the_other_does_not(
    verify: Verify, precision: str
) -> None:
    verify.change(f"{precision}.onnx", spoilt(verify.bundle, precision, 0.8))
    done = verify("--backend", "onnxruntime", "--json", "said.json")
    assert done.code == 1
    said = json.loads(Path("said.json").read_text())
    rows = {row["precision"]: row["selftest"]["failure"] for row in said["rows"]}
    assert rows.pop(precision) is not None
    assert list(rows.values()) == [None]
    assert f"failed: {precision} on onnxruntime: " in done.out


def test_a_manifest_that_lays_the_frame_otherwise_fails_the_self_test(verify: Verify) -> None:
    manifest = verify.bundle.manifest
    other = msgspec.structs.replace(manifest.input, resize="stretch")
    # The self-test of a tall picture shows it; one of the input's own shape would not.
    tall = np.full((300, 200, 3), 114, np.uint8)
    tall[40:160, 30:150] = BLUE
    selftest = selftest_npz(verify.bundle, [tall])
    verify.change("selftest.npz", selftest)
    assert verify("--precision", "fp32", "--backend", "onnxruntime").code == 0
    verify.change("selftest.npz", selftest, msgspec.structs.replace(manifest, input=other))
    done = verify("--precision", "fp32", "--backend", "onnxruntime")
    assert done.code == 1
    assert "of the self-test" in done.out


def test_a_changed_byte_is_named_before_anything_runs(verify: Verify) -> None:
    path = verify.bundle.path / "fp16.onnx"
    path.write_bytes(path.read_bytes()[:-1] + b"\0")
    done = verify()
    assert done.code == 1
    assert done.err.count("\n") == 1
    assert "fp16.onnx" in done.err


def test_a_bundle_without_a_self_test_says_what_to_type(verify: Verify) -> None:
    files = {"fp32.onnx": (verify.bundle.path / "fp32.onnx").read_bytes()}
    variants = {"fp32": verify.bundle.manifest.variants["fp32"]}
    write_bundle(
        verify.bundle.path,
        msgspec.structs.replace(verify.bundle.manifest, variants=variants),
        files,
    )
    done = verify()
    assert done.code == 1
    assert "has no selftest.npz: export it again" in done.err


def test_an_unknown_backend_or_variant_is_one_line(verify: Verify) -> None:
    assert "no backend 'tpu'" in verify("--backend", "tpu").out
    done = verify("--precision", "int8")
    assert done.code == 1
    assert "has no int8 variant: it has fp16, fp32" in done.err


def test_bisect_leaves_a_picture_and_a_table_and_names_the_layer(verify: Verify) -> None:
    verify.change("fp16.onnx", spoilt(verify.bundle, "fp16", 0.8))
    done = verify("--backend", "onnxruntime", "--bisect", "parting")
    assert done.code == 1
    assert "fp32 and fp16: they part at net/" in done.err
    said = json.loads(Path("parting/fp16.json").read_text())
    assert said["place"].startswith("net/")
    assert Path("parting/fp16.png").stat().st_size > 1000


def test_the_gate_runs_again_on_labels(verify: Verify) -> None:
    labels = {
        "categories": [{"id": 1, "name": "red"}, {"id": 2, "name": "blue"}],
        "images": [
            {"id": at, "file_name": f"{at}.png", "width": 96, "height": 64}
            for at in range(len(SCENES))
        ],
        "annotations": [
            {"image_id": at, "category_id": 2 - at % 2, "bbox": [at // 2 * 16, 8, 32, 32]}
            for at in range(len(SCENES))
        ],
    }
    Path("labels.json").write_text(json.dumps(labels))
    done = verify("--data", "labels.json", "--backend", "onnxruntime", "--json", "said.json")
    rows = json.loads(Path("said.json").read_text())["rows"]
    assert all(row["AP"] is not None for row in rows), done.err
    (fp16,) = [row for row in rows if row["precision"] == "fp16"]
    assert fp16["fidelity"]["images"] == len(SCENES)
    # Eight boxes have no interval: that is too little to show 99 % on, and is not passed over.
    assert done.code == 1
    assert "too few images to show 99%" in done.out
