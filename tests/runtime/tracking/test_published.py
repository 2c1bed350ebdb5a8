"""What is fed to the tracker is more than what is told."""

from pathlib import Path

import numpy as np
import pytest

from stopline.runtime.arrays import Image
from stopline.runtime.detections import Detections
from stopline.runtime.detector import Detector, DetectorSettings
from stopline.runtime.tracking.published import least_of, published
from tests.runtime.tiny import TINY_HW, red_square, tiny_bundle

NAMES = ("person", "car")


def found(*scores: float, classes: tuple[int, ...] = ()) -> Detections:
    """Boxes beside each other."""
    boxes = np.array([(50 * n, 0, 50 * n + 40, 40) for n in range(len(scores))], np.float32)
    of = np.array(classes or (0,) * len(scores), np.int64)
    return Detections(boxes.reshape(-1, 4), np.array(scores, np.float32), of, NAMES)


def test_nothing_found_is_nothing_told() -> None:
    assert len(published(found(), least_of(NAMES, 0.3))) == 0


def test_only_what_reaches_its_class_is_told() -> None:
    least = least_of(NAMES, 0.3, {"car": 0.6})
    told = published(found(0.9, 0.5, 0.5, 0.2, classes=(1, 1, 0, 0)), least)
    assert told.scores.tolist() == pytest.approx([0.9, 0.5])
    assert told.classes.tolist() == [1, 0]
    assert told.boxes[:, 0].tolist() == [0, 100]


def test_a_class_that_there_is_not_is_refused() -> None:
    with pytest.raises(ValueError, match="no class tram: wanted some of person, car"):
        least_of(NAMES, 0.3, {"tram": 0.5})


def a_red_and_a_pink_square() -> Image:
    """Scores of 1 and of 0.2, of which the bundle tells the first."""
    image = red_square(TINY_HW, (0, 0, 8, 8))
    image[32:40, 32:40] = (102, 102, 153)
    return image


def test_a_lower_score_asked_for_only_adds_to_what_is_found(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    with Detector(
        tiny_bundle(tmp_path / "t"), settings=DetectorSettings("onnxruntime")
    ) as detector:
        image = a_red_and_a_pink_square()
        [usual], _ = detector.detect([image])
        [more], _ = detector.detect([image], 0.1)
        assert usual.scores.tolist() == pytest.approx([1.0])
        assert more.scores.tolist() == pytest.approx([1.0, 0.2])
        np.testing.assert_array_equal(more.boxes[:1], usual.boxes)
        assert len(detector(image)) == 1
        assert [len(one) for one in detector.each([image, image])] == [1, 1]
