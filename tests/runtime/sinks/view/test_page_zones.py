"""Zones drawn in a real browser are in force, and in the file."""

import re
from pathlib import Path

import pytest

from stopline.runtime.alerts.rules import read_rules
from tests.runtime.clips import until
from tests.runtime.sinks.view.running import running

pytest.importorskip("starlette")
pytest.importorskip("playwright")
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.journey


def draw(page: Page, corners: list[tuple[float, float]]) -> None:
    """With the mouse, over the first camera."""
    page.get_by_role("button", name="Draw a zone").first.click()
    box = page.locator("svg.zones").first.bounding_box()
    assert box is not None
    for x, y in corners:
        page.mouse.click(box["x"] + x * box["width"], box["y"] + y * box["height"])
    page.get_by_role("button", name="Done").first.click()


AROUND_IT = [(0.3, 0.2), (0.7, 0.2), (0.7, 0.9), (0.3, 0.9)]


def test_a_zone_drawn_by_mouse_raises_its_alert(page: Page, tmp_path: Path) -> None:
    path = tmp_path / "rules.json"
    with running(tmp_path, rules=path) as run:
        page.goto(run.view.url)
        expect(page.locator(".badge")).to_have_text(re.compile("LIVE"))
        draw(page, AROUND_IT)
        page.get_by_label("Name").fill("crossing")
        page.get_by_role("button", name="Save zone").click()
        alert = page.locator("#events li.alert.on")
        expect(alert).to_contain_text("red in crossing")
        expect(page.locator(".camera")).to_have_class(re.compile("alarmed"))
        kept = read_rules(path, ("red",)).zones["crossing"]
        assert kept.camera == "front"
        for corner, wanted in zip(kept.points, AROUND_IT, strict=True):
            assert corner == pytest.approx(wanted, abs=0.01)
        page.get_by_role("button", name="Delete zone crossing").click()
        page.get_by_role("button", name="Delete zone crossing").click()
        expect(page.locator("#events li.alert")).to_contain_text("ended")
        assert read_rules(path).zones == {}


def test_a_zone_that_crosses_itself_is_refused_with_the_reason(page: Page, tmp_path: Path) -> None:
    with running(tmp_path) as run:
        page.goto(run.view.url)
        expect(page.locator(".badge")).to_have_text(re.compile("LIVE"))
        draw(page, [(0.2, 0.2), (0.8, 0.8), (0.8, 0.2), (0.2, 0.8)])
        page.get_by_label("Name").fill("bow tie")
        page.get_by_role("button", name="Save zone").click()
        expect(page.locator("#zone .error")).to_contain_text("meets the edge")
        assert run.watch.rules.zones == {}


def test_a_zone_can_be_drawn_with_the_keyboard(page: Page, tmp_path: Path) -> None:
    with running(tmp_path) as run:
        page.goto(run.view.url)
        expect(page.locator(".badge")).to_have_text(re.compile("LIVE"))
        page.get_by_role("button", name="Draw a zone").focus()
        for key in (
            "Enter",
            "Space",
            "Shift+ArrowRight",
            "Space",
            "Shift+ArrowDown",
            "Space",
            "Enter",
        ):
            page.keyboard.press(key)
        page.get_by_label("Name").fill("by keys")
        page.keyboard.press("Enter")
        until(lambda: "by keys" in run.watch.rules.zones)
        assert run.watch.rules.zones["by keys"].points == ((0.5, 0.5), (0.55, 0.5), (0.55, 0.55))
