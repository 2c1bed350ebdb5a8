"""An annotated video is whole under its name, or is not there."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from stopline.runtime.arrays import Image
from stopline.runtime.detections import Detections
from stopline.runtime.frame import CameraState, Frame, Result
from stopline.runtime.sinks.draw import PALETTE, SLATE, drawn
from stopline.runtime.sinks.recording import LONGEST_GAP_S, Recorder, Recording
from tests.runtime.clips import grey

NAMES = ("person", "stop sign")
SECOND = 1_000_000_000


def seen(image: Image, index: int = 0, captured_ns: int = 0) -> Result:
    box = np.array([[8, 30, 40, 60]], np.float32)
    found = Detections(box, np.array([0.9], np.float32), np.array([1]), NAMES)
    frame = Frame("front", index, captured_ns, image)
    return Result("front", CameraState.LIVE, frame, found, age_ns=5_000_000)


LOST = Result("front", CameraState.LOST, None, Detections.none(NAMES))


def played(path: Path) -> list[Image]:
    capture = cv2.VideoCapture(str(path))
    images = []
    while (read := capture.read())[0]:
        images.append(np.asarray(read[1], np.uint8))
    capture.release()
    return images


def test_the_video_has_every_frame_of_a_file_with_its_boxes(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    recording = Recording(path, fps=25, live=False)
    for index in range(10):
        recording.write(seen(grey(100, (90, 120)), index))
    assert not path.exists()
    recording.close()
    images = played(path)
    assert len(images) == 10
    assert images[0].shape == (90, 120, 3)
    left_edge = images[-1][45, 5:12].astype(int)
    assert abs(left_edge - 100).max() > 50
    assert [file.name for file in tmp_path.iterdir()] == ["out.mp4"]


def test_a_camera_that_changes_its_size_or_is_tiny_is_still_recorded(tmp_path: Path) -> None:
    recording = Recording(tmp_path / "out.mp4", fps=25, live=False)
    for hw in [(91, 121), (60, 200), (1, 1), (300, 10)]:
        recording.write(seen(grey(100, hw)))
    recording.close()
    assert [image.shape for image in played(tmp_path / "out.mp4")] == [(92, 122, 3)] * 4
    tiny = Recording(tmp_path / "tiny.mp4", fps=25, live=False)
    tiny.write(seen(grey(100, (1, 1))))
    tiny.close()
    assert len(played(tmp_path / "tiny.mp4")) == 1


def test_a_live_video_lasts_as_long_as_what_it_shows_and_slates_what_nobody_saw(
    tmp_path: Path,
) -> None:
    now = [0]
    recording = Recording(tmp_path / "out.mp4", fps=10, live=True, clock=lambda: now[0])
    recording.write(seen(grey(200, (90, 120)), 0, 0))
    recording.write(seen(grey(200, (90, 120)), 1, SECOND // 2))
    now[0] = SECOND
    recording.write(LOST)
    recording.write(seen(grey(200, (90, 120)), 2, 2 * SECOND))
    recording.close()
    brightness = [int(image[80, 100].mean()) for image in played(tmp_path / "out.mp4")]
    assert len(brightness) == 21
    assert all(value > 180 for value in brightness[:10] + brightness[20:])
    assert all(value < 70 for value in brightness[10:20])


def test_frames_faster_than_the_video_do_not_stretch_it(tmp_path: Path) -> None:
    recording = Recording(tmp_path / "out.mp4", fps=10, live=True)
    for index in range(100):
        recording.write(seen(grey(0), index, index * SECOND // 100))
    recording.close()
    assert len(played(tmp_path / "out.mp4")) in (10, 11)


def test_a_silence_of_hours_does_not_fill_the_disk_with_slates(tmp_path: Path) -> None:
    recording = Recording(tmp_path / "out.mp4", fps=5, live=True)
    recording.write(seen(grey(0), 0, 0))
    recording.write(seen(grey(0), 1, 3600 * SECOND))
    recording.write(seen(grey(0), 2, 3601 * SECOND))
    recording.close()
    assert len(played(tmp_path / "out.mp4")) == 2 + round(5 * (LONGEST_GAP_S + 1))


def test_several_cameras_get_a_video_each_and_a_silent_one_none(tmp_path: Path) -> None:
    with Recorder(tmp_path / "o.mp4", ["front", "rear"], lambda camera: (False, 25)) as recorder:
        recorder.write(LOST)
        recorder.write(seen(grey(0)))
    assert recorder.finished == [tmp_path / "o-1.mp4"]
    assert [file.name for file in tmp_path.iterdir()] == ["o-1.mp4"]


def test_a_video_whose_frames_did_not_reach_the_disk_is_removed(tmp_path: Path) -> None:
    recording = Recording(tmp_path / "out.mp4", fps=25, live=False)
    for _ in range(5):
        recording.write(seen(grey(0)))
    [partial] = tmp_path.iterdir()
    partial.unlink()
    partial.write_bytes(b"what a full disk leaves")
    with pytest.raises(OSError, match="0 of 5 frames reached the disk"):
        recording.close()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "reason"), [("out.avi", "ends in .mp4"), ("nowhere/out.mp4", "mkdir -p")]
)
def test_a_place_where_no_mp4_can_be_is_refused_at_once(
    tmp_path: Path, name: str, reason: str
) -> None:
    with pytest.raises((OSError, ValueError), match=reason):
        Recorder(tmp_path / name, ["front"], lambda camera: (True, None))


def test_drawing_leaves_the_frame_as_it_was_and_a_slate_shows_no_frame() -> None:
    image = grey(100, (90, 120))
    picture = drawn(seen(image))
    assert (image == 100).all()
    assert (picture == PALETTE[1]).all(-1).any()
    slate = drawn(LOST, (120, 90))
    assert slate.shape == (90, 120, 3)
    assert (slate[-1] == SLATE).all()


def test_a_box_beyond_the_edge_is_drawn_as_far_as_it_is_seen() -> None:
    result = seen(grey(0, (20, 20)))
    assert drawn(result).shape == (20, 20, 3)
