"""The network: Megvii's numbers from Megvii's names, and whatever backbone timm has."""

from pathlib import Path

import cv2
import numpy as np
import onnxruntime
import pytest
import torch

from stopline.runtime.letterbox import letterbox
from stopline.train.checkpoint import load_weights
from stopline.train.yolox import ModelSettings, Yolox, grid_of
from tests.train.tiny import TINY


def test_the_output_has_a_row_for_each_cell_and_probabilities_only_in_eval() -> None:
    torch.manual_seed(0)
    model = Yolox(3, TINY)
    images = torch.randint(0, 255, (2, 3, 64, 96)).float()
    raw = model.train()(images)
    assert raw.shape == (2, 8 * 12 + 4 * 6 + 2 * 3, 8)
    assert (raw[..., 4:] < 0).any()
    with torch.no_grad():
        probabilities = model.eval()(images)[..., 4:]
    assert ((probabilities > 0) & (probabilities < 1)).all()


def test_a_fresh_network_expects_objects_rarely() -> None:
    model = Yolox(2, TINY).eval()
    with torch.no_grad():
        raw = model(torch.full((1, 3, 64, 64), 114.0))
    assert raw[..., 4].mean() < 0.05


def test_boxes_are_decoded_from_the_corner_of_their_cell() -> None:
    grid = grid_of((64, 96))
    raw = torch.zeros(len(grid.stride), 4)
    second_row = 12  # the first map has 12 cells in a row
    assert grid.decode(raw)[second_row].tolist() == [-4, 4, 4, 12]
    assert grid.centre_xy[second_row].tolist() == [4, 12]


def test_any_timm_backbone_gives_the_three_maps() -> None:
    settings = ModelSettings(backbone="resnet10t", depthwise=False)
    model = Yolox(2, settings).eval()
    with torch.no_grad():
        raw = model(torch.zeros(1, 3, 64, 64))
    assert raw.shape == (1, 64 + 16 + 4, 7)


@pytest.mark.data
def test_stock_weights_give_the_numbers_of_the_stock_graph(data_pack: Path) -> None:
    weights = data_pack / "weights" / "yolox"
    state, names = load_weights(weights / "yolox_nano_coco_bn.pth", None)
    model = Yolox(len(names), ModelSettings()).eval()
    model.load_state_dict(state)
    picture = cv2.imread(str(data_pack / "images/coco_subset/images/000000000139.jpg"))
    assert picture is not None
    laid = np.empty((416, 416, 3), np.uint8)
    letterbox(np.asarray(picture, np.uint8), laid, "letterbox_top_left", 114)
    images = laid.transpose(2, 0, 1)[None].astype(np.float32)
    session = onnxruntime.InferenceSession(weights / "yolox_nano_coco_416.onnx")
    (theirs,) = session.run(None, {"images": images})
    with torch.no_grad():
        ours = model(torch.from_numpy(images)).numpy()
    assert np.abs(ours - theirs)[..., 4:].max() < 1e-4
    assert np.abs(ours - theirs)[..., :4].max() < 2e-3  # of a stride


def test_a_backbone_that_nobody_knows_is_answered_with_the_nearest() -> None:
    with pytest.raises(ValueError, match=r"no backbone 'resnet-18': .*resnet18"):
        Yolox(2, ModelSettings(backbone="resnet-18"))


def test_a_backbone_without_the_three_maps_is_refused() -> None:
    with pytest.raises(ValueError, match=r"gives maps at strides \[16, 16.*wanted 8, 16 and 32"):
        Yolox(2, ModelSettings(backbone="vit_tiny_patch16_224"))
