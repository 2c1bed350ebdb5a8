"""MODEL FRAMES.npy OUT SETTINGS: INT8 by ONNX Runtime's static quantizer, in its own process.

Symmetric, per channel, int8 x int8, bias left in float: what TensorRT takes. With `for_cpus`,
activations in uint8, bias in int32 and outputs quantized too: what ONNX Runtime's own integer
kernels want on x86. Of `net/` only.
"""

import importlib.metadata
import json
import sys
import time
from pathlib import Path

import numpy as np
import onnx
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantFormat,
    QuantType,
    quantize_static,
)


class Reader(CalibrationDataReader):  # type: ignore[misc]  # it ships no types
    """One frame after the other; the quantizer asks for a part of them at a time."""

    def __init__(self, frames: Path) -> None:
        self._frames = np.load(frames, mmap_mode="r")
        self._rest = iter(range(len(self._frames)))

    def get_next(self) -> dict[str, np.ndarray] | None:
        at = next(self._rest, None)
        return None if at is None else {"frames": np.array(self._frames[at][None])}

    def set_range(self, start_index: int, end_index: int) -> None:
        self._rest = iter(range(start_index, min(end_index, len(self._frames))))

    def __len__(self) -> int:
        return len(self._frames)


def main(model: Path, frames: Path, out: Path, settings: dict) -> None:
    nodes = onnx.load(model).graph.node
    kept = set(settings.get("float_layers", []))
    convolutions = [
        node.name
        for node in nodes
        if node.op_type == "Conv" and node.name.startswith("net/") and node.name not in kept
    ]
    reader = Reader(frames)
    # Else the tensors of all frames are held at once: 10 GB. It must divide the number of frames.
    stride = max(size for size in range(1, 9) if len(reader) % size == 0)
    for_cpus = settings.get("for_cpus", False)
    options = {
        "ActivationSymmetric": not for_cpus,
        "WeightSymmetric": True,
        "QuantizeBias": for_cpus,
        "CalibStridedMinMax": stride,
        "CalibPercentile": settings.get("percentile", 99.999),
    }
    if settings.get("inputs_only"):
        options["OpTypesToExcludeOutputQuantization"] = ["Conv"]
    started = time.monotonic()
    quantize_static(
        str(model),
        str(out),
        reader,
        quant_format=QuantFormat.QDQ,
        op_types_to_quantize=["Conv"],
        per_channel=True,
        activation_type=QuantType.QUInt8 if for_cpus else QuantType.QInt8,
        weight_type=QuantType.QInt8,
        nodes_to_quantize=convolutions,
        calibrate_method=CalibrationMethod[settings["method"]],
        extra_options=options,
    )
    version = importlib.metadata.version("onnxruntime")
    print(json.dumps({"seconds": time.monotonic() - started, "version": f"onnxruntime {version}"}))


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:4]), json.loads(sys.argv[4]))
