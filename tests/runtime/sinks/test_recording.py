"""An annotated video is whole under its name, and plays however its process ended."""

import signal
import subprocess
import sys
import threading
from pathlib import Path

import cv2
import numpy as np
import pytest

from stopline.runtime.arrays import Image
from stopline.runtime.detections import Detections
from stopline.runtime.events import SinkTrouble
from stopline.runtime.frame import CameraState, Frame, Result
from stopline.runtime.sinks.behind import SETTLED_NS, Behind
from stopline.runtime.sinks.draw import PALETTE, SLATE, drawn
from stopline.runtime.sinks.recording import (
    LONGEST_GAP_S,
    RESERVE_BYTES,
    Recorder,
    Recording,
)
from stopline.runtime.sinks.video_writer import VideoWriter, fragment_end
from tests.runtime.clips import grey, until
from tests.runtime.small_disk import small_disk

NAMES = ("person", "stop sign")
SECOND = 1_000_000_000
PROJECT = Path(__file__).parents[3]


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


RECORD_AND_DIE = """
import os, signal, sys, time
from pathlib import Path
from stopline.runtime.sinks.recording import Recording
from tests.runtime.clips import grey
from tests.runtime.sinks.test_recording import seen
recording = Recording(Path(sys.argv[1]), fps=25, live=False)
for index in range(int(sys.argv[2])):
    recording.write(seen(grey(100, (90, 120)), index))
    time.sleep(0.01)  # the pace of a camera of 100 frames a second
os.kill(os.getpid(), signal.SIGKILL)
"""


