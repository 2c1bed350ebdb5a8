"""The images on which detectors are compared without labels."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from stopline.devices.pictures import AT_MOST, pictures, spread, streets


def test_many_are_thinned_out_from_first_to_last() -> None:
    picked = spread(range(1000))
    assert len(picked) == AT_MOST
    assert (picked[0], picked[-1]) == (0, 999)
    assert spread(["a", "b"]) == ["a", "b"]
    assert spread([]) == []


def test_a_folder_is_read(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), np.full((4, 6, 3), 9, np.uint8))
    (image,) = pictures(tmp_path)
    assert image.shape == (4, 6, 3)


def test_a_place_without_images_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="has no image in it"):
        pictures(tmp_path)
    with pytest.raises(ValueError, match="no images in"):
        pictures(tmp_path / "absent")


def test_without_a_folder_streets_are_rendered_that_differ() -> None:
    one, other = streets(2)
    assert one.shape == other.shape == (720, 1280, 3)
    assert (one != other).any()
