"""Children that crash, hang, stay silent or lose their parent."""

import os
import subprocess
import sys
import time
from pathlib import Path

import msgspec
import pytest

from stopline.devices.engines.child import Build
from stopline.devices.engines.network import EngineError
from stopline.devices.engines.plan import BuildSettings
from stopline.devices.engines.supervised import CHILD, Limits, answers
from tests.conftest import ROOT
from tests.devices.engines.building import ends


def child(program: str, limits: Limits | None = None) -> list[bytes]:
    """`pipe` is where it answers."""
    head = "import os, signal, sys, time; pipe = int(sys.argv[1]); "
    return list(answers(b"request", limits, (sys.executable, "-c", head + program)))


def test_whole_lines_arrive_in_order() -> None:
    program = (
        "asked = input().encode() + b'\\n'; "
        "[os.write(pipe, part) for part in (b'a', b'b\\nc\\n', asked)]"
    )
    assert child(program) == [b"ab", b"c", b"request"]


def test_a_kill_is_told_as_memory_with_what_was_free() -> None:
    limits = Limits(free_mib=lambda: 1234)
    told = r"signal 9 \(SIGKILL\): probably out of memory \(1234 MiB were free"
    with pytest.raises(EngineError, match=told):
        child("os.kill(os.getpid(), 9)", limits)


def test_a_crash_is_told_with_the_last_words() -> None:
    program = "print('tactic 17 is unwell', flush=True); os.kill(os.getpid(), 11)"
    with pytest.raises(EngineError, match=r"signal 11 \(SIGSEGV\): .*tactic 17 is unwell"):
        child(program)


def test_a_child_that_dies_before_it_is_asked_is_reported() -> None:
    """More than a pipe holds, so that the write itself fails."""
    dead = (sys.executable, "-c", "import os; os.kill(os.getpid(), 9)")
    with pytest.raises(EngineError, match="signal 9"):
        list(answers(b"x" * 1_000_000, None, dead))


def test_an_exit_code_is_told() -> None:
    with pytest.raises(EngineError, match="exit code 7; its last words: bye"):
        child("print('bye'); sys.exit(7)")


def test_a_child_that_hangs_is_ended_with_what_it_started() -> None:
    program = (
        "import subprocess; grandchild = subprocess.Popen(['sleep', '60']); "
        "os.write(pipe, f'{grandchild.pid}\\n'.encode()); time.sleep(60)"
    )
    lines = answers(b"", Limits(timeout_s=2), (sys.executable, "-c", HEAD + program))
    grandchild = int(next(lines))
    started = time.monotonic()
    with pytest.raises(EngineError, match="not built within 2 s"):
        next(lines)
    assert time.monotonic() - started < 10
    assert ends(grandchild)


def test_whoever_leaves_early_ends_the_child() -> None:
    program = "os.write(pipe, f'{os.getpid()}\\n'.encode()); time.sleep(60)"
    lines = answers(b"", None, (sys.executable, "-c", HEAD + program))
    pid = int(next(lines))
    lines.close()  # type: ignore[attr-defined]  # a generator
    assert ends(pid)


def test_a_builder_whose_parent_is_gone_ends_itself(tmp_path: Path) -> None:
    pytest.importorskip("tensorrt_rtx")
    model = ROOT / "runtime" / "bundles" / "road-nano" / "fp32.onnx"
    plan = tmp_path / "x.plan"
    request = Build(str(model), str(plan), str(tmp_path / "cache"), BuildSettings())
    reading, writing = os.pipe()
    builder = subprocess.Popen([*CHILD, str(writing)], stdin=subprocess.PIPE, pass_fds=(writing,))
    os.close(writing)
    assert builder.stdin is not None
    builder.stdin.write(msgspec.json.encode(request) + b"\n")
    builder.stdin.flush()
    assert os.read(reading, 100)  # it is at work
    builder.stdin.close()
    assert builder.wait(timeout=10) == 1
    os.close(reading)
    assert not plan.exists()


HEAD = "import os, sys, time; pipe = int(sys.argv[1]); "
