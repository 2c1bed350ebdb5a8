"""`sim://road?…` is read to the letter, and what cannot be read is named."""

from pathlib import Path

import pytest

from stopline.runtime.sim import Faults, RoadSettings, parse_road
from stopline.runtime.sim.url import FAULTS, SETTINGS, Resize, Span

PAGE = Path(__file__).parents[2] / "docs" / "sim.md"


def test_the_bare_address_is_the_default_street_without_faults() -> None:
    assert parse_road("sim://road") == (RoadSettings(), Faults())


def test_every_key_sets_what_it_names() -> None:
    settings, faults = parse_road(
        "sim://road?width=640&height=360&fps=25&seed=7&time=night&rain=0.5&speed=3&density=2"
        "&noise=0&jpeg=80&frames=200&realtime=0&stall=3.0:0.5&drop=0.1&freeze=2:1&die_at=5"
        "&resize_at=4:640x480"
    )
    assert settings == RoadSettings(640, 360, 25.0, 7, "night", 0.5, 3.0, 2.0, 0.0, 80)
    assert faults == Faults(
        stall=Span(3.0, 0.5),
        freeze=Span(2.0, 1.0),
        drop=0.1,
        die_at_s=5.0,
        resize=Resize(4.0, 640, 480),
        frames=200,
        realtime=False,
    )


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("wdith=640", "unknown key 'wdith'"),
        ("width=wide", "width='wide': wanted a whole number"),
        ("width=", "width=''"),
        ("width=1", "width=1 is not within 8..7680"),
        ("fps=nan", "fps=nan"),
        ("time=noon", "day, dusk, night"),
        ("rain=2", "rain=2"),
        ("drop=1", "wanted a share from 0 to less than 1"),
        ("stall=3", "wanted AT:FOR in seconds"),
        ("stall=3:-1", "wanted a number from 0 on"),
        ("freeze=a:b", "wanted a number"),
        ("die_at=soon", "wanted a number"),
        ("die_at=inf", "wanted a number from 0 on"),
        ("resize_at=4:640", "wanted AT:WIDTHxHEIGHT"),
        ("resize_at=4:1x1", "within 8..7680"),
        ("frames=-1", "wanted a number of frames"),
        ("realtime=yes", "wanted 0 or 1"),
        ("seed=1&seed=2", "key 'seed' twice"),
    ],
)
def test_a_bad_value_is_named_with_the_known_keys_and_an_example(query: str, found: str) -> None:
    with pytest.raises(ValueError) as caught:
        parse_road(f"sim://road?{query}")
    message = str(caught.value)
    assert found in message
    assert "the keys are width, height, fps" in message
    assert "for example sim://road?" in message
    assert "\n" not in message


@pytest.mark.parametrize("url", ["sim://street", "rtsp://road", "sim://road/left", "road", ""])
def test_another_address_is_not_a_simulated_road(url: str) -> None:
    with pytest.raises(ValueError, match="is not a simulated road"):
        parse_road(url)


@pytest.mark.skipif(not PAGE.is_file(), reason="docs/ does not travel with an installed package")
def test_the_page_explains_every_key() -> None:
    page = PAGE.read_text()
    assert [key for key in (*SETTINGS, *FAULTS) if f"`{key}`" not in page] == []
