"""Detectors made into bundles: the graph contract, parity with the source, the model card."""

from importlib.util import find_spec

_absent = [name for name in ("onnx", "onnx_ir", "onnxruntime", "onnxslim") if not find_spec(name)]
if _absent:
    raise ImportError(f"no {', '.join(_absent)}: `pip install 'stopline[export]'` brings them")
