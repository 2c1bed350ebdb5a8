"""The page and the network: whom it asks, by what right, and over how thin a line."""

import re
import threading
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from stopline.runtime.sim import Road, RoadSettings
from stopline.runtime.sinks.address import Address
from stopline.runtime.sinks.view.view import View
from tests.runtime.clips import until
from tests.runtime.sinks.view.running import HW, RED, running
from tests.runtime.sinks.view.shown import live
from tests.runtime.tiny import red_square

pytest.importorskip("starlette")
pytest.importorskip("playwright")
from playwright.sync_api import Page, expect

from tests.runtime.sinks.view.browsing import sees_red

pytestmark = pytest.mark.journey


def test_the_page_asks_nobody_but_its_own_server(page: Page, tmp_path: Path) -> None:
    with running(tmp_path) as run:
        asked: list[str] = []
        refused: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda said: refused.append(said.text) if said.type == "error" else None)
        page.goto(run.view.url)
        until(lambda: sees_red(page))
        assert len(asked) > 8
        assert [url for url in asked if not url.startswith((run.view.url, "blob:"))] == []
        assert refused == []  # what the content security policy forbids is told there
        blocked = page.evaluate(
            """() => new Promise((resolve) => {
                 document.addEventListener("securitypolicyviolation", () => resolve(true));
                 const image = new Image();
                 image.src = "http://192.0.2.1/tell";
               })"""
        )
        assert blocked


def test_the_url_with_the_token_opens_the_page_and_the_token_leaves_the_address(page: Page) -> None:
    with View(Address("0.0.0.0", 0)) as view:
        view.write(live(red_square(HW, RED)))
        url = urlsplit(view.url)
        here = f"http://127.0.0.1:{url.port}/"
        page.goto(here)
        expect(page.locator("body")).to_contain_text("the whole URL that `stopline run --view`")
        page.goto(f"{here}?{url.query}")
        until(lambda: sees_red(page))
        assert page.url == here
        assert page.evaluate("document.cookie") == ""


def test_a_slow_connection_shows_fewer_images_and_not_older_ones(page: Page) -> None:
    image = Road(RoadSettings(width=1280, height=720, seed=5)).view(2.0).image
    over = threading.Event()

    def feed(view: View) -> None:
        while not over.wait(0.05):
            view.write(live(image))

    with View(Address("127.0.0.1", 0)) as view:
        thread = threading.Thread(target=feed, args=(view,))
        thread.start()
        try:
            page.goto(view.url)
            expect(page.locator(".badge")).to_have_text(re.compile("LIVE"))
            slow = {"offline": False, "latency": 50, "downloadThroughput": 125_000}  # bytes/s
            network = page.context.new_cdp_session(page)
            network.send("Network.emulateNetworkConditions", {**slow, "uploadThroughput": 125_000})
            page.wait_for_timeout(3000)
            ages = []
            for _ in range(20):
                page.wait_for_timeout(100)
                ages += re.findall(r"\d+", page.locator(".age").inner_text())
        finally:
            over.set()
            thread.join()
    assert len(ages) == 20  # an image was shown all the time
    assert 150 < max(map(int, ages)) < 2000  # an image of 60 kB alone takes half a second


def test_the_servers_clock_is_known_as_well_as_the_best_answer_tells(page: Page) -> None:
    with View(Address("127.0.0.1", 0)) as view:
        page.goto(view.url)
        best = page.evaluate(
            """async () => {
                 const { ServerClock } = await import("/page/news.js");
                 const clock = new ServerClock();
                 clock.learn(0, 100, 1090, 1091);
                 clock.learn(200, 210, 1204, 1205);
                 clock.learn(300, 390, 1301, 1302);
                 return clock.best;
               }"""
        )
    assert best == {"offset": 999.5, "error": 4.5}
