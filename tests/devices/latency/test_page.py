"""The page needs nothing but itself, and shows what the report says."""

import re
from xml.etree import ElementTree

import msgspec
import numpy as np
import pytest

from stopline.devices.latency.page.page import html_page
from stopline.devices.latency.page.svg import Scale, ticks
from stopline.devices.latency.report import Layer, Layers
from tests.devices.latency.reports import SUBJECT, report, window

LAYERS = Layers(
    tool="onnxruntime",
    runs=30,
    slowdown=1.1,
    reformat_share=0.25,
    layers=[
        Layer(name="conv", kind="Conv", ms=3.0, share=0.75, reformat=False),
        Layer(name="<reorder & more>", kind="ReorderInput", ms=1.0, share=0.25, reformat=True),
    ],
)


def test_the_page_loads_nothing() -> None:
    page = html_page(report(layers=LAYERS))
    assert not re.search(r"<script|<link|<img|@import|url\(|src=|href=", page)
    assert re.findall(r"https?://\S+", page) == []


def test_every_drawing_is_whole() -> None:
    page = html_page(report(layers=LAYERS))
    drawings = re.findall(r"<svg.*?</svg>", page, re.DOTALL)
    labels = [ElementTree.fromstring(one).get("aria-label") or "" for one in drawings]
    assert [label.split(":")[0] for label in labels] == [
        "engine",
        "capture to result",
        "times and conditions over the profile",
        "stages of an answer, as a waterfall",
        "layers that take most",
    ]
    numbers = [float(found) for one in drawings for found in re.findall(r'[xy]="(-?[\d.]+)"', one)]
    assert np.isfinite(numbers).all()
    assert all(-20 <= number <= 1160 for number in numbers)


def test_names_of_others_are_no_markup() -> None:
    subject = msgspec.structs.replace(SUBJECT, source="<script>alert(1)</script>")
    page = html_page(report(layers=LAYERS, subject=subject))
    assert "<script>" not in page
    assert "<reorder" not in page


def test_a_report_of_almost_nothing_is_a_page_too() -> None:
    bare = report(
        engine=None, pipeline=None, capture_to_result=None, stages={}, windows=[], layers=None
    )
    assert "<h1>road-nano fp32 on onnxruntime</h1>" in html_page(bare)


def test_readings_are_drawn_only_where_there_are_any() -> None:
    told = html_page(report())
    assert ">MHz<" in told
    assert ">W<" not in told
    silent = [window(at, 25.0, clocks_mhz={}, temperatures_c={}) for at in range(5)]
    assert ">MHz<" not in html_page(report(windows=silent))


def test_windows_that_are_not_valid_are_marked() -> None:
    bad = [window(at, 25.0, valid=at != 2, why="clock of cpu0 moved") for at in range(5)]
    assert html_page(report(windows=bad)).count('class="bad"') == 1


@pytest.mark.parametrize(
    ("low", "high", "wanted"),
    [(0, 1, [0, 0.2, 0.4, 0.6, 0.8, 1]), (25, 26.9, [25, 25.5, 26, 26.5]), (3, 3, [3])],
)
def test_ticks_are_round_numbers(low: float, high: float, wanted: list[float]) -> None:
    assert ticks(low, high) == pytest.approx(wanted)


def test_a_scale_of_no_width_divides_by_nothing() -> None:
    assert Scale(3, 3, 0, 100).at(3) == 0
