"""A video gives all its frames; one that is not all there says so."""

from pathlib import Path

import cv2
import pytest

from stopline.runtime.cameras.camera import open_camera
from stopline.runtime.cameras.container import missing_bytes
from stopline.runtime.cameras.realtime import AtItsOwnRate
from stopline.runtime.cameras.video_file import VideoFile
from stopline.runtime.frame import Frame
from tests.runtime.clips import grey, noisy_clip, write_clip


def test_every_frame_comes_in_order_with_its_time(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mp4", [grey(5 * i) for i in range(40)], fps=25)
    clock = iter(range(100, 1000))
    with VideoFile(clip, lambda: next(clock)) as video:
        frames = list(video)
    assert (video.live, video.fps, video.name) == (False, 25, str(clip))
    assert [frame.index for frame in frames] == list(range(40))
    assert [frame.captured_ns for frame in frames] == list(range(100, 140))
    assert all(abs(int(f.image[20, 20, 0]) - 5 * f.index) < 6 for f in frames)


@pytest.mark.parametrize("kind", ["avi", "mkv"])
def test_a_truncated_video_gives_what_it_has_and_then_an_error(tmp_path: Path, kind: str) -> None:
    whole = noisy_clip(tmp_path / f"whole.{kind}", 30).read_bytes()
    (tmp_path / f"cut.{kind}").write_bytes(whole[: len(whole) // 2])
    frames: list[Frame] = []
    with pytest.raises(OSError, match=r"cut short: \d+ of 30 frames read"):
        frames.extend(open_camera(tmp_path / f"cut.{kind}"))
    assert 3 < len(frames) < 30


@pytest.mark.parametrize("kind", ["avi", "mkv"])
def test_how_many_bytes_are_missing_is_known(tmp_path: Path, kind: str) -> None:
    clip = noisy_clip(tmp_path / f"clip.{kind}", 30)
    assert missing_bytes(clip) == 0
    clip.write_bytes(clip.read_bytes()[:-1000])
    assert missing_bytes(clip) == 1000


@pytest.mark.parametrize("left", [0.5, 0.97])
def test_a_video_cut_before_its_index_says_why_nothing_can_be_read(
    tmp_path: Path, left: float
) -> None:
    clip = noisy_clip(tmp_path / "clip.mov", 30)
    whole = clip.read_bytes()
    assert missing_bytes(clip) == 0
    clip.write_bytes(whole[: int(len(whole) * left)])
    with pytest.raises(OSError, match=r"clip\.mov' is cut short, no frame can be read"):
        open_camera(clip)


def test_a_video_that_lost_only_its_last_bytes_is_cut_short_too(tmp_path: Path) -> None:
    whole = noisy_clip(tmp_path / "whole.avi", 30).read_bytes()
    (tmp_path / "cut.avi").write_bytes(whole[:-10])
    with pytest.raises(OSError, match="10 bytes missing"):
        list(open_camera(tmp_path / "cut.avi"))


def test_a_clip_trimmed_without_encoding_it_again_is_whole(tmp_path: Path) -> None:
    data = bytearray(write_clip(tmp_path / "clip.mp4", [grey(9)] * 30, fps=30).read_bytes())
    # The edit list says which part is shown: half a second of it, of a file that holds one.
    at = data.find(b"elst") + 12
    duration = int.from_bytes(data[at : at + 4], "big")
    data[at : at + 4] = (duration // 2).to_bytes(4, "big")
    (tmp_path / "trimmed.mp4").write_bytes(data)
    assert 14 <= len(list(open_camera(tmp_path / "trimmed.mp4"))) <= 16


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("empty.mp4", b"", "is empty"),
        ("text.mp4", b"hello\n" * 1000, "is a text file"),
        ("notes.txt", "Straße\n".encode() * 1000, "is a text file"),
        ("noise.mp4", bytes(range(256)) * 40, "no video that OpenCV can read"),
        ("zeros.avi", bytes(10_000), "no video that OpenCV can read"),
    ],
)
def test_a_file_that_is_no_video_is_refused_in_silence(
    tmp_path: Path, name: str, data: bytes, reason: str, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(OSError, match=reason):
        open_camera(tmp_path / name)
    assert capfd.readouterr().err == ""


def test_a_file_that_is_not_there_is_refused_with_what_a_source_can_be() -> None:
    with pytest.raises(OSError, match=r"no file 'nowhere\.mp4': a source is a camera index"):
        open_camera("nowhere.mp4")


def test_a_device_that_is_no_camera_is_not_read_for_ever() -> None:
    with pytest.raises(OSError, match="neither a file nor a folder"):
        open_camera("/dev/zero")


def test_a_file_in_real_time_is_live_and_never_early(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mp4", [grey(9)] * 5, fps=25)
    now = [7]
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        now[0] += round(seconds * 1e9)

    with AtItsOwnRate(VideoFile(clip), lambda: now[0], sleep) as camera:
        frames = list(camera)
    assert camera.live
    assert camera.fps == 25
    assert slept == pytest.approx([0.04] * 4)
    assert [f.captured_ns for f in frames] == [7 + 40_000_000 * i for i in range(5)]


def test_a_late_reader_does_not_make_a_file_in_real_time_sleep(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mp4", [grey(9)] * 3, fps=25)
    clock = iter(range(0, 10**12, 10**9))

    def sleep(seconds: float) -> None:
        raise AssertionError("it is late already")

    assert len(list(AtItsOwnRate(VideoFile(clip), lambda: next(clock), sleep))) == 3


def test_images_have_no_rate_to_be_played_at(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "1.png"), grey(0))
    with pytest.raises(ValueError, match="omit --realtime"):
        open_camera(tmp_path, realtime=True)
