"""docs/boards.md says what the data says."""

from pathlib import Path

from stopline.devices.profiles.jetpack import matrix
from stopline.devices.profiles.profile import Fact, profiles

DOCS = Path(__file__).parents[3] / "docs" / "boards.md"


def rows() -> dict[str, list[str]]:
    """The rows of every table, by their first cell."""
    lines = [line for line in DOCS.read_text().splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {row[0]: row[1:] for row in cells}


def shown(fact: Fact[float] | Fact[int] | None) -> str:
    return "" if fact is None else f"{fact.value:g}"


def test_every_board_stands_in_the_table_with_its_figures() -> None:
    table = rows()
    for name, board in profiles().items():
        peaks = [shown(board.peak_tops.get(one)) for one in ("fp32", "tf32", "fp16", "int8")]
        told = table[f"`{name}`"]
        assert told[0] == (board.sm.value if board.sm else "")
        assert told[1:3] == [shown(board.memory_gib), shown(board.bandwidth_gbs)]
        assert told[3:7] == peaks, name
        assert told[7] == shown(board.dla_cores)
        assert f"**{board.fastest_mode}**" in told[8] or board.fastest_mode is None


def test_every_jetpack_stands_in_the_table_with_its_versions() -> None:
    table = rows()
    for release in matrix().releases:
        versions = [release.ubuntu, release.python, release.cuda or "", release.tensorrt or ""]
        assert table[release.jetpack] == [", ".join(release.l4t), *versions]
