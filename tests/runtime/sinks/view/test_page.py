"""The page in a real browser: what it shows is live, or it says that it is not."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from stopline.runtime.alerts.book import RulesBook
from stopline.runtime.alerts.rules import Rules, Zone
from stopline.runtime.alerts.watch import Watch
from stopline.runtime.events import Reloaded, SinkTrouble, Step
from stopline.runtime.sinks.address import Address, parse_address
from stopline.runtime.sinks.view.view import View
from tests.runtime.clips import until
from tests.runtime.sinks.view.running import HW, RED, running
from tests.runtime.sinks.view.shown import live
from tests.runtime.tiny import red_square

pytest.importorskip("starlette")
pytest.importorskip("playwright")
from playwright.sync_api import Browser, Page, expect

from tests.runtime.sinks.view.browsing import pixel, sees_red

pytestmark = pytest.mark.journey
ROOT = Path(__file__).parents[4]
SAYS_SO_WITHIN_S = 2.0


def test_a_live_camera_is_seen_with_its_box_and_numbers(page: Page, tmp_path: Path) -> None:
    with running(tmp_path) as run:
        page.goto(run.view.url)
        expect(page.locator(".badge")).to_have_text(re.compile("LIVE"))
        until(lambda: sees_red(page))
        expect(page.locator(".p99")).to_have_text(re.compile(r"^\d+(\.\d)? ms n=\d+$"))
        expect(page.locator(".age")).to_have_text(re.compile(r"^≤ \d+ ms old$"))
        expect(page.locator(".fps")).to_have_text(re.compile(r"^1\d|2\d"), timeout=8000)
        expect(page.locator(".legend")).to_contain_text("engine")
        expect(page.locator("#gone")).to_be_hidden()


def test_a_lost_camera_shows_a_slate_and_never_its_last_image(page: Page, tmp_path: Path) -> None:
    with running(tmp_path, ("front", "rear")) as run:
        page.goto(run.view.url)
        until(lambda: sees_red(page, 0) and sees_red(page, 1))
        run.cameras[1].blind.set()
        rear = page.locator(".camera").nth(1)
        expect(rear.locator(".badge")).to_have_text(re.compile("STALE|LOST"), timeout=1500)
        assert pixel(page, 1) == [0, 0, 0, 0]
        expect(rear.locator(".slate")).to_contain_text("LOST", timeout=3000)
        expect(rear.locator(".slate")).to_contain_text("What it sees is unknown, for")
        assert pixel(page, 1) == [0, 0, 0, 0]
        assert sees_red(page, 0)
        run.cameras[1].blind.clear()
        until(lambda: sees_red(page, 1))


@contextmanager
def another_process() -> Iterator[tuple[subprocess.Popen[str], str]]:
    command = [sys.executable, "-m", "tests.runtime.sinks.view.running"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, cwd=ROOT, text=True, **pipes) as process:  # type: ignore
        assert process.stdout is not None
        try:
            yield process, process.stdout.readline().strip()
        finally:
            process.kill()


def says_so_after_s(page: Page, since_s: float) -> float:
    expect(page.locator("#gone")).to_be_visible(timeout=5000)
    took_s = time.monotonic() - since_s
    assert pixel(page) == [0, 0, 0, 0]
    expect(page.locator("#gone")).to_contain_text("what you see is not live")
    expect(page.locator(".slate")).to_contain_text("NOT LIVE")
    return took_s


def test_when_the_server_hangs_or_dies_the_page_says_so(page: Page) -> None:
    with another_process() as (process, url):
        page.goto(url)
        until(lambda: sees_red(page))
        os.kill(process.pid, signal.SIGSTOP)
        assert says_so_after_s(page, time.monotonic()) < SAYS_SO_WITHIN_S
        os.kill(process.pid, signal.SIGCONT)
        until(lambda: sees_red(page))
        expect(page.locator("#gone")).to_be_hidden()
        process.kill()
        assert says_so_after_s(page, time.monotonic()) < SAYS_SO_WITHIN_S


def test_an_image_that_nothing_follows_is_not_shown_for_long(page: Page) -> None:
    """The run hangs, and the page's server does not: nobody says that the camera is not LIVE."""
    with View(Address("127.0.0.1", 0)) as view:
        view.write(live(red_square(HW, RED)))
        page.goto(view.url)
        until(lambda: sees_red(page))
        expect(page.locator(".badge")).to_have_text(re.compile("SILENT"), timeout=3000)
        expect(page.locator(".slate")).to_contain_text("nothing new comes")
        assert pixel(page) == [0, 0, 0, 0]


def test_another_run_at_the_same_address_is_followed_with_its_own_zones(page: Page) -> None:
    zone = Zone(points=((0, 0), (1, 0), (1, 1)))
    books = [
        RulesBook(Watch(Rules(version=1, zones={name: zone}))) for name in ("of before", "of now")
    ]
    with View(Address("127.0.0.1", 0), book=books[0]) as view:
        view.write(live(red_square(HW, RED), "before"))
        page.goto(view.url)
        expect(page.locator(".labels")).to_have_text("of before")
    expect(page.locator("#gone")).to_be_visible()
    with View(parse_address(str(urlsplit(view.url).port)), book=books[1]) as view:
        view.write(live(red_square(HW, RED), "now"))
        expect(page.locator(".name")).to_have_text("now")
        expect(page.locator(".labels")).to_have_text("of now")
        until(lambda: sees_red(page))


def test_events_of_every_kind_are_listed_and_the_level_is_announced(page: Page) -> None:
    utc = "2026-11-24T12:00:00.000Z"
    with View(Address("127.0.0.1", 0)) as view:
        page.goto(view.url)
        view.tell(Step(at_ns=1, utc=utc, level=2, rung="10 fps", why="41 of 200 missed"))
        view.tell(SinkTrouble(at_ns=2, utc=utc, sink="mqtt", error="refused", lost=3))
        view.tell(Reloaded(at_ns=3, utc=utc, path="rules.json", error="line 3: what"))
        expect(page.locator("#events li")).to_have_count(3)
        expect(page.locator("#events")).to_contain_text("mqtt fails")
        expect(page.locator("#events")).to_contain_text("line 3: what")
        banner = page.locator("#degraded")
        expect(banner).to_have_text("Degraded, level 2: 10 fps. 41 of 200 missed")
        view.tell(Step(at_ns=4, utc=utc, level=0, rung="all", why="well"))
        expect(banner).to_be_hidden()


def test_it_fits_a_phone(browser: Browser, tmp_path: Path) -> None:
    with (
        running(tmp_path, ("front", "rear")) as run,
        browser.new_context(viewport={"width": 390, "height": 844}) as context,
    ):
        page = context.new_page()
        page.goto(run.view.url)
        until(lambda: sees_red(page))
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= 390
