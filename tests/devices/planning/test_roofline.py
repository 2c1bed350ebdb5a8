"""A kernel takes as long as its arithmetic or its memory, whichever is longer, or its floor."""

from dataclasses import replace

import pytest

from stopline.devices.planning.efficiency import FITTED, WORST_LEFT_OUT, Efficiency
from stopline.devices.planning.kernel import Kernel
from stopline.devices.planning.prediction import predicted
from stopline.devices.planning.roofline import IDEAL, UnknownPeak, timed, total_ms
from stopline.devices.profiles.profile import profile

ORIN = profile("orin-nano-super")  # FP16 16.7, INT8 33.4, FP32 2.09 TOPS; 102 GB/s; 1.02 GHz
HEAVY = Kernel("heavy", "dense", "fp16", macs=10**9, activation_bytes=1000)
WIDE = Kernel("wide", "other", "fp16", macs=0, activation_bytes=102_000_000)
TINY = Kernel("tiny", "other", "fp16", macs=0, activation_bytes=4)


def test_nothing_takes_no_time() -> None:
    assert total_ms(timed([], ORIN, IDEAL)) == 0


def test_much_arithmetic_is_limited_by_the_peak_of_its_precision() -> None:
    (fp16,) = timed([HEAVY], ORIN, IDEAL)
    assert fp16.bound == "compute"
    assert fp16.us == pytest.approx(2e9 / 16.7e12 * 1e6)
    (int8,) = timed([replace(HEAVY, precision="int8")], ORIN, IDEAL)
    assert int8.us == pytest.approx(fp16.us / 2)


def test_much_memory_is_limited_by_the_bandwidth() -> None:
    (wide,) = timed([WIDE], ORIN, IDEAL)
    assert wide.bound == "memory"
    assert wide.us == pytest.approx(1000)


def test_a_tiny_kernel_takes_its_floor_shorter_on_a_faster_clock() -> None:
    reached = Efficiency(IDEAL.compute, 1, floor_us_ghz=51)
    (tiny,) = timed([TINY], ORIN, reached)
    assert tiny.bound == "floor"
    assert tiny.us == pytest.approx(50)
    (faster,) = timed([TINY], profile("agx-orin-64"), reached)
    assert faster.us == pytest.approx(51 / 1.3)


def test_a_share_of_the_peaks_takes_longer_by_it() -> None:
    half = Efficiency(dict.fromkeys(IDEAL.compute, 0.5), 0.25, 0)
    heavy, wide = timed([HEAVY, WIDE], ORIN, half)
    ideal_heavy, ideal_wide = timed([HEAVY, WIDE], ORIN, IDEAL)
    assert heavy.us == pytest.approx(2 * ideal_heavy.us)
    assert wide.us == pytest.approx(4 * ideal_wide.us)


def test_depthwise_convolutions_use_no_tensor_core() -> None:
    (depthwise,) = timed([replace(HEAVY, kind="depthwise")], ORIN, IDEAL)
    assert depthwise.us == pytest.approx(2e9 / 2.09e12 * 1e6)


def test_fp32_is_computed_in_tf32_where_there_is_one() -> None:
    (orin,) = timed([replace(HEAVY, precision="fp32")], ORIN, IDEAL)
    assert orin.us == pytest.approx(2e9 / 8.3e12 * 1e6)
    (nano,) = timed([replace(HEAVY, precision="fp32")], profile("jetson-nano"), IDEAL)
    assert nano.us == pytest.approx(2e9 / 0.236e12 * 1e6)


def test_a_peak_that_nobody_published_is_not_invented() -> None:
    with pytest.raises(UnknownPeak, match="no int8 peak of NVIDIA Jetson Nano"):
        predicted([replace(HEAVY, precision="int8")], profile("jetson-nano"))


def test_the_range_is_told_on_boards_like_those_of_the_fit_alone() -> None:
    orin = predicted([HEAVY, WIDE], ORIN)
    assert orin.ms is not None and orin.range_ms is not None
    low, high = orin.range_ms
    assert low < orin.ms < high
    # If the estimate is off by the worst error, the truth is an end of the range.
    assert orin.ms / low - 1 == pytest.approx(WORST_LEFT_OUT)
    assert 1 - orin.ms / high == pytest.approx(WORST_LEFT_OUT)
    thor = predicted([HEAVY, WIDE], profile("thor"))
    assert thor.ms is not None and thor.range_ms is None
    pi = predicted([HEAVY, WIDE], profile("raspberry-pi-5"))
    assert pi.ms is None and pi.range_ms is None and pi.at_peaks_ms > 0


def test_an_estimate_is_above_the_time_at_the_peaks() -> None:
    found = predicted([HEAVY, WIDE, TINY], ORIN)
    assert found.ms is not None
    assert found.ms > found.at_peaks_ms > 0
    assert all(0 < share <= 1 for share in (*FITTED.compute.values(), FITTED.bandwidth))


def test_where_the_time_goes_adds_up() -> None:
    found = predicted([HEAVY, WIDE, TINY], ORIN)
    assert sum(found.share(bound) for bound in ("compute", "memory", "floor")) == pytest.approx(1)
    assert found.macs == HEAVY.macs


def test_a_model_that_is_larger_than_the_board_does_not_fit() -> None:
    small = predicted([replace(HEAVY, weight_bytes=10**8)], profile("jetson-nano")).memory
    large = predicted([replace(HEAVY, weight_bytes=3 * 10**9)], profile("jetson-nano")).memory
    assert small.fits
    assert not large.fits
    assert predicted([replace(HEAVY, weight_bytes=3 * 10**9)], profile("thor")).memory.fits
