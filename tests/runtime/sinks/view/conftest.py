"""A view to ask, and a browser to look at it with."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from stopline.runtime.sinks.address import Address
from stopline.runtime.sinks.view.view import View

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

CHROMIUM = "/usr/bin/chromium"


@pytest.fixture
def view() -> Iterator[View]:
    """On this machine, on any port, of no rules."""
    with View(Address("127.0.0.1", 0)) as view:
        yield view


@pytest.fixture(scope="session")
def browser() -> "Iterator[Browser]":
    """A real one, without a window."""
    playwright = pytest.importorskip("playwright.sync_api")
    if not Path(CHROMIUM).exists():
        pytest.skip("no browser: apt-get install chromium")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def page(browser: "Browser") -> "Iterator[Page]":
    """A tab of its own, in which no script may fail."""
    with browser.new_context(viewport={"width": 1280, "height": 800}) as context:
        page = context.new_page()
        page.set_default_timeout(8000)
        mistakes: list[str] = []
        page.on("pageerror", lambda error: mistakes.append(str(error)))
        yield page
    assert mistakes == []
