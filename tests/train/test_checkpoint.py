"""Weights travel with what they are, and start a detector of other classes."""

from pathlib import Path

import pytest
import torch

from stopline.runtime.manifest import Provenance, Source
from stopline.train.checkpoint import (
    Checkpoint,
    build_model,
    load_checkpoint,
    load_weights,
    save_checkpoint,
    start_from,
)
from stopline.train.yolox import ModelSettings, Yolox
from tests.train.tiny import TINY


def checkpoint(classes: tuple[str, ...] = ("sign", "car"), commercial: bool = True) -> Checkpoint:
    torch.manual_seed(1)
    source = Source(name="squares", licence="some", commercial=commercial)
    provenance = Provenance(
        created="2026-01-01T00:00:00+00:00", stopline="0", command="train", sources=(source,)
    )
    model = Yolox(len(classes), TINY)
    return Checkpoint(classes, TINY, (64, 96), provenance, model.state_dict())


def test_what_is_saved_is_what_is_loaded(tmp_path: Path) -> None:
    saved = checkpoint()
    save_checkpoint(tmp_path / "best.pt", saved)
    loaded = load_checkpoint(tmp_path / "best.pt")
    assert (loaded.classes, loaded.model, loaded.input_hw) == (("sign", "car"), TINY, (64, 96))
    assert loaded.provenance == saved.provenance
    assert loaded.training is None
    mine, theirs = build_model(saved).state_dict(), build_model(loaded).state_dict()
    assert all(torch.equal(mine[name], theirs[name]) for name in mine)
    assert [path.name for path in tmp_path.iterdir()] == ["best.pt"]


def test_a_non_commercial_source_makes_weights_that_may_not_be_shipped(tmp_path: Path) -> None:
    for commercial in (True, False):
        save_checkpoint(tmp_path / "best.pt", checkpoint(commercial=commercial))
        assert load_checkpoint(tmp_path / "best.pt").provenance.shippable is commercial


def test_rows_of_known_classes_are_picked_by_name_and_new_ones_stay_fresh() -> None:
    old = checkpoint(("car", "dog", "sign"))
    model = Yolox(3, TINY)
    name = "head.cls_preds.0.weight"
    fresh = model.state_dict()[name].clone()
    start_from(model, old.weights, old.classes, ("sign", "pole", "car"))
    rows, had = model.state_dict()[name], old.weights[name]
    assert torch.equal(rows[0], had[2])
    assert torch.equal(rows[1], fresh[1])
    assert torch.equal(rows[2], had[0])
    assert torch.equal(
        model.state_dict()["head.reg_preds.0.bias"], old.weights["head.reg_preds.0.bias"]
    )


def test_weights_of_another_architecture_are_refused() -> None:
    old = checkpoint()
    with pytest.raises(ValueError, match=r"the start weights are not of this model: .* the first"):
        start_from(Yolox(2, ModelSettings()), old.weights, old.classes, old.classes)


def test_a_bare_state_dict_has_coco_classes_unless_others_are_named(tmp_path: Path) -> None:
    torch.save({"model": checkpoint().weights}, tmp_path / "bare.pth")
    with pytest.raises(ValueError, match=r"has 2 classes, 80 were named: .* start.classes"):
        load_weights(tmp_path / "bare.pth", None)
    _, names = load_weights(tmp_path / "bare.pth", ("a", "b"))
    assert names == ("a", "b")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 not really", b"hello"])
def test_a_file_that_is_no_checkpoint_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.pt"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"^x\.pt is no torch file"):
        load_checkpoint(path)


def test_other_torch_files_are_told_apart(tmp_path: Path) -> None:
    path = tmp_path / "x.pt"
    torch.save({"weights": torch.zeros(1)}, path)
    with pytest.raises(ValueError, match="no checkpoint of this stopline: found weights"):
        load_checkpoint(path)
    with pytest.raises(ValueError, match="holds no YOLOX"):
        load_weights(path, None)
    torch.save(torch.zeros(1), path)
    with pytest.raises(ValueError, match="holds a Tensor"):
        load_checkpoint(path)


def test_an_absent_checkpoint_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="no checkpoint"):
        load_checkpoint(tmp_path / "none.pt")


@pytest.mark.data
def test_the_stock_checkpoint_starts_as_the_stock_detector(data_pack: Path) -> None:
    path = data_pack / "weights" / "yolox" / "yolox_nano_coco_bn.pth"
    state, has = load_weights(path, None)
    stock, mine = Yolox(80, ModelSettings()).eval(), Yolox(2, ModelSettings()).eval()
    start_from(stock, state, has, has)
    start_from(mine, state, has, ("stop sign", "person"))
    images = torch.randint(0, 255, (1, 3, 64, 64)).float()
    with torch.no_grad():
        theirs, ours = stock(images), mine(images)
    assert torch.allclose(ours[..., :5], theirs[..., :5], atol=1e-6)
    rows = [5 + has.index("stop sign"), 5 + has.index("person")]
    assert torch.allclose(ours[..., 5:], theirs[..., rows], atol=1e-6)
