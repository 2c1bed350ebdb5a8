"""The self-test of a bundle is checked before it is believed."""

import io
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from stopline.runtime.bundle import Bundle, open_bundle, write_bundle
from stopline.runtime.manifest import BundleError
from stopline.runtime.selftest import SELFTEST, read_selftest
from tests.runtime.tiny import HERE, tiny_bundle, tiny_manifest

GOOD: dict[str, Any] = {
    "image": np.zeros((8, 9, 3), np.uint8),
    "boxes": np.array([[1, 2, 3, 4]], np.float32),
    "scores": np.array([0.5], np.float32),
    "classes": np.array([0]),
    "min_score": np.float32(0.05),
}


def bundle_with(where: Path, content: bytes) -> Bundle:
    files = {"fp32.onnx": (HERE / "tiny.onnx").read_bytes(), SELFTEST: content}
    return write_bundle(where, tiny_manifest(), files)


def packed(**arrays: Any) -> bytes:
    content = io.BytesIO()
    np.savez_compressed(content, **arrays)
    return content.getvalue()


def test_what_was_written_is_read(tmp_path: Path) -> None:
    test = read_selftest(bundle_with(tmp_path / "tiny", packed(**GOOD)))
    assert test.image.shape == (8, 9, 3)
    assert test.min_score == pytest.approx(0.05)
    assert [(found.box, found.name) for found in test.boxes] == [((1, 2, 3, 4), "red")]


def test_the_built_in_bundle_has_one() -> None:
    assert len(read_selftest(open_bundle("road-nano")).boxes) > 20


def test_a_bundle_without_one_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"has no selftest\.npz: export it again"):
        read_selftest(tiny_bundle(tmp_path / "tiny"))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"boxes": np.zeros((1, 5), np.float32)}, "have the shapes"),
        ({"scores": np.zeros(2, np.float32)}, "have the shapes"),
        ({"classes": np.array([7])}, "has class 7 of 1"),
        ({"classes": np.array([-1])}, "has class -1 of 1"),
        ({"image": np.zeros((8, 9, 3), np.float32)}, "its image is float32"),
        ({"image": np.zeros((8, 9), np.uint8)}, "its image is uint8 \\(8, 9\\)"),
        ({"boxes": np.array([[{}] * 4])}, "is no self-test"),
        ({"min_score": np.array("high")}, "is no self-test"),
    ],
)
def test_one_that_says_nothing_sensible_is_refused(
    tmp_path: Path, change: dict[str, Any], said: str
) -> None:
    with pytest.raises(BundleError, match=said):
        read_selftest(bundle_with(tmp_path / "tiny", packed(**{**GOOD, **change})))


def test_one_without_a_box_proves_nothing(tmp_path: Path) -> None:
    nothing = {"boxes": np.empty((0, 4)), "scores": np.empty(0), "classes": np.empty(0, int)}
    with pytest.raises(BundleError, match="holds no box"):
        read_selftest(bundle_with(tmp_path / "tiny", packed(**{**GOOD, **nothing})))


@pytest.mark.parametrize("content", [b"", b"no zip", packed(**GOOD)[:-30], packed(image=1)])
def test_a_broken_file_is_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(BundleError, match="is no self-test"):
        read_selftest(bundle_with(tmp_path / "tiny", content))


def test_one_that_unpacks_to_far_more_than_it_holds_is_refused(tmp_path: Path) -> None:
    bomb = packed(**{**GOOD, "image": np.zeros((5000, 5000, 3), np.uint8)})
    assert len(bomb) < 1 << 20
    with pytest.raises(BundleError, match="unpacks to"):
        read_selftest(bundle_with(tmp_path / "tiny", bomb))


def test_a_manifest_may_say_how_a_variant_was_measured(tmp_path: Path) -> None:
    """Manifests of before had no such field: they are read as before."""
    said = msgspec.to_builtins(tiny_manifest())
    assert said["variants"]["fp32"]["fidelity"] is None
    del said["variants"]["fp32"]["fidelity"], said["variants"]["fp32"]["step"]
    assert msgspec.convert(said, type(tiny_manifest()), strict=False) == tiny_manifest()
