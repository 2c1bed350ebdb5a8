"""Every GStreamer pipeline there is, before GStreamer's own parser, whatever this machine has."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from stopline.runtime.cameras.decoders import DECODERS, Decoder, decoders_here
from stopline.runtime.cameras.gstreamer import csi_pipeline, with_appsink
from stopline.runtime.cameras.gstreamer_elements import missing_elements, parse_error
from stopline.runtime.cameras.rtsp import rtsp_pipeline
from tests.runtime.cameras.rtsp import SYSTEM_PYTHON

PARSER = Path(__file__).with_name("parse_pipelines.py")
PAGE = Path(__file__).parents[3] / "docs" / "cameras.md"
URL = "rtsp://front:554/stream?channel=1&subtype=0"
JETSON = rtsp_pipeline(URL, DECODERS[0])


@pytest.fixture(scope="module", autouse=True)
def _bindings() -> None:
    """Skip by name where GStreamer's bindings are not installed."""
    ask = "import gi; gi.require_version('Gst', '1.0')"
    asked = [SYSTEM_PYTHON, "-c", ask]
    if not Path(SYSTEM_PYTHON).exists() or subprocess.run(asked, capture_output=True).returncode:
        pytest.skip("no GStreamer bindings: apt-get install gir1.2-gstreamer-1.0 python3-gi")


def judged(*pipelines: str) -> list[tuple[str | None, str | None]]:
    """What is wrong with each, None if nothing; and the address that it reads."""
    parsed = subprocess.run(
        [SYSTEM_PYTHON, str(PARSER)], input=json.dumps(pipelines), capture_output=True, text=True
    )
    assert parsed.returncode == 0, parsed.stderr
    return [(problem, read) for problem, read in json.loads(parsed.stdout)]


@pytest.mark.parametrize("decoder", DECODERS, ids=lambda decoder: decoder.name)
def test_a_decoder_is_a_pipeline_of_the_elements_it_says_it_needs(decoder: Decoder) -> None:
    assert judged(rtsp_pipeline(URL, decoder)) == [(None, URL)]
    parts = decoder.pipeline.split(" ! ")
    assert (
        tuple(part.split()[0] for part in parts if not part.startswith("video/")) == decoder.needs
    )


def test_a_jetsons_own_camera_is_a_pipeline() -> None:
    assert judged(csi_pipeline("csi://1?width=1920&height=1080&fps=60")) == [(None, None)]


def test_every_pipeline_of_the_page_is_one() -> None:
    written = re.findall(r"'gst:([^']+)'", PAGE.read_text())
    assert len(written) >= 3
    problems = judged(*(with_appsink(text) for text in written))
    assert [problem for problem, _ in problems] == [None] * len(written)


@pytest.mark.parametrize(
    ("broken", "why"),
    [
        (JETSON.replace(" ! nvvidconv", " ! ! nvvidconv"), "syntax"),
        (JETSON.replace("nvvidconv", "nvvideoconv"), "no element"),
        (JETSON.replace("enable-max-performance", "max-performance"), "no property"),
        (JETSON.replace("=true ! nv", "=often ! nv"), "could not set"),
        (JETSON.replace("nvvidconv ! video/x-raw,format=BGRx ! ", ""), "no format|could not link"),
        (JETSON.replace("format=BGRx", "format=BGR"), "no format|could not link"),
        (JETSON.replace(" ! appsink", " ! fakesink ! appsink"), "could not link|no format"),
    ],
)
def test_a_pipeline_with_a_mistake_is_none(broken: str, why: str) -> None:
    assert broken != JETSON
    [(problem, _)] = judged(broken)
    assert problem is not None
    assert re.search(why, problem)


@pytest.mark.parametrize(
    "url",
    [
        'rtsp://me:p"a\\ss@front/a b?c="d"&e=\\',
        "rtsp://me:! fakesink@front/ ! filesink location=x",
        "rtsp://front/{a,b}#c;d=(int)1,e='f'",
    ],
)
def test_nothing_in_an_address_is_taken_for_pipeline(url: str) -> None:
    assert judged(rtsp_pipeline(url, DECODERS[-1])) == [(None, url)]


def test_what_an_element_is_called_tells_whether_it_is_here() -> None:
    assert missing_elements(["queue", "nosuch", "fakesink"]) == ["nosuch"]
    assert "software" in [decoder.name for decoder in decoders_here()]


def test_a_decoder_is_not_tried_where_one_of_its_elements_is_missing() -> None:
    assert all(not missing_elements(decoder.needs) for decoder in decoders_here())
    absent = [one for one in DECODERS if missing_elements(one.needs)]
    assert not set(absent) & set(decoders_here())


def test_the_parser_tells_what_opencv_keeps_to_itself() -> None:
    assert parse_error("fakesrc ! fakesink") is None
    assert parse_error("nosuch ! fakesink") == 'no element "nosuch"'
