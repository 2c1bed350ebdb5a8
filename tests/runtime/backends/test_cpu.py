"""What a CPU can do is read from its flags, and nothing is made up where they are not there."""

from pathlib import Path

import pytest

from stopline.runtime.backends.cpu import read_cpu
from tests.runtime.tiny import HERE

CPUS = HERE / "backends" / "cpuinfo"


@pytest.mark.parametrize(
    ("name", "against"),
    [
        ("cascade-lake", None),
        ("orin", None),
        ("zen3", "this CPU has no VNNI, so INT8 would saturate or be slower"),
        (
            "raspberry-pi-4",
            "this CPU has no dot product of bytes (asimddp), so INT8 would be slower",
        ),
        ("absent", "what this CPU can do is not known, so INT8 might saturate or be slower"),
    ],
)
def test_what_a_cpu_can_do_is_read_from_its_flags(name: str, against: str | None) -> None:
    assert read_cpu(CPUS / f"{name}.txt").against_int8 == against


def test_a_board_of_two_kinds_of_cores_can_do_what_both_can(tmp_path: Path) -> None:
    mixed = tmp_path / "cpuinfo"
    texts = [(CPUS / f"{name}.txt").read_text() for name in ("orin", "raspberry-pi-4")]
    mixed.write_text("\n".join(texts))
    cpu = read_cpu(mixed)
    assert cpu.against_int8 is not None
    assert "0xd42" in cpu.model
    assert "0xd08" in cpu.model


def test_a_file_that_is_no_cpuinfo_says_nothing(tmp_path: Path) -> None:
    for content in (b"", b"\xff\xfe:\n\n:", b"flags\nflags :\n"):
        (tmp_path / "cpuinfo").write_bytes(content)
        assert read_cpu(tmp_path / "cpuinfo").instructions == frozenset()
