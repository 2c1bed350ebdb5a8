"""`stopline run` in real processes: what it writes, how it ends, and what it says of bad input."""

import json
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socket import create_server
from typing import Any

import cv2
import pytest

from tests.runtime.clips import grey, noisy_clip, write_clip
from tests.runtime.small_disk import small_disk
from tests.runtime.tiny import red_square

RUN = [sys.executable, "-m", "stopline", "run"]


@pytest.fixture(scope="module")
def long_clip(tmp_path_factory: pytest.TempPathFactory) -> str:
    """So long that nobody waits for its end: minutes."""
    images = [red_square((64, 96), (8, 8, 16, 16))] * 100
    return str(write_clip(tmp_path_factory.mktemp("clip") / "long.mp4", images, fps=0.5))


def run(tiny: str, *arguments: str, **options: Any) -> "subprocess.CompletedProcess[str]":
    command = [*RUN, tiny, "--backend", "onnxruntime", "--threads", "1", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, **options)


def started(tiny: str, *arguments: str) -> "subprocess.Popen[str]":
    command = [*RUN, tiny, "--backend", "onnxruntime", "--threads", "1", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def lines_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def frames_in(path: Path) -> int:
    capture = cv2.VideoCapture(str(path))
    count = 0
    while capture.grab():
        count += 1
    capture.release()
    return count


def assert_one_clear_line(ended: "subprocess.CompletedProcess[str]", reason: str) -> None:
    assert ended.returncode == 1, ended
    [line] = ended.stderr.splitlines()
    assert line.startswith("stopline: ")
    assert reason in line


def test_a_file_is_detected_in_recorded_and_summed_up(tiny: str, tmp_path: Path) -> None:
    images = [red_square((64, 96), (8 * i, 8, 8 * i + 8, 16)) for i in range(10)]
    clip = write_clip(tmp_path / "clip.mp4", images)
    out, video = tmp_path / "out.jsonl", tmp_path / "out.mp4"
    ended = run(tiny, "--source", str(clip), "--json", str(out), "--record", str(video))
    assert ended.returncode == 0, ended.stderr
    assert ended.stderr == ""
    lines = lines_of(out)
    assert [line["index"] for line in lines] == [*range(10), None]
    assert [line["state"] for line in lines] == ["LIVE"] * 10 + ["ENDED"]
    assert lines[3]["detections"][0]["class"] == "red"
    assert lines[3]["detections"][0]["box"] == [24, 8, 32, 16]
    assert frames_in(video) == 10
    assert "tiny-red fp32 on onnxruntime" in ended.stdout
    assert f"{clip}: 10 frames" in ended.stdout
    assert "seen: red in 10" in ended.stdout
    assert f"written: {out}, {video}" in ended.stdout


def test_json_on_standard_output_is_nothing_but_json(tiny: str, tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "1.png"), red_square((64, 96), (8, 8, 16, 16)))
    ended = run(tiny, "--source", str(tmp_path), "--json", "-")
    assert ended.returncode == 0
    assert [json.loads(line)["state"] for line in ended.stdout.splitlines()] == ["LIVE", "ENDED"]
    assert "1 frames" in ended.stderr
    quiet = run(tiny, "--source", str(tmp_path), "--json", "-", "--quiet", "--min-score", "1")
    assert json.loads(quiet.stdout.splitlines()[0])["detections"] != []
    assert quiet.stderr == ""


def test_several_sources_and_a_limit_of_frames(tiny: str, long_clip: str, tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "1.png"), grey(0))
    ended = run(tiny, "--source", long_clip, "--source", str(tmp_path / "1.png"), "--frames", "7")
    assert ended.returncode == 0
    assert f"{long_clip}: 6 frames" in ended.stdout


