"""The pictures of docs/view.md: `python benchmarks/view_pictures.py docs/img` (Chromium needed).

A real `stopline run --view` on two simulated streets, one of which is lost after a while, in a
headless browser that draws a zone; nothing in the pictures is arranged afterwards.
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, expect, sync_playwright

CHROMIUM = "/usr/bin/chromium"
SCREEN, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 844}
CAMERAS = (
    "sim://road?seed=55&fps=5&width=640&height=360&noise=0",
    "sim://road?seed=7&fps=5&width=640&height=360&noise=0&die_at=60",
)
CORNERS = ((0.05, 0.55), (0.95, 0.55), (0.95, 0.98), (0.05, 0.98))
WITHIN_MS = 90_000
STEP = 8  # of 256
LIVE = '.camera[data-state="LIVE"]'


@contextmanager
def running(folder: Path) -> Iterator[str]:
    """Until the end of the block; gives the page's URL."""
    rules = folder / "rules.json"
    rules.write_text('{"version": 1}')
    command = [sys.executable, "-m", "stopline", "run", "--view", "0", "--quiet", "--threads", "1"]
    command += ["--deadline-ms", "600", "--rules", str(rules), "--clips", str(folder / "clips")]
    for camera in CAMERAS:
        command += ["--source", camera]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as run:
        assert run.stderr is not None
        try:
            yield next(line.split()[-1] for line in run.stderr if "http://" in line)
        finally:
            run.terminate()
            run.communicate(timeout=20)


def draw_a_zone(page: Page) -> None:
    """On the first camera, by mouse."""
    page.get_by_role("button", name="Draw a zone").first.click()
    box = page.locator("svg.zones").first.bounding_box()
    assert box is not None
    for x, y in CORNERS:
        page.mouse.click(box["x"] + x * box["width"], box["y"] + y * box["height"])
    page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 0.75 * box["height"])


def save_the_zone(page: Page) -> None:
    """With a rule that the street will soon break."""
    page.get_by_role("button", name="Done").first.click()
    page.get_by_label("Name").fill("ahead")
    page.get_by_label("Alert when there is a").select_option("car")
    page.get_by_role("button", name="Save zone").click()


def kept(page: Page, path: Path) -> None:
    """As a PNG with fewer colours, which is half as large."""
    page.screenshot(path=path)
    with Image.open(path) as shot:
        fewer = shot.convert("RGB").point(lambda value: value // STEP * STEP + STEP // 2)
        fewer.save(path, optimize=True)
    print(f"{path}: {path.stat().st_size >> 10} KiB")


def main(out: Path) -> None:
    """Of the page: drawing, live, with a lost camera, on a phone by daylight."""
    with (
        tempfile.TemporaryDirectory() as folder,
        running(Path(folder)) as url,
        sync_playwright() as p,
    ):
        browser = p.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport=SCREEN, color_scheme="dark")
        page.set_default_timeout(WITHIN_MS)
        page.goto(url)
        expect(page.locator(LIVE)).to_have_count(2, timeout=WITHIN_MS)
        draw_a_zone(page)
        expect(page.locator(LIVE)).to_have_count(2, timeout=WITHIN_MS)
        kept(page, out / "view-zone.png")
        save_the_zone(page)
        expect(page.locator("#events li.on")).not_to_have_count(0, timeout=WITHIN_MS)
        time.sleep(8)
        expect(page.locator(LIVE)).to_have_count(2, timeout=WITHIN_MS)
        kept(page, out / "view-live.png")
        expect(page.locator('.camera[data-state="LOST"]')).to_have_count(1, timeout=WITHIN_MS)
        time.sleep(5)
        kept(page, out / "view-lost.png")
        phone = browser.new_page(viewport=PHONE, color_scheme="light")
        phone.goto(url)
        expect(phone.locator(LIVE)).to_have_count(1, timeout=WITHIN_MS)
        time.sleep(5)
        kept(phone, out / "view-phone.png")
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
