"""The names of classes on a command line."""

from pathlib import Path

import pytest

from stopline.export.classes import class_names
from stopline.export.raw import ExportError


def test_coco80_is_known_by_name() -> None:
    names = class_names("coco80")
    assert len(names) == len(set(names)) == 80
    assert (names[0], names[9], names[11], names[79]) == (
        *("person", "traffic light", "stop sign", "toothbrush"),
    )


def test_names_may_be_listed_or_lie_in_a_file(tmp_path: Path) -> None:
    assert class_names("stop sign, person") == ("stop sign", "person")
    assert class_names("person") == ("person",)
    file = tmp_path / "names"
    file.write_text("stop sign\nperson\n")
    assert class_names(str(file)) == ("stop sign", "person")


@pytest.mark.parametrize(("said", "wrong"), [("a,,b", "an empty name"), ("a,b,a", "a twice")])
def test_names_that_are_empty_or_twice_there_are_refused(said: str, wrong: str) -> None:
    with pytest.raises(ExportError, match=wrong):
        class_names(said)


def test_an_absent_file_and_one_that_is_no_text_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        class_names("absent/names.txt")
    (tmp_path / "x.bin").write_bytes(b"\xff\xfe\x00\x81")
    with pytest.raises(ExportError, match="no text file"):
        class_names(str(tmp_path / "x.bin"))
