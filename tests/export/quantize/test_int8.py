"""An FP32 graph becomes an INT8 graph that says the same, and what cannot be is refused."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import ModelProto, checker

from stopline.export.int8_in_engine import int8_in_engine
from stopline.export.quantize.fitting import FittingSettings
from stopline.export.quantize.int8 import Int8Settings, default_float_layers, int8_model, prepared
from stopline.export.quantize.layers import int8_share
from stopline.export.quantize.pixels import pixel_steps
from stopline.export.quantize.ranges import RangeSettings
from stopline.export.quantize.rounding import RoundingSettings
from stopline.export.raw import ExportError
from stopline.export.tensorrt_check import build_plan
from tests.export.quantize.nets import (
    DEPTHWISE,
    HEAD,
    POINTWISE,
    STEM,
    Calibrated,
    answers,
    net,
    noise_db,
    scenes,
)

EVERY = Int8Settings(float_layers=frozenset())
NAIVE = Int8Settings(
    float_layers=frozenset(),
    fitting=FittingSettings(
        ranges=RangeSettings("min-max"),
        rounding=RoundingSettings(fit=False, compensate=False, clips=(1.0,)),
        lossless_pixels=False,
    ),
)


def tensors(model: ModelProto) -> set[str]:
    return {name for node in model.graph.node for name in node.output}


@pytest.mark.parametrize("full", [1.0, 255.0])
def test_pixels_lose_nothing_and_neither_does_the_border(full: float) -> None:
    exact = np.random.default_rng(1).integers(-127, 128, (8, 3, 3, 3)).astype(np.float32)
    exact[:, 0, 0, 0] = 127
    model = net(full, {STEM: exact * np.float32(full / 2**15)})
    others = frozenset({DEPTHWISE, POINTWISE, HEAD})
    written = int8_model(model, scenes(), Int8Settings(float_layers=others)).model
    frames = scenes(2, seed=5).frames
    wanted, found = (answers(each, f"{STEM}/output", frames) for each in (model, written))
    assert np.abs(wanted - found).max() < 2e-3 * np.abs(wanted).max()
    border = np.ones(wanted.shape[2:], bool)
    border[1:-1, 1:-1] = False
    assert np.abs(wanted - found)[:, :, border].max() < 2e-3 * np.abs(wanted).max()


def test_only_what_moves_pixels_holds_pixels() -> None:
    steps = pixel_steps(net(full=255.0))
    assert steps == pytest.approx(
        {
            "frames": 1,
            "prepare/float": 1,
            "prepare/nchw": 1,
            "prepare/images": 1 / 255,
        }
    )


def test_the_answer_is_near_and_much_nearer_than_one_scale_for_all_channels() -> None:
    loud = np.ones((8, 1, 1, 1), np.float32)
    loud[0] = 100
    base = net()
    (stem,) = (each for each in base.graph.initializer if each.name == f"{STEM}/weight")
    model = net(weights={STEM: onnx.numpy_helper.to_array(stem) * loud})
    frames = scenes(4, seed=9).frames
    ours, naive = (
        noise_db(int8_model(model, scenes(), settings).model, model, f"{HEAD}/output", frames)
        for settings in (EVERY, NAIVE)
    )
    assert ours > 25
    assert ours > naive + 8


def test_equalisation_changes_nothing_but_the_steps() -> None:
    """With steps too fine to matter what is left is exact arithmetic: only the order differs."""
    from stopline.export.quantize.activation import Activation
    from stopline.export.quantize.layers import layers
    from stopline.export.quantize.qdq import QuantizedLayer, Weights, with_qdq

    model = net(weights={POINTWISE: np.ones((16, 8, 1, 1), np.float32)})
    (layer,) = (each for each in layers(model) if each.name == POINTWISE)
    shift, factor = np.arange(8, dtype=np.float32), np.full(8, 0.5, np.float32)
    (bias,) = (each for each in model.graph.initializer if each.name == layer.bias)
    weights = Weights(
        np.ones((16, 8, 1, 1), np.int8),
        np.full(16, 2, np.float32),  # 1 / factor
        onnx.numpy_helper.to_array(bias) + shift.sum(),
    )
    written = with_qdq(model, [QuantizedLayer(layer, Activation(2**-4, shift, factor), weights)])
    frames = scenes(2).frames
    wanted, found = (answers(each, f"{POINTWISE}/output", frames) for each in (model, written))
    assert np.abs(wanted - found).max() <= 8 * 2 * 2**-5 + 1e-4, "half a step of each channel"


def test_every_tensor_of_fp32_keeps_its_name_and_its_meaning() -> None:
    model = net()
    written = int8_model(model, scenes(), EVERY).model
    checker.check_model(written, full_check=True)
    assert tensors(model) <= tensors(written)
    added = tensors(written) - tensors(model)
    roots = tensors(model) | {each.name for each in model.graph.initializer}
    assert all(any(name.startswith(f"{root}/") for root in roots) for name in added)
    frames = scenes(2).frames
    for name in (f"{STEM}/silu", f"{DEPTHWISE}/output", f"{POINTWISE}/silu"):
        assert noise_db(written, model, name, frames) > 20


def test_nothing_outside_the_net_changes() -> None:
    model = net()
    written = int8_model(model, scenes(), EVERY).model

    def outside(graph: ModelProto) -> list[bytes]:
        return [
            node.SerializeToString()
            for node in graph.graph.node
            if node.name.startswith(("prepare/", "decode/")) and "/" not in node.name[8:]
        ]

    assert outside(model) == outside(written)
    assert model.graph.input == written.graph.input
    assert model.graph.output == written.graph.output


def test_the_same_frames_give_the_same_bytes() -> None:
    first, second = (int8_model(net(), scenes()).model.SerializeToString() for _ in range(2))
    assert first == second


def test_by_default_depthwise_layers_and_the_head_stay_in_float() -> None:
    assert default_float_layers(net()) == {DEPTHWISE, HEAD}
    assert {DEPTHWISE, HEAD} <= set(int8_model(net(), scenes()).float_layers)


def test_weights_are_stored_as_bytes() -> None:
    written = prepared(net(), scenes()).model([])
    kinds = {each.name: each.data_type for each in written.graph.initializer}
    assert kinds[f"{STEM}/weight/quantized"] == onnx.TensorProto.INT8
    assert f"{STEM}/weight" not in kinds, "the float weights are not in the file twice"


def test_progress_ends_at_one() -> None:
    said: list[float] = []
    int8_model(net(), scenes(), on_step=lambda text, done: said.append(done))
    assert said == sorted(said)
    assert said[-1] == pytest.approx(1)


def test_a_graph_without_layers_is_refused() -> None:
    model = net()
    for node in model.graph.node:
        node.name = node.name.replace("net/", "decode/")
    with pytest.raises(ExportError, match="no layer with weights in net/"):
        int8_model(model, scenes())


def test_frames_that_show_nothing_are_refused_by_the_layer_they_starve() -> None:
    black = Calibrated(np.zeros_like(scenes().frames))
    with pytest.raises(ExportError, match=rf"{STEM}: its input prepare/images is the same number"):
        int8_model(net(), black)


def test_a_float_layer_that_is_none_is_refused() -> None:
    with pytest.raises(ExportError, match="no layer net/nothing"):
        prepared(net(), scenes()).model(["net/nothing"])


def test_tensorrt_computes_in_int8_what_the_graph_says() -> None:
    pytest.importorskip("tensorrt_rtx")
    recipe = prepared(net(), scenes())
    for floats in ([], [DEPTHWISE, HEAD]):
        written = recipe.model(floats)
        assert int8_in_engine(written, build_plan(written.SerializeToString())) == pytest.approx(
            int8_share(written)
        ), floats


@pytest.mark.data
@pytest.mark.journey
def test_stock_yolox_keeps_its_answer(data_pack: Path) -> None:
    from stopline.export.contract import in_contract
    from stopline.export.families import recognised
    from stopline.export.quantize.layers import head_outputs, layers
    from stopline.export.raw import read_raw
    from stopline.runtime.cameras.image_files import read_image
    from stopline.runtime.letterbox import letterbox

    found = sorted((data_pack / "images" / "coco_subset").rglob("*.jpg"))[:40]
    frames = np.empty((len(found), 416, 416, 3), np.uint8)
    for path, frame in zip(found, frames, strict=True):
        letterbox(read_image(path), frame, "letterbox_top_left", 114)
    model = in_contract(*recognised(read_raw(data_pack / "weights/yolox/yolox_nano_coco_416.onnx")))
    made = int8_model(model, Calibrated(frames[4:]), Int8Settings(fitted_frames=12))
    assert made.int8_macs >= 0.85
    heads = head_outputs(model)
    outputs = [layer.output for layer in layers(model) if layer.name in heads]
    heard = [noise_db(made.model, model, output, frames[:4]) for output in outputs]
    assert np.mean(heard) > 15, "min-max gives 5"
