"""Images in a folder, by a glob or one by one, as a camera that gives each of them once."""

import glob
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np

from stopline.runtime.arrays import Image
from stopline.runtime.bgr import bgr_from_any
from stopline.runtime.cameras.camera import Clock
from stopline.runtime.closing import Closing
from stopline.runtime.frame import Frame
from stopline.runtime.quiet import silence_opencv, silent_stderr

IMAGE_SUFFIXES = (
    *(".avif", ".bmp", ".jp2", ".jpeg", ".jpg", ".pbm", ".pgm", ".png", ".pnm", ".ppm"),
    *(".tif", ".tiff", ".webp"),
)
JPEG_START, JPEG_SCAN, JPEG_END = b"\xff\xd8", b"\xda", b"\xff\xd9"


class ImageFiles(Closing):
    """Gives each image once, in order; those it cannot read it names at the end, by raising."""

    live = False
    fps = None  # stills have no rate of their own

    def __init__(self, name: str, paths: Sequence[Path], clock: Clock = time.monotonic_ns) -> None:
        self.name = name
        self._paths = paths
        self._clock = clock

    def __iter__(self) -> Iterator[Frame]:
        """Raise OSError after the last image if any could not be read."""
        unread: list[Exception] = []
        for index, path in enumerate(self._paths):
            started = self._clock()
            try:
                image = read_image(path)
            except (OSError, ValueError) as error:
                unread.append(error)
                continue
            yield Frame(self.name, index, started, image)
        if unread and len(self._paths) == 1:
            raise OSError(str(unread[0]))
        if unread:
            raise OSError(f"{len(unread)} of {len(self._paths)} images unread, first: {unread[0]}")

    def close(self) -> None:
        """Nothing is held between two images."""


def find_images(where: Path) -> list[Path] | None:
    """The images that a folder, glob or image file names, sorted; None if `where` names no images.

    Raises OSError for a folder or a glob without any.
    """
    if where.is_dir():
        found = sorted(p for p in where.iterdir() if p.suffix.lower() in IMAGE_SUFFIXES)
        if not found:
            kinds = " ".join(IMAGE_SUFFIXES)
            raise OSError(f"folder {str(where)!r} has no image in it: wanted one of {kinds}")
        return found
    if where.exists():
        return [where] if where.suffix.lower() in IMAGE_SUFFIXES else None
    if not glob.has_magic(str(where)):
        return None
    # Path.glob takes no absolute pattern.
    matches = glob.glob(str(where), recursive=True)  # noqa: PTH207
    found = sorted(path for path in map(Path, matches) if path.is_file())
    if not found:
        raise OSError(f"no file matches {str(where)!r}: `ls {where}` shows what there is")
    return found


def read_image(path: Path) -> Image:
    """Read (h, w, 3) BGR uint8; raises OSError or ValueError, naming the file and the reason."""
    silence_opencv()
    data = path.read_bytes()
    if not data:
        raise ValueError(f"image {str(path)!r} is empty (0 bytes)")
    if data.startswith(JPEG_START) and not jpeg_is_whole(data):
        raise ValueError(
            f"image {str(path)!r} is cut short: a JPEG without its end ({len(data)} bytes)"
        )
    # 4.10 makes garbage of floats when told to give 8 bits, so the depth is kept and seen below.
    flags = cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH
    try:
        with silent_stderr():
            pixels = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except cv2.error as error:  # too many pixels, for one
        raise ValueError(f"image {str(path)!r} cannot be decoded: {error.err}") from error
    if pixels is None:
        raise ValueError(f"{str(path)!r} is no image that OpenCV can read ({len(data)} bytes)")
    try:
        return bgr_from_any(pixels)
    except ValueError as error:
        raise ValueError(f"{str(path)!r}: {error}") from error


def jpeg_is_whole(data: bytes) -> bool:
    """Whether pixels are followed by an end marker; OpenCV 4 fills what is missing with grey.

    Within the pixels 0xff is always followed by 0 or a restart marker, so the end is unmistakable
    once the headers, which may hold a whole thumbnail, are stepped over (ITU-T T.81, B.1.1).
    """
    at = len(JPEG_START)
    while data[at : at + 1] == b"\xff" and data[at + 1 : at + 2] != JPEG_SCAN:
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return data.find(JPEG_END, at) >= 0
