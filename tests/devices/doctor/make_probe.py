"""Writes devices/doctor/probe/: the tiny bundle that `doctor` runs on every backend.

A convolution, so that the libraries that a backend loads late are loaded too. It finds what is
red: each 8x8 cell of a 64x96 input is a box, its score how much redder than anything else it is.
"""

import io
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from stopline.runtime.bundle import Bundle, write_bundle
from stopline.runtime.manifest import Input, Manifest, Provenance, Source, Thresholds, Variant
from stopline.runtime.selftest import SELFTEST

H, W, CELL, K = 64, 96, 8, 50
WHERE = Path(__file__).parents[3] / "devices" / "doctor" / "probe"
MIN_SCORE = 0.3


def graph() -> bytes:
    ys, xs = np.mgrid[0:H:CELL, 0:W:CELL]
    grid = np.stack([xs, ys, xs + CELL, ys + CELL], -1).reshape(-1, 4).astype(np.float32)
    red = np.array([-0.5, -0.5, 1.0], np.float32).reshape(1, 3, 1, 1) / 255 / CELL**2
    named: dict[str, NDArray[Any]] = {
        "grid": grid,
        "red": np.broadcast_to(red, (1, 3, CELL, CELL)).copy(),
        "k": np.array([K], np.int64),
        "flat": np.array([0, -1], np.int64),
        "low": np.array(0, np.float32),
        "high": np.array(1, np.float32),
        "zero": np.array(0, np.int64),
    }
    node = helper.make_node
    nodes = [
        node("Cast", ["frames"], ["float"], to=TensorProto.FLOAT),
        node("Transpose", ["float"], ["nchw"], perm=[0, 3, 1, 2]),
        node("Conv", ["nchw", "red"], ["redness"], kernel_shape=[CELL] * 2, strides=[CELL] * 2),
        node("Clip", ["redness", "low", "high"], ["cells"]),
        node("Reshape", ["cells", "flat"], ["flattened"]),
        node("TopK", ["flattened", "k"], ["scores", "where"], axis=1),
        node("Gather", ["grid", "where"], ["boxes"], axis=0),
        node("Mul", ["where", "zero"], ["classes"]),
    ]
    tensor = helper.make_tensor_value_info
    outputs = [
        tensor("boxes", TensorProto.FLOAT, [1, K, 4]),
        tensor("scores", TensorProto.FLOAT, [1, K]),
        tensor("classes", TensorProto.INT64, [1, K]),
    ]
    inputs = [tensor("frames", TensorProto.UINT8, [1, H, W, 3])]
    constants = [numpy_helper.from_array(value, name) for name, value in named.items()]
    made = helper.make_graph(nodes, "probe", inputs, outputs, constants)
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model, full_check=True)
    return bytes(model.SerializeToString())


def selftest() -> bytes:
    """Cells of four reds on grey, and what anybody who can multiply finds in them."""
    image = np.full((H, W, 3), 128, np.uint8)
    boxes, scores = [], []
    for number, red in enumerate((255, 240, 225, 210)):
        x, y = 2 * CELL * number + CELL, CELL * (number + 2)
        image[y : y + CELL, x : x + CELL] = (0, 0, red)
        boxes.append((x, y, x + CELL, y + CELL))
        scores.append(red / 255)
    packed = io.BytesIO()
    np.savez_compressed(
        packed,
        image=image,
        boxes=np.array(boxes, np.float32),
        scores=np.array(scores, np.float32),
        classes=np.zeros(len(boxes), np.int64),
        min_score=np.array(MIN_SCORE),
    )
    return packed.getvalue()


def manifest() -> Manifest:
    mine = Source(
        name="none: its one weight is written down", licence="Apache-2.0", commercial=True
    )
    return Manifest(
        schema=1,
        name="probe",
        task="detect",
        classes=("red",),
        input=Input(height=H, width=W),
        boxes=K,
        thresholds=Thresholds(min_score=MIN_SCORE, max_iou=0.65),
        variants={"fp32": Variant(file="fp32.onnx", precision="fp32")},
        files={},
        provenance=Provenance(
            created="2026-11-24T00:00:00Z",
            stopline="0",
            command="python -m tests.devices.doctor.make_probe",
            sources=(mine,),
        ),
    )


def write_probe(where: Path) -> Bundle:
    return write_bundle(where, manifest(), {"fp32.onnx": graph(), SELFTEST: selftest()})


if __name__ == "__main__":
    write_probe(WHERE)
