"""A real browser plays the clips, also those whose process was killed."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from stopline.runtime.sinks.webm import WebmWriter, finish_killed
from tests.runtime.alerts.test_webm import WH, frame

CHROMIUM = Path("/usr/bin/chromium")
FRAMES, FPS = 15, 10

PLAY = """async (name) => {
  const video = document.createElement("video");
  video.muted = true;
  const over = new Promise((resolve) => {
    video.onended = () => resolve("ended");
    video.onerror = () => resolve(video.error.message);
    setTimeout(() => resolve("still playing"), 15000);
  });
  video.src = name;
  document.body.append(video);
  await video.play().catch(() => {});
  const how = await over;
  const frames = video.getVideoPlaybackQuality().totalVideoFrames;
  return [how, frames, video.videoWidth, video.videoHeight, video.duration];
}"""


class Quiet(SimpleHTTPRequestHandler):
    """Says nothing of what it is asked for."""

    def log_message(self, format: str, *words: Any) -> None:
        pass


@contextmanager
def served(folder: Path) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def three_videos(folder: Path) -> None:
    """One that was closed, one as a killed process leaves it, and that one finished later."""
    with WebmWriter(folder / "closed.webm", WH) as video:
        for nth in range(FRAMES):
            video.write(frame(nth), nth / FPS)
        torn = video.path.read_bytes()[:-40]
    (folder / "killed.webm").write_bytes(torn)
    (folder / "mended.webm").write_bytes(torn)
    assert finish_killed(folder / "mended.webm")


@pytest.mark.journey
def test_chromium_plays_every_frame_of_closed_killed_and_mended_videos(tmp_path: Path) -> None:
    playwright = pytest.importorskip("playwright.sync_api")
    if not CHROMIUM.is_file():
        pytest.skip("no chromium: `make journeys` installs it")
    three_videos(tmp_path)
    (tmp_path / "index.html").write_text("<body></body>")
    (tmp_path / "broken.webm").write_bytes(b"no video at all")
    arguments = ["--no-sandbox", "--autoplay-policy=no-user-gesture-required"]
    with served(tmp_path) as url, playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=str(CHROMIUM), args=arguments)
        page = browser.new_page()
        page.goto(url)
        closed, killed, mended = (
            page.evaluate(PLAY, f"{name}.webm") for name in ("closed", "killed", "mended")
        )
        broken = page.evaluate(PLAY, "broken.webm")
        browser.close()
    assert closed == ["ended", FRAMES, *WH, pytest.approx(FRAMES / FPS)]
    assert killed[:4] == ["ended", FRAMES - 1, *WH]
    assert mended == ["ended", FRAMES - 1, *WH, pytest.approx((FRAMES - 1) / FPS)]
    assert broken[0] not in ("ended", "still playing")
