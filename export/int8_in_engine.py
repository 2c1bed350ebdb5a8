"""How much of an INT8 graph a real TensorRT computes in INT8: what the graph says may not happen.

An activation scale of shape (1,) where a scalar was meant is parsed and built without a word, and
not one convolution becomes INT8.
"""

from onnx import ModelProto

from stopline.devices.engines.layer_report import nodes_computed_in
from stopline.devices.engines.network import EngineError
from stopline.devices.engines.plan import BuildSettings, build_plan
from stopline.export.quantize.layers import layers
from stopline.export.tensorrt_check import TensorRTError, tensorrt_module


def int8_in_engine(model: ModelProto, largest_batch: int = 1) -> float:
    """Share of the MACs of all layers whose kernel takes INT8.

    Raises TensorRTError if it cannot be built, ImportError without TensorRT.
    """
    tensorrt_module()
    try:
        plan = build_plan(model.SerializeToString(), BuildSettings(largest_batch=largest_batch))
    except EngineError as error:
        raise TensorRTError(str(error)) from error
    in_int8 = nodes_computed_in("Int8", plan.layers)
    every = layers(model)
    return sum(one.macs for one in every if one.name in in_int8) / sum(one.macs for one in every)