def killed_while_recording(path: Path, frames: int) -> None:
    command = [sys.executable, "-c", RECORD_AND_DIE, str(path), str(frames)]
    killed = subprocess.run(command, cwd=PROJECT, capture_output=True, timeout=60, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()


def test_a_killed_process_leaves_a_video_that_plays_and_lacks_half_a_second(
    tmp_path: Path,
) -> None:
    path = tmp_path / "out.mp4"
    killed_while_recording(path, 100)
    assert [file.name for file in tmp_path.iterdir()] == ["out.partial.mp4"]
    images = played(tmp_path / "out.partial.mp4")
    assert 100 - 2 * 12 <= len(images) < 100  # one fragment was begun, another perhaps on its way
    assert abs(images[-1][80, 100].astype(int) - 100).max() < 10


def test_what_a_killed_process_left_is_not_written_over(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    for _ in range(2):
        killed_while_recording(path, 30)
    with Recording(path, fps=25, live=False) as recording:
        recording.write(seen(grey(0)))
    kept = ["out.cut-1.mp4", "out.cut-2.mp4", "out.mp4"]
    assert sorted(file.name for file in tmp_path.iterdir()) == kept
    assert all(played(tmp_path / name) for name in kept)


def test_on_a_full_disk_the_video_plays_and_goes_on_when_there_is_room(tmp_path: Path) -> None:
    chance, told = np.random.default_rng(0), list[SinkTrouble]()
    noise = [chance.integers(0, 255, (360, 640, 3), np.uint8) for _ in range(10)]
    now = [0]
    with small_disk(tmp_path / "disk", 24 * 1024) as disk:
        path = disk / "out.mp4"
        ballast = disk / "ballast"
        ballast.write_bytes(bytes(24 * 2**20 - RESERVE_BYTES - 2 * 2**20))
        recorder = Recorder(path, ["front"], lambda camera: (False, 25))
        sink = Behind(recorder, 1000, clock=lambda: now[0], on_trouble=told.append)
        for index in range(200):
            sink.write(seen(noise[index % 10], index))
        until(lambda: sink.counters.written + sink.counters.lost == 200, within_s=30)
        held = sink.counters.written
        assert 15 < held < 200
        assert "no room to record" in str(told[0].error)
        assert len(played(disk / "out.partial.mp4")) >= held - 2 * 12
        ballast.unlink()
        now[0] += 10 * SETTLED_NS
        for index in range(30):
            sink.write(seen(noise[index % 10], index))
        sink.close(10)
        assert [(event.error, event.lost) for event in told[1:]] == [(None, 200 - held)]
        assert len(played(path)) == held + 30
        assert sorted(file.name for file in disk.iterdir()) == ["out.mp4"]


def test_the_time_of_a_full_disk_is_a_slate_and_not_what_was_seen_before(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 20 * 1024) as disk:
        path, ballast = disk / "out.mp4", disk / "ballast"
        recording = Recording(path, fps=10, live=True)
        for index in range(15):
            recording.write(seen(grey(200, (90, 120)), index, index * SECOND // 10))
        ballast.write_bytes(bytes(8 << 20))
        with pytest.raises(OSError, match="no room to record"):
            recording.write(seen(grey(200, (90, 120)), 15, 15 * SECOND // 10))
        ballast.unlink()
        recording.write(seen(grey(200, (90, 120)), 30, 3 * SECOND))
        recording.close()
        brightness = [int(image[80, 100].mean()) for image in played(path)]
    assert len(brightness) == 31
    assert all(value > 180 for value in brightness[:15] + brightness[30:])
    assert all(value < 70 for value in brightness[15:30])


def test_a_fragment_that_the_disk_does_not_take_is_left_out_whole_and_the_next_are_tried(
    tmp_path: Path,
) -> None:
    chance = np.random.default_rng(0)

    def noise() -> Image:
        return chance.integers(0, 255, (240, 320, 3), np.uint8)

    with small_disk(tmp_path / "disk", 4096) as disk:
        path, ballast = disk / "out.mp4", disk / "ballast"
        ballast.write_bytes(bytes(2 << 20))
        writer = VideoWriter(path, 25, (320, 240))
        with pytest.raises(OSError, match="No space left on device"):
            for _ in range(2000):
                writer.write(noise())
        before = len(played(path))
        assert before > 0
        assert_whole(path)
        ballast.unlink()
        until(lambda: writes(writer, noise()))
        for _ in range(24):
            writer.write(grey(77, (240, 320)))
        with pytest.raises(OSError, match=r"lacks \d+ pieces: was the disk full"):
            writer.close()
        images = played(path)
        assert len(images) >= before + 24
        assert_whole(path)
        assert abs(int(images[-1].mean()) - 77) < 8
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("video")]


def test_of_a_video_whose_first_fragment_has_no_room_no_file_remains(tmp_path: Path) -> None:
    chance = np.random.default_rng(0)
    with small_disk(tmp_path / "disk", 8) as disk:
        recording = VideoWriter(disk / "out.mp4", 25, (320, 240))
        with pytest.raises(OSError, match="No space left on device"):
            for _ in range(100):
                recording.write(chance.integers(0, 255, (240, 320, 3), np.uint8))
        with pytest.raises(OSError, match=r"No space left on device|lacks"):
            recording.close()
        assert list(disk.iterdir()) == []


def assert_whole(path: Path) -> None:
    data = path.read_bytes()
    while end := fragment_end(data):
        data = data[end:]
    assert data[4:8] in (b"", b"mfra")


def writes(writer: VideoWriter, image: Image) -> bool:
    try:
        writer.write(image)
    except OSError:
        return False
    return True


def test_a_fragment_ends_where_its_frames_do() -> None:
    header = box(b"ftyp", 20) + box(b"moov", 100)
    fragment = box(b"moof", 60) + box(b"mdat", 1000)
    assert fragment_end(b"") == fragment_end(header[:-1]) == fragment_end(fragment[:-1]) == 0
    assert fragment_end(header + fragment) == len(header)
    assert fragment_end(fragment + fragment) == len(fragment)
    large = b"\0\0\0\1mdat" + (24).to_bytes(8, "big") + bytes(8)
    assert fragment_end(large) == 24
    assert fragment_end(bytes(100)) == 0


def box(kind: bytes, content: int) -> bytes:
    return (8 + content).to_bytes(4, "big") + kind + bytes(content)


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
