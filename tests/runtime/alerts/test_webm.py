"""A video is whole after every frame, however its process ends."""

import signal
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from stopline.runtime.arrays import Image
from stopline.runtime.sinks.webm import WebmWriter, finish_killed, is_finished
from tests.conftest import ROOT

WH = (96, 64)


def frame(nth: int) -> Image:
    """A bright bar that has moved with each frame."""
    image = np.full((WH[1], WH[0], 3), 40, np.uint8)
    image[:, 8 * nth % 88 : 8 * nth % 88 + 8] = (40, 200, 250)
    return image


def played(path: Path) -> tuple[list[float], list[Image]]:
    """The moments in seconds, and the frames."""
    capture = cv2.VideoCapture(str(path))
    moments, images = [], []
    while (read := capture.read())[0]:
        moments.append(capture.get(cv2.CAP_PROP_POS_MSEC) / 1000)
        images.append(np.asarray(read[1], np.uint8))
    capture.release()
    return moments, images


def test_frames_come_back_when_they_were_seen(tmp_path: Path) -> None:
    path = tmp_path / "a.webm"
    moments = [100.0, 100.1, 100.5, 103.25]
    with WebmWriter(path, WH) as video:
        for nth, at_s in enumerate(moments):
            video.write(frame(nth), at_s)
    assert is_finished(path)
    back, images = played(path)
    assert back == pytest.approx([0, 0.1, 0.5, 3.25], abs=1e-3)
    for nth, image in enumerate(images):
        assert np.abs(image.astype(int) - frame(nth)).mean() < 8


def test_a_frame_that_is_not_later_is_shown_a_millisecond_later(tmp_path: Path) -> None:
    with WebmWriter(tmp_path / "a.webm", WH) as video:
        for at_s in (5.0, 5.0, 4.0):
            video.write(frame(0), at_s)
    assert played(tmp_path / "a.webm")[0] == pytest.approx([0, 0.001, 0.002])


def test_a_video_is_never_written_over(tmp_path: Path) -> None:
    (tmp_path / "a.webm").write_text("somebody's")
    with pytest.raises(FileExistsError):
        WebmWriter(tmp_path / "a.webm", WH)
    assert is_finished(tmp_path / "a.webm") is None


WRITE_FOR_EVER = """
import sys, time
from pathlib import Path
from stopline.runtime.sinks.webm import WebmWriter
from tests.runtime.alerts.test_webm import WH, frame
video, nth = WebmWriter(Path(sys.argv[1]), WH), 0
while True:
    video.write(frame(nth), nth / 10)
    nth += 1
    print(nth, flush=True)
"""


def test_what_a_killed_process_wrote_plays_to_the_last_frame_and_can_be_finished(
    tmp_path: Path,
) -> None:
    path = tmp_path / "killed.webm"
    process = subprocess.Popen(
        [sys.executable, "-c", WRITE_FOR_EVER, str(path)], stdout=subprocess.PIPE, cwd=ROOT
    )
    try:
        assert process.stdout is not None
        said = [int(process.stdout.readline()) for _ in range(40)]
        with pytest.raises(BlockingIOError):
            finish_killed(path)  # it is being written
    finally:
        process.send_signal(signal.SIGKILL)
        rest = process.communicate(timeout=20)[0].split()
    written = int(rest[-1]) if rest else said[-1]
    assert is_finished(path) is False
    assert written <= len(played(path)[0]) <= written + 1
    assert finish_killed(path)
    assert is_finished(path)
    assert written <= len(played(path)[0]) <= written + 1


@pytest.mark.parametrize("lost", [1, 30, 100])
def test_half_a_frame_at_the_end_is_left_out(tmp_path: Path, lost: int) -> None:
    path = tmp_path / "torn.webm"
    with WebmWriter(tmp_path / "whole.webm", WH) as video:
        for nth in range(10):
            video.write(frame(nth), nth / 10)
        written = video.path.read_bytes()
    path.write_bytes(written[:-lost])
    assert len(played(path)[0]) == 9
    assert finish_killed(path)
    with WebmWriter(tmp_path / "nine.webm", WH) as video:
        for nth in range(9):
            video.write(frame(nth), nth / 10)
    assert path.read_bytes() == video.path.read_bytes(), "as if it had been closed in time"


def test_a_video_without_a_frame_cannot_be_finished(tmp_path: Path) -> None:
    path = tmp_path / "empty.webm"
    with WebmWriter(tmp_path / "whole.webm", WH) as video:
        path.write_bytes(video.path.read_bytes())
    assert is_finished(path) is False
    assert not finish_killed(path)


WRITE_UNTIL_FULL = """
import resource, sys
from pathlib import Path
from stopline.runtime.sinks.webm import WebmWriter
from tests.runtime.alerts.test_webm import WH, frame
resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))  # not before: imports write files too
video = WebmWriter(Path(sys.argv[1]), WH)
for nth in range(1000):
    try:
        video.write(frame(nth), nth / 10)
    except OSError as error:
        print(nth, video.bytes, error)
        break
"""


def test_a_full_disk_is_an_error_and_what_was_written_plays(tmp_path: Path) -> None:
    path = tmp_path / "full.webm"
    ended = subprocess.run(
        [sys.executable, "-c", WRITE_UNTIL_FULL, str(path)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=60,
    )
    written, size, said = ended.stdout.strip().split(" ", 2)
    assert path.stat().st_size == int(size), "nothing of the frame that did not fit"
    assert said == f"cannot write {str(path)!r}: File too large"
    assert int(written) > 5
    assert len(played(path)[0]) == int(written)
