"""Whether a process grows: slopes, their intervals, and a process that is really looked at."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from stopline.devices.growth import Sample, Verdict, growths, sample, slope

SECONDS = [float(second) for second in range(240)]


def samples(rss_mib: list[float]) -> list[Sample]:
    return [Sample(at_s, rss, 20, 8) for at_s, rss in zip(SECONDS, rss_mib, strict=True)]


def test_a_straight_line_has_its_own_slope() -> None:
    grown = slope(SECONDS, [5 + 0.01 * at_s for at_s in SECONDS])
    assert grown.per_hour == pytest.approx(36)
    assert grown.low == pytest.approx(36)
    assert grown.high == pytest.approx(36)


def test_noise_is_steady_and_a_leak_within_it_grows() -> None:
    noise = 150 + np.random.default_rng(0).normal(0, 0.2, len(SECONDS))
    rss, fds, threads = growths(samples(noise.tolist()))
    assert (rss.verdict, fds.verdict, threads.verdict) == (Verdict.STEADY,) * 3
    leaking = noise + np.array(SECONDS) * 20 / 3600  # 20 MiB an hour
    assert growths(samples(leaking.tolist()))[0].verdict is Verdict.GROWS


def test_a_step_once_is_no_growth() -> None:
    stepped = [150.0 if at_s < 30 else 158.0 for at_s in SECONDS]
    assert growths(samples(stepped))[0].verdict is not Verdict.GROWS


def test_a_descriptor_a_minute_grows() -> None:
    leaking = [Sample(at_s, 150, 20 + int(at_s // 60), 8) for at_s in SECONDS]
    assert growths(leaking)[1].verdict is Verdict.GROWS


def test_what_varies_too_much_cannot_be_told() -> None:
    wild = 150 + np.random.default_rng(1).normal(0, 40, len(SECONDS))
    assert growths(samples(wild.tolist()))[0].verdict is Verdict.UNSURE


def test_few_samples_are_refused() -> None:
    with pytest.raises(ValueError, match="23 samples"):
        slope(SECONDS[:23], SECONDS[:23])


def test_a_real_process_is_read_and_one_that_is_gone_is_an_error() -> None:
    script = "import threading, time; held = open('/dev/null'); block = bytearray(32 << 20)\n"
    script += "threading.Thread(target=time.sleep, args=(9,), daemon=True).start()\n"
    script += "print('ready', flush=True); time.sleep(9)"
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            process.stdout.readline()
            seen = sample(process.pid, 0.0)
        finally:
            process.kill()
    assert seen.threads == 2
    assert seen.fds >= 4
    assert seen.rss_mib > 32
    with pytest.raises(OSError, match=str(process.pid)):
        sample(process.pid, 0.0, Path("/proc"))
