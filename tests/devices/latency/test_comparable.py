"""Two reports are compared only where they were measured in the same conditions."""

from typing import Any

import msgspec
import pytest

from stopline.devices.latency.comparable import compared, differences
from stopline.devices.latency.comparison import Verdict
from stopline.devices.latency.report import Sessions
from tests.devices.latency.reports import CONDITIONS, SUBJECT, report, sessions, window

HOT = {"cpu-thermal": 71.0}


def windows(p50_ms: float, **about: Any) -> dict[str, Any]:
    return {"windows": [window(at, p50_ms + at % 3 / 10, **about) for at in range(40)]}


def conditions(**about: Any) -> dict[str, Any]:
    return {"conditions": msgspec.structs.replace(CONDITIONS, **about)}


def test_the_same_conditions_have_no_differences() -> None:
    assert differences(report(), report()) == []


@pytest.mark.parametrize(
    ("other", "says"),
    [
        (conditions(governors=["schedutil"]), "governors: ['performance'] against ['schedutil']"),
        (conditions(power_mode=None), "power_mode: pmode:0002 against unknown"),
        (
            conditions(libraries={"onnxruntime": "1.21.0", "numpy": "1.26.4"}),
            "libraries: onnxruntime 1.20.0 against onnxruntime 1.21.0",
        ),
        ({"subject": msgspec.structs.replace(SUBJECT, threads=6)}, "threads: 1 against 6"),
        (windows(25, clocks_mhz={"cpu0": 1400.0}), "clock of cpu0: 1510 against 1400 MHz"),
        (windows(25, others_share=0.4), "used by other programs: 2% against 40% of all cores"),
        (windows(25, temperatures_c=HOT), "cpu-thermal: 50 against 71 °C"),
        (windows(25, valid=False), "B: 40 of 40 windows invalid"),
    ],
)
def test_different_conditions_are_told(other: dict[str, Any], says: str) -> None:
    assert says in differences(report(), report(**other))


def test_another_model_is_no_difference_but_what_one_wants_to_compare() -> None:
    other = msgspec.structs.replace(SUBJECT, precision="int8", model_sha256="1" * 64)
    assert differences(report(), report(subject=other)) == []


@pytest.mark.parametrize(
    ("p50_ms", "verdict"),
    [
        (25.0, Verdict.UNSURE),
        (25.1, Verdict.UNSURE),
        (26.0, Verdict.SLOWER),
        (24.0, Verdict.FASTER),
    ],
)
def test_the_engine_in_new_sessions_decides(p50_ms: float, verdict: Verdict) -> None:
    opened = Sessions(runs=320, minus_waiting=True, p50_ms=sessions(p50_ms))
    assert compared(report(), report(sessions=opened)).verdict is verdict


def test_without_sessions_nothing_can_be_told() -> None:
    found = compared(report(), report(sessions=None))
    assert (found.verdict, found.ratio) == (Verdict.UNSURE, None)