def test_seconds_end_a_run_even_while_no_frame_comes(tiny: str, long_clip: str) -> None:
    began = time.monotonic()
    ended = run(tiny, "--source", long_clip, "--realtime", "--seconds", "0.7")
    assert ended.returncode == 0, ended.stderr
    assert time.monotonic() - began < 20
    assert f"{long_clip}: 1 frames, 0 dropped, LIVE" in ended.stdout


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("empty.mp4", b"", "is empty (0 bytes)"),
        ("text.mp4", b"hello\n" * 100, "is a text file"),
        ("noise.mp4", bytes(range(256)) * 40, "no video that OpenCV can read"),
        ("empty.png", b"", "is empty (0 bytes)"),
        ("text.png", b"hello\n" * 100, "no image that OpenCV can read"),
    ],
)
def test_a_file_that_is_not_what_it_is_called(
    tiny: str, tmp_path: Path, name: str, data: bytes, reason: str
) -> None:
    (tmp_path / name).write_bytes(data)
    assert_one_clear_line(run(tiny, "--quiet", "--source", str(tmp_path / name)), reason)


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("nowhere.mp4", "no file 'nowhere.mp4'"),
        ("nowhere*.png", "no file matches 'nowhere*.png'"),
        ("/dev/video97", "no camera /dev/video97: `v4l2-ctl --list-devices` lists the cameras"),
        ("97", "no camera /dev/video97"),
        ("gopher://road", "has a scheme nobody knows"),
        ("csi://left", "wanted csi://0"),
        ("rtsp://me:secret@127.0.0.1:9/front", "rtsp://me:…@127.0.0.1:9/front: Connection refused"),
    ],
)
def test_a_source_that_is_not_there(tiny: str, source: str, reason: str) -> None:
    ended = run(tiny, "--quiet", "--source", source)
    assert_one_clear_line(ended, reason)
    assert "secret" not in ended.stderr


def test_a_pipeline_with_an_end_of_its_own_says_where_to_get_gstreamer(tiny: str) -> None:
    if cv2.videoio_registry.hasBackend(cv2.CAP_GSTREAMER):
        pytest.skip("this OpenCV has GStreamer")
    ended = run(tiny, "--quiet", "--source", "gst:videotestsrc ! videoconvert ! appsink")
    assert_one_clear_line(ended, "apt install python3-opencv")


def test_a_folder_without_images_and_a_pipe_are_refused(tiny: str, tmp_path: Path) -> None:
    ended = run(tiny, "--quiet", "--source", str(tmp_path))
    assert_one_clear_line(ended, "has no image in it")
    os.mkfifo(tmp_path / "pipe")
    ended = run(tiny, "--quiet", "--source", str(tmp_path / "pipe"))
    assert_one_clear_line(ended, "neither a file nor a folder")


