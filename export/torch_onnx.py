"""PyTorch detectors as raw ONNX. The only module of `export/` that imports torch."""

import copy
from collections.abc import Callable

import onnx_ir
import torch
from onnx import ModelProto, numpy_helper
from onnxscript import optimizer
from torch import nn

from stopline.export.raw import HW, Floats
from stopline.export.simplify import OLDEST_OPSET


class TracedModule:
    """A module's graph, traced once; its weights can then be filled in again and again.

    Tracing a YOLOX-Nano takes seconds, filling it a tenth of one: training exports for every
    validation. The graph is therefore traced unoptimised, with each weight under its own name.
    """

    def __init__(self, module: nn.Module, input_hw: HW) -> None:
        """`module` takes images (1, 3, h, w) BGR 0..255, and is left as it is."""
        self.input_hw = input_hw
        still = evaluating(module)
        self._learned = frozenset(still.state_dict())
        program = torch.onnx.export(
            still,
            (torch.zeros(1, 3, *input_hw),),
            dynamo=True,
            opset_version=OLDEST_OPSET,
            input_names=["images"],
            output_names=["output"],
            optimize=False,
            verbose=False,
        )
        assert program is not None
        self._traced = self._without_bookkeeping(program.model_proto)

    def filled(self, module: nn.Module) -> ModelProto:
        """The graph with the weights that `module` has now.

        Raises ValueError if it is not the module that was traced.
        """
        weights = module.state_dict()
        if weights.keys() != self._learned:
            raise ValueError("this is not the module that was traced: its weights differ in name")
        model = ModelProto()
        model.CopyFrom(self._traced)
        for initializer in model.graph.initializer:
            if initializer.name in weights:
                value = weights[initializer.name].detach().cpu().float().numpy()
                initializer.CopyFrom(numpy_helper.from_array(value, initializer.name))
        return model

    def _without_bookkeeping(self, model: ModelProto) -> ModelProto:
        """Fold the shapes that the exporter computes in the graph, but no weight."""
        ir = onnx_ir.serde.deserialize_model(model)
        optimizer.fold_constants(ir, onnx_shape_inference=False, should_fold=self._may_fold)
        optimizer.remove_unused_nodes(ir)
        return onnx_ir.serde.serialize_model(ir)

    def _may_fold(self, node: onnx_ir.Node) -> bool | None:
        """None leaves it to the optimiser; a shape is no weight, but all else of a weight is."""
        learned = any(value is not None and value.name in self._learned for value in node.inputs)
        return False if learned and node.op_type != "Shape" else None


def raw_onnx_from_torch(module: nn.Module, input_hw: HW) -> ModelProto:
    """`images` float32 (1, 3, h, w) → whatever the module gives in eval mode."""
    return TracedModule(module, input_hw).filled(module)


def torch_runner(module: nn.Module) -> Callable[[Floats], Floats]:
    """The module itself as a function of images (n, 3, h, w): what its ONNX must equal."""
    still = evaluating(module)

    def run(images: Floats) -> Floats:
        with torch.inference_mode():
            output: Floats = still(torch.from_numpy(images)).numpy()
        return output

    return run


def evaluating(module: nn.Module) -> nn.Module:
    """A copy in eval mode, float32 and on the CPU."""
    return copy.deepcopy(module).cpu().float().eval()
