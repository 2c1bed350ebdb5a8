"""MODEL FRAMES.npy OUT SETTINGS: INT8 by NVIDIA ModelOpt, in an environment of its own.

`pip install 'nvidia-modelopt[onnx]'`, which pins onnx 1.21. Of `net/` only; what stays in float
stays FP32, so that only INT8 is compared.
"""

import importlib.metadata
import json
import re
import sys
import time
from pathlib import Path

import numpy as np
from modelopt.onnx.quantization import quantize
from onnxruntime.quantization import CalibrationDataReader


class Reader(CalibrationDataReader):  # type: ignore[misc]  # it ships no types
    """One frame after the other."""

    def __init__(self, frames: Path) -> None:
        self._frames = np.load(frames, mmap_mode="r")
        self.rewind()

    def rewind(self) -> None:
        self._rest = iter(range(len(self._frames)))

    def get_next(self) -> dict[str, np.ndarray] | None:
        at = next(self._rest, None)
        return None if at is None else {"frames": np.array(self._frames[at][None])}

    def get_first(self) -> dict[str, np.ndarray]:
        return {"frames": np.array(self._frames[0][None])}


def main(model: Path, frames: Path, out: Path, settings: dict) -> None:
    kept = [f"^{re.escape(name)}$" for name in settings.get("float_layers", [])]
    started = time.monotonic()
    quantize(
        str(model),
        quantize_mode="int8",
        calibration_data_reader=Reader(frames),
        calibration_method=settings["method"],
        calibration_eps=["cpu"],
        nodes_to_exclude=["^prepare/.*", "^decode/.*", *kept],
        op_types_to_quantize=settings.get("op_types"),
        output_path=str(out),
        high_precision_dtype="fp32",
        dq_only=True,  # weights in int8; otherwise the file keeps them in float
        log_level="WARNING",
    )
    version = importlib.metadata.version("nvidia-modelopt")
    print(json.dumps({"seconds": time.monotonic() - started, "version": f"modelopt {version}"}))


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:4]), json.loads(sys.argv[4]))