def test_a_truncated_video_is_not_a_success(tiny: str, tmp_path: Path) -> None:
    whole = noisy_clip(tmp_path / "whole.avi", 30).read_bytes()
    (tmp_path / "cut.avi").write_bytes(whole[: len(whole) // 2])
    out = tmp_path / "out.jsonl"
    ended = run(tiny, "--quiet", "--source", str(tmp_path / "cut.avi"), "--json", str(out))
    assert_one_clear_line(ended, "of 30 frames read")
    lines = lines_of(out)
    assert len(lines) > 5
    assert [line["state"] for line in lines[-2:]] == ["LIVE", "LOST"]


def test_a_mistyped_source_does_not_empty_the_results_of_before(tiny: str, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    out.write_text("what was found yesterday")
    assert run(tiny, "--source", "nowhere.mp4", "--json", str(out)).returncode == 1
    assert out.read_text() == "what was found yesterday"


@pytest.mark.parametrize(
    "wrong", [["--backend", "tpu"], ["--frames", "0"], ["--min-score", "2"], ["--precision", "x"]]
)
def test_wrong_usage_exits_with_2(tiny: str, wrong: list[str]) -> None:
    command = [*RUN, tiny, "--source", "0", *wrong]
    assert subprocess.run(command, capture_output=True, timeout=60).returncode == 2


class _Page(BaseHTTPRequestHandler):
    """A page that is there, and no video; anything else is not there."""

    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/page" else 404)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<html>no video</html>")

    def log_message(self, format: str, *arguments: object) -> None:
        """Say nothing."""


@pytest.fixture
def web() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("path", ["/page", "/missing"])
def test_a_web_page_is_no_camera(tiny: str, web: str, path: str, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    ended = run(tiny, "--quiet", "--source", web + path, "--json", str(out))
    assert_one_clear_line(ended, f"no video at {web}{path}")
    assert [line["state"] for line in lines_of(out)] == ["LOST"]


def test_ctrl_c_while_a_server_says_nothing_ends_at_once(tiny: str, tmp_path: Path) -> None:
    with create_server(("127.0.0.1", 0)) as silent:
        source = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        child = started(tiny, "--quiet", "--source", source)
        connection, _ = silent.accept()
        with connection:
            child.send_signal(signal.SIGINT)
            began = time.monotonic()
            _, errors = child.communicate(timeout=30)
    assert time.monotonic() - began < 5
    assert child.returncode == 1
    assert errors == f"stopline: camera {source!r} was CONNECTING when the run ended\n"


@pytest.mark.parametrize("signal_number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_in_the_middle_of_recording_leaves_whole_files(
    tiny: str, tmp_path: Path, signal_number: signal.Signals
) -> None:
    clip = write_clip(tmp_path / "clip.mp4", [grey(90)] * 2000)
    out, video = tmp_path / "out.jsonl", tmp_path / "out.mp4"
    child = started(tiny, "--source", str(clip), "--json", str(out), "--record", str(video))
    deadline = time.monotonic() + 30
    while not out.exists() or out.read_bytes().count(b"\n") < 20:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    child.send_signal(signal_number)
    _, errors = child.communicate(timeout=30)
    assert child.returncode == 128 + signal_number
    assert errors == f"stopline: stopped by {signal_number.name}\n"
    lines = lines_of(out)
    assert 20 <= len(lines) < 2000
    assert frames_in(video) == len(lines)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["clip.mp4", "out.jsonl", "out.mp4"]


def test_a_live_camera_stopped_by_a_signal_did_what_it_should(tiny: str, tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mp4", [grey(90)] * 2000)
    child = started(tiny, "--source", str(clip), "--realtime", "--json", "-", "--quiet")
    assert child.stdout is not None
    child.stdout.readline()
    child.send_signal(signal.SIGTERM)
    _, errors = child.communicate(timeout=30)
    assert (child.returncode, errors) == (0, "")


def test_a_reader_that_goes_away_ends_the_run_without_a_word(tiny: str, long_clip: str) -> None:
    child = started(tiny, "--source", long_clip, "--realtime", "--json", "-", "--quiet")
    assert child.stdout is not None
    assert child.stderr is not None
    child.stdout.readline()
    child.stdout.close()
    child.send_signal(signal.SIGCONT)
    assert child.stderr.read() == ""
    child.stderr.close()
    assert child.wait(30) == 1


def limited(size: int) -> Any:
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def test_a_recording_that_cannot_grow_is_one_clear_line_and_leaves_what_there_is(
    tiny: str, tmp_path: Path
) -> None:
    clip = noisy_clip(tmp_path / "clip.avi", 60, (240, 320))
    video = tmp_path / "out.mp4"
    arguments = ["--quiet", "--source", str(clip), "--record", str(video)]
    # What Python compiles as it imports is no larger than allowed either, and would be cut off.
    compiles_nothing = os.environ | {"PYTHONDONTWRITEBYTECODE": "1"}
    ended = run(tiny, *arguments, preexec_fn=limited(200_000), env=compiles_nothing)
    assert_one_clear_line(ended, "is it full?" if "reached" in ended.stderr else "disk full?")
    assert sorted(file.name for file in tmp_path.iterdir()) == ["clip.avi", "out.partial.mp4"]


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "disk", 18 * 1024) as folder:
        yield folder


def test_a_disk_that_fills_while_recording_leaves_a_whole_video_of_what_fitted(
    tiny: str, tmp_path: Path, disk: Path
) -> None:
    clip = noisy_clip(tmp_path / "clip.avi", 200, (240, 320))
    video, out = disk / "out.mp4", disk / "out.jsonl"
    files = ["--record", str(video), "--json", str(out)]
    ended = run(tiny, "--quiet", "--source", str(clip), *files)
    assert_one_clear_line(ended, f"no room to record {str(video)!r}: 15 MiB free, wanted 16")
    assert 10 < frames_in(video) < 200
    assert len(lines_of(out)) == frames_in(video) + 1
    (disk / "filler").write_bytes(bytes(10 << 20))
    assert_one_clear_line(run(tiny, "--quiet", "--source", str(clip), *files), "no room to record")


@pytest.mark.data
def test_a_real_clip_gives_all_its_frames(tiny: str, data_pack: Path, tmp_path: Path) -> None:
    clip, out = data_pack / "video" / "bikes.mp4", tmp_path / "out.jsonl"
    assert run(tiny, "--source", str(clip), "--json", str(out)).returncode == 0
    assert [line["index"] for line in lines_of(out)] == [*range(250), None]
