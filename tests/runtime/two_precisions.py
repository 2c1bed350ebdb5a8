"""Bundles of the tiny detector in several precisions, and what is needed to choose one."""

import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np

from stopline.runtime.arrays import Image
from stopline.runtime.backends.trial import Tried
from stopline.runtime.bundle import Bundle, write_bundle
from stopline.runtime.detections import Detections
from stopline.runtime.detector import Detector, DetectorSettings
from stopline.runtime.manifest import Fidelity, Precision, Variant
from tests.runtime.tiny import HERE, TINY_HW, red_square, tiny_manifest

CPUS = HERE / "backends" / "cpuinfo"
VNNI, NO_VNNI = CPUS / "cascade-lake.txt", CPUS / "zen3.txt"  # which has a dot product of bytes
TINY = (HERE / "tiny.onnx").read_bytes()
RED = np.array([-0.5, -0.5, 1], np.float32) / 255  # what tiny.onnx multiplies BGR by
BLIND = TINY.replace(RED.tobytes(), bytes(RED.nbytes))  # finds nothing
COMPARED = Fidelity("a set", 40, "exact", 0.995, (0.99, 1.0), {}, 90, 1.0, 0.01)


def variants(*precisions: Precision, compared: bool = True) -> dict[Precision, Variant]:
    return {
        name: Variant(
            file=f"{name}.onnx",
            precision=name,
            fidelity=COMPARED if compared and name != "fp32" else None,
        )
        for name in precisions
    }


def selftest(image: Image, **arrays: object) -> bytes:
    content = io.BytesIO()
    np.savez(content, image=image, min_score=np.float32(0.05), **arrays)  # type: ignore[arg-type]
    return content.getvalue()


ONE_RED = selftest(
    red_square(TINY_HW, (8, 8, 16, 16)),
    boxes=np.array([[8, 8, 16, 16]], np.float32),
    scores=np.ones(1, np.float32),
    classes=np.zeros(1, np.int64),
)


def bundle_of(
    where: Path,
    has: Mapping[Precision, Variant],
    graphs: Mapping[str, bytes] | None = None,
    test: bytes | None = ONE_RED,
) -> Bundle:
    files = {variant.file: TINY for variant in has.values()} | dict(graphs or {})
    if test is not None:
        files["selftest.npz"] = test
    manifest = msgspec.structs.replace(tiny_manifest(), variants=dict(has))
    return write_bundle(where, manifest, files)


class FakeClock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now_ns = 0

    def __call__(self) -> int:
        return self.now_ns


@dataclass
class Paced:
    """A real detector that takes a given time by a clock of ours."""

    detector: Detector
    clock: FakeClock
    takes_ms: float

    def __call__(self, image: Image) -> Detections:
        self.clock.now_ns += round(self.takes_ms * 1e6)
        return self.detector(image)

    def close(self) -> None:
        self.detector.close()


class Opener:
    """Opens the variants of a bundle, counts how often, and paces them."""

    def __init__(self, bundle: Bundle, int8_ms: float = 10, fp32_ms: float = 20) -> None:
        self.clock, self.bundle = FakeClock(), bundle
        self.takes_ms = {"int8": int8_ms, "fp32": fp32_ms}
        self.opened: list[Precision] = []

    def __call__(self, precision: Precision, min_score: float) -> Tried:
        self.opened.append(precision)
        settings = DetectorSettings("onnxruntime", precision, min_score)
        return Paced(Detector(self.bundle, settings=settings), self.clock, self.takes_ms[precision])


BOTH = variants("fp32", "int8")
