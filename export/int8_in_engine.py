"""How much of an INT8 graph a real TensorRT computes in INT8: what the graph says may not happen.

An activation scale of shape (1,) where a scalar was meant is parsed and built without a word, and
not one convolution becomes INT8.
"""

from onnx import ModelProto

from stopline.devices.engines.layer_report import nodes_computed_in
from stopline.devices.engines.plan import Plan
from stopline.export.quantize.layers import layers


def int8_in_engine(model: ModelProto, plan: Plan) -> float:
    """Share of the MACs of all layers whose kernel takes INT8, in the engine built of `model`."""
    in_int8 = nodes_computed_in("Int8", plan.layers)
    every = layers(model)
    return sum(one.macs for one in every if one.name in in_int8) / sum(one.macs for one in every)
