"""Facts about boards are data: sourced, dense, and consistent with each other."""

import datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

import stopline.devices
from stopline.devices.profiles.jetpack import matrix, release_of
from stopline.devices.profiles.profile import (
    BOARDS,
    Profile,
    ProfileError,
    Source,
    profile,
    profiles,
)

WANTED = (
    *("jetson-nano", "xavier-nx", "agx-xavier", "orin-nano", "orin-nano-super", "orin-nx-8"),
    *("orin-nx-16", "agx-orin-32", "agx-orin-64", "thor", "rtx-4090", "x86-n100"),
    "raspberry-pi-5",
)
# What the makers print on the box: with sparsity, of the GPU alone.
SPARSE_INT8_TOPS = {
    "orin-nano": 40,
    "orin-nano-super": 67,
    "orin-nx-16": 60,
    "agx-orin-64": 171,
    "rtx-4060": 242,
    "rtx-4090": 1321,
}


def facts(of: Any) -> list[dict[str, Any]]:
    """Every fact below a part of a profile's JSON."""
    if isinstance(of, list):
        return [found for one in of for found in facts(one)]
    if not isinstance(of, dict):
        return []
    mine = [of] if "value" in of else []
    return mine + [found for one in of.values() for found in facts(one)]


def check_sources(sources: dict[str, Source]) -> None:
    for source in sources.values():
        assert source.url.startswith("https://")
        assert source.title
        if source.read is not None:
            datetime.date.fromisoformat(source.read)


@pytest.mark.parametrize("device", WANTED)
def test_the_boards_that_people_have_are_described(device: str) -> None:
    assert profile(device).bandwidth_gbs.value > 0


@pytest.mark.parametrize("device", list(profiles()))
def test_every_fact_has_a_source_and_every_source_is_used(device: str) -> None:
    board = profile(device)
    told = msgspec.json.decode((BOARDS / f"{device}.json").read_bytes())
    used = {fact["source"] for fact in facts(told)}
    if board.known_by.source:
        used.add(board.known_by.source)
    assert used == set(board.sources)
    check_sources(board.sources)


@pytest.mark.parametrize(("device", "sparse"), SPARSE_INT8_TOPS.items())
def test_peaks_are_dense_half_of_what_is_on_the_box(device: str, sparse: float) -> None:
    assert profile(device).peak_tops["int8"].value * 2 == pytest.approx(sparse, rel=0.03)


@pytest.mark.parametrize("device", [name for name, one in profiles().items() if one.sm])
def test_each_arithmetic_is_at_least_as_fast_as_the_wider(device: str) -> None:
    peaks = [one.value for one in profile(device).peak_tops.values()]
    assert list(profile(device).peak_tops) == [
        one for one in ("fp32", "tf32", "fp16", "int8") if one in profile(device).peak_tops
    ]
    assert peaks == sorted(peaks)


@pytest.mark.parametrize("device", [name for name, one in profiles().items() if one.power_modes])
def test_the_fastest_mode_is_one_of_the_modes(device: str) -> None:
    board = profile(device)
    assert board.power_modes is not None
    assert board.fastest_mode in [mode.name for mode in board.power_modes.value]


def test_a_board_that_nobody_described_is_refused_with_those_that_are() -> None:
    with pytest.raises(ProfileError, match="no device 'tx2': wanted one of agx-orin-32, "):
        profile("tx2")


def test_a_fact_that_nobody_reads_is_refused() -> None:
    told = msgspec.json.decode((BOARDS / "thor.json").read_bytes())
    for broken in ({**told, "colour": "black"}, {**told, "gpu_mhz": 1575}):
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert(broken, Profile)


def test_no_two_boards_are_known_by_the_same() -> None:
    known = [
        (one.known_by.compatible, one.known_by.gpu, one.known_by.power_mode)
        for one in profiles().values()
        if one.known_by.compatible or one.known_by.gpu
    ]
    assert len(set(known)) == len(known)


def test_no_code_knows_a_board_by_its_name() -> None:
    code = Path(stopline.devices.__path__[0])
    for room in ("doctor", "planning", "profiles"):
        for module in (code / room).glob("*.py"):
            text = module.read_text()
            named = [name for name in profiles() if f'"{name}"' in text or f"'{name}'" in text]
            assert named == [], module


@pytest.mark.parametrize(
    ("l4t", "jetpack"),
    [("32.7.1", "4.6.1"), ("35.4.1", "5.1.2"), ("36.4.3", "6.2"), ("38.4.0", "7.1")],
)
def test_a_jetson_linux_belongs_to_a_jetpack(l4t: str, jetpack: str) -> None:
    release = release_of(l4t)
    assert release is not None
    assert release.jetpack == jetpack


def test_a_release_we_do_not_know_is_taken_for_the_one_before_it_in_its_line() -> None:
    between = release_of("36.4.5")
    assert between is not None
    assert between.jetpack == "6.2.1"
    assert release_of("41.0") is None
    assert release_of("36.1.0") is None


def test_the_matrix_is_sourced_and_says_nothing_that_was_not_found() -> None:
    told = matrix()
    check_sources(told.sources)
    assert {key for release in told.releases for key in release.sources} == set(told.sources)
    newest = told.releases[-1]
    assert (newest.cuda, newest.tensorrt) == (None, None)
