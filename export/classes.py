"""The names of a detector's classes, as they are said on a command line."""

from pathlib import Path

from stopline.export.coco80 import COCO80
from stopline.export.raw import ExportError


def class_names(said: str) -> tuple[str, ...]:
    """`coco80`, a file with a name on each line, or the names themselves with commas between.

    Raises ExportError for names that are empty or twice there, OSError for an absent file.
    """
    if said == "coco80":
        return COCO80
    is_file = "," not in said and (Path(said).suffix or Path(said).exists())
    lines = _lines(Path(said)) if is_file else said.split(",")
    names = tuple(line.strip() for line in lines)
    twice = sorted({name for name in names if names.count(name) > 1})
    if not all(names) or twice:
        wrong = f"{', '.join(twice)} twice" if all(names) else "an empty name"
        raise ExportError(f"classes {said!r} have {wrong}: wanted each name once, in order")
    return names


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").strip().splitlines()
    except UnicodeDecodeError as error:
        raise ExportError(f"{path} is no text file: wanted a class name on each line") from error
