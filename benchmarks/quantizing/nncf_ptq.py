"""MODEL FRAMES.npy OUT SETTINGS: INT8 by nncf's ONNX backend, in an environment of its own.

`pip install nncf onnx onnxruntime`, and for its accuracy control, which scores with our
evaluation, `stopline[eval]` too. Of `net/` only.
"""

import importlib.metadata
import json
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

import nncf
import numpy as np
import onnx


def calibration(frames: Path) -> nncf.Dataset:
    """Its frames one by one: the graphs take one at a time."""
    every = np.load(frames, mmap_mode="r")
    return nncf.Dataset(range(len(every)), lambda at: {"frames": np.array(every[at][None])})


class Score:
    """AP of a graph on labelled images, through stopline's detector, in Q/DQ arithmetic."""

    def __init__(self, bundle: str, labels: str, images: str, rows: list[int]) -> None:
        from stopline.devices.coco import read_coco
        from stopline.runtime.bundle import open_bundle

        every = read_coco(Path(labels), Path(images))
        self._set, self._bundle = every, open_bundle(bundle)
        self.images = [every.images[row] for row in rows]

    def __call__(self, model: onnx.ModelProto, rows: Iterable[int]) -> tuple[float, list[float]]:
        from dataclasses import replace

        from stopline.devices.evaluation import EvaluationSettings, evaluate
        from stopline.runtime.bundle import write_bundle
        from stopline.runtime.detector import Detector, DetectorSettings

        images = tuple(self.images[row] for row in rows)
        some = replace(self._set, images=images)
        with tempfile.TemporaryDirectory() as scratch:
            content = {"fp32.onnx": model.SerializeToString()}
            manifest = self._bundle.manifest
            only = {"fp32": manifest.variants["fp32"]}
            bundle = write_bundle(Path(scratch) / "b", onnx_only(manifest, only), content)
            settings = DetectorSettings("exact", "fp32", 0.01, threads=1)
            with Detector(bundle, settings=settings) as detector:
                ap = evaluate(detector, some, EvaluationSettings(resamples=0)).AP
                return ap, [found_of(detector, image) for image in images]


def onnx_only(manifest, variants):  # type: ignore[no-untyped-def]
    import msgspec

    return msgspec.structs.replace(manifest, variants=variants)


def found_of(detector, image) -> float:  # type: ignore[no-untyped-def]
    """The mean, over the labels of an image, of the best score that lies on each."""
    from stopline.devices.coco import load_image
    from stopline.devices.confusion import iou_matrix

    found = detector(load_image(image))
    if not len(image.boxes) or not len(found):
        return 0.0
    names = np.array(found.names)[found.classes]
    same = np.array(image.names)[:, None] == names[None, :]
    hits = same & (iou_matrix(image.boxes, found.boxes) >= 0.5)
    return float(np.where(hits, found.scores[None, :], 0).max(axis=1).mean())


def main(model: Path, frames: Path, out: Path, settings: dict) -> None:
    ignored = nncf.IgnoredScope(
        names=settings.get("float_layers", []), patterns=["^prepare/.*", "^decode/.*"]
    )
    common = {
        "subset_size": len(np.load(frames, mmap_mode="r")),
        "fast_bias_correction": settings.get("fast_bias_correction", True),
        "ignored_scope": ignored,
    }
    graph = onnx.load(model)
    started = time.monotonic()
    if "accuracy_control" in settings:
        said = settings["accuracy_control"]
        score = Score(said["bundle"], said["labels"], said["images"], said["rows"])
        written = nncf.quantize_with_accuracy_control(
            graph,
            calibration(frames),
            nncf.Dataset(range(len(said["rows"]))),
            score,
            max_drop=said["max_drop"],
            drop_type=nncf.DropType.RELATIVE,
            advanced_accuracy_restorer_parameters=nncf.AdvancedAccuracyRestorerParameters(
                ranking_subset_size=said["ranking"], num_ranking_workers=1
            ),
            **common,
        )
    else:
        written = nncf.quantize(graph, calibration(frames), **common)
    seconds = time.monotonic() - started
    onnx.save(written, out)
    version = importlib.metadata.version("nncf")
    print(json.dumps({"seconds": seconds, "version": f"nncf {version}"}))


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:4]), json.loads(sys.argv[4]))
