"""Images of any kind become one kind, and what is no image is named."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from stopline.runtime.bgr import bgr_from_any
from stopline.runtime.cameras.camera import open_camera
from stopline.runtime.cameras.image_files import read_image
from tests.runtime.clips import grey


def encoded(kind: str, pixels: NDArray[Any]) -> bytes:
    done, data = cv2.imencode(kind, pixels)
    assert done
    return data.tobytes()


@pytest.mark.parametrize(
    ("pixels", "bgr"),
    [
        (np.full((4, 6), 7, np.uint8), [7, 7, 7]),
        (np.full((4, 6), 40_000, np.uint16), [156, 156, 156]),
        (np.full((4, 6, 3), (256, 512, 1024), np.uint16), [1, 2, 4]),
        (np.full((4, 6, 4), (1, 2, 3, 0), np.uint8), [1, 2, 3]),
        (np.full((1, 1), 9, np.uint8), [9, 9, 9]),
    ],
    ids=["grey", "16-bit grey", "16-bit colour", "alpha", "1x1"],
)
def test_every_kind_of_png_becomes_8_bit_bgr(
    tmp_path: Path, pixels: NDArray[Any], bgr: list[int]
) -> None:
    (tmp_path / "image.png").write_bytes(encoded(".png", pixels))
    image = read_image(tmp_path / "image.png")
    assert image.dtype == np.uint8
    assert image.shape == (*pixels.shape[:2], 3)
    assert image[0, 0].tolist() == bgr


def test_arrays_are_converted_as_files_are() -> None:
    assert bgr_from_any(np.full((2, 3, 1), 5, np.uint8)).tolist() == [[[5, 5, 5]] * 3] * 2
    colour = grey(3)
    assert bgr_from_any(colour) is colour


@pytest.mark.parametrize(
    "pixels",
    [np.zeros((2, 2), np.float32), np.zeros((2, 2, 2), np.uint8), np.zeros(4, np.uint8)],
    ids=["float", "two channels", "a row"],
)
def test_an_array_without_a_clear_meaning_is_refused(pixels: NDArray[Any]) -> None:
    with pytest.raises(ValueError, match="wanted 8 or 16 bits"):
        bgr_from_any(pixels)


@pytest.mark.parametrize("kind", [".jpg", ".png", ".bmp", ".webp", ".tiff", ".ppm"])
@pytest.mark.parametrize("left", [0.5, 0.95])
def test_a_truncated_image_is_refused_in_silence(
    tmp_path: Path, kind: str, left: float, capfd: pytest.CaptureFixture[str]
) -> None:
    data = encoded(kind, np.random.default_rng(0).integers(0, 255, (48, 64, 3), np.uint8))
    path = tmp_path / f"image{kind}"
    path.write_bytes(data[: int(len(data) * left)])
    with pytest.raises(ValueError, match=r"image\.\w+' is (cut short|no image)"):
        read_image(path)
    assert capfd.readouterr().err == ""


def test_a_damaged_png_is_refused_in_silence(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    data = bytearray(encoded(".png", np.random.default_rng(0).integers(0, 255, (9, 9), np.uint8)))
    data[60] ^= 0xFF
    (tmp_path / "image.png").write_bytes(data)
    with pytest.raises(ValueError, match="no image"):
        read_image(tmp_path / "image.png")
    assert capfd.readouterr().err == ""


def test_a_jpeg_with_a_whole_thumbnail_but_half_a_picture_is_refused(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (48, 64, 3), np.uint8)
    picture, thumbnail = encoded(".jpg", noise), encoded(".jpg", grey(0, (8, 8)))
    header = b"\xff\xe1" + (2 + len(thumbnail)).to_bytes(2, "big") + thumbnail
    whole = picture[:2] + header + picture[2:]
    (tmp_path / "whole.jpg").write_bytes(whole)
    (tmp_path / "half.jpg").write_bytes(whole[: len(whole) // 2])
    assert read_image(tmp_path / "whole.jpg").shape == (48, 64, 3)
    with pytest.raises(ValueError, match="cut short"):
        read_image(tmp_path / "half.jpg")


@pytest.mark.parametrize("data", [b"", b"hello\n" * 100], ids=["empty", "text"])
def test_a_file_that_is_no_image_is_named(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "image.png").write_bytes(data)
    with pytest.raises(ValueError, match=r"image\.png"):
        read_image(tmp_path / "image.png")


def test_a_float_image_is_refused(tmp_path: Path) -> None:
    (tmp_path / "image.tiff").write_bytes(encoded(".tiff", np.ones((4, 4, 3), np.float32)))
    with pytest.raises(ValueError, match=r"image\.tiff"):
        read_image(tmp_path / "image.tiff")


def test_a_folder_gives_its_images_in_order_and_nothing_else(tmp_path: Path) -> None:
    for value in (3, 1, 2):
        (tmp_path / f"{value}.png").write_bytes(encoded(".png", grey(value, (value, value))))
    (tmp_path / "notes.txt").write_text("not an image")
    with open_camera(tmp_path) as camera:
        frames = list(camera)
    assert not camera.live
    assert [(f.index, f.image.shape, f.image[0, 0, 0]) for f in frames] == [
        (0, (1, 1, 3), 1),
        (1, (2, 2, 3), 2),
        (2, (3, 3, 3), 3),
    ]


def test_a_glob_and_a_single_image_are_sources(tmp_path: Path) -> None:
    for name in ("a1.png", "a2.png", "b1.png"):
        (tmp_path / name).write_bytes(encoded(".png", grey(0)))
    assert len(list(open_camera(str(tmp_path / "a*.png")))) == 2
    assert len(list(open_camera(tmp_path / "b1.png"))) == 1


def test_one_bad_image_among_many_is_skipped_counted_and_named_at_the_end(tmp_path: Path) -> None:
    for name in ("1.png", "3.png"):
        (tmp_path / name).write_bytes(encoded(".png", grey(0)))
    (tmp_path / "2.png").write_bytes(b"not an image")
    frames = iter(open_camera(tmp_path))
    assert [next(frames).index, next(frames).index] == [0, 2]
    with pytest.raises(OSError, match=r"1 of 3 images unread, first: .*2\.png"):
        next(frames)


def test_a_folder_or_glob_without_images_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="has no image in it"):
        open_camera(tmp_path)
    with pytest.raises(OSError, match="no file matches"):
        open_camera(str(tmp_path / "*.png"))
