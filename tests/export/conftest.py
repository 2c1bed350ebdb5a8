"""Real files and images for the tests of export."""

from pathlib import Path

import pytest

from stopline.export.families import Recognised, recognised
from stopline.export.raw import read_raw
from stopline.runtime.arrays import Image
from stopline.runtime.cameras.image_files import read_image
from tests.export.tiny import TinyYolox, tiny_detector


@pytest.fixture(scope="session")
def tiny() -> Recognised:
    """Traced once: it takes seconds."""
    return tiny_detector(TinyYolox())


@pytest.fixture(scope="session")
def yolox_file(data_pack: Path) -> Path:
    return data_pack / "weights" / "yolox" / "yolox_nano_coco_416.onnx"


@pytest.fixture(scope="session")
def fastestdet_file(data_pack: Path) -> Path:
    return data_pack / "weights" / "fastestdet" / "FastestDet.onnx"


@pytest.fixture(scope="session")
def yolox(yolox_file: Path) -> Recognised:
    return recognised(read_raw(yolox_file))


@pytest.fixture(scope="session")
def fastestdet(fastestdet_file: Path) -> Recognised:
    return recognised(read_raw(fastestdet_file))


@pytest.fixture(scope="session")
def photos(data_pack: Path) -> list[Image]:
    """Eight street scenes."""
    found = sorted((data_pack / "images" / "camvid" / "images").glob("*.jpg"))
    return [read_image(path) for path in found[:: len(found) // 8][:8]]
