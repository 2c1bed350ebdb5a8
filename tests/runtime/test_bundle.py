"""A bundle is what its manifest says, to the byte, or it is refused by name."""

import json
import os
import stat
import zipfile
from pathlib import Path
from typing import Any

import pytest

from stopline.runtime.bundle import open_bundle, write_bundle
from stopline.runtime.detector import Detector
from stopline.runtime.manifest import BundleError, Provenance, Source
from tests.runtime.tiny import tiny_bundle, tiny_manifest


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def edited(where: Path, **changes: Any) -> Path:
    """The bundle's folder, after its manifest was changed by hand."""
    path = where / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))
    return where


def test_what_was_written_is_read_back(tmp_path: Path) -> None:
    written = tiny_bundle(tmp_path / "t")
    assert open_bundle(tmp_path / "t") == written
    assert written.variant_path().name == "fp32.onnx"


def test_a_zip_is_the_same_bundle_and_the_same_bytes_each_time(tmp_path: Path) -> None:
    zipped, again = tiny_bundle(tmp_path / "a.zip"), tiny_bundle(tmp_path / "b.zip")
    assert zipped.manifest == tiny_bundle(tmp_path / "t").manifest
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()
    assert zipped.path == again.path


def test_a_bundle_replaces_a_bundle_and_nothing_else(tmp_path: Path) -> None:
    tiny_bundle(tmp_path / "t")
    tiny_bundle(tmp_path / "t")
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter1").write_text("years of work")
    with pytest.raises(BundleError, match="not a bundle: name another place"):
        tiny_bundle(tmp_path / "thesis")
    assert (tmp_path / "thesis" / "chapter1").read_text() == "years of work"


def test_a_write_that_fails_leaves_the_old_bundle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny_bundle(tmp_path / "t")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        tiny_bundle(tmp_path / "t")
    monkeypatch.undo()
    open_bundle(tmp_path / "t")
    assert [path.name for path in tmp_path.iterdir()] == ["t"]


def test_no_bundle_says_what_was_wanted(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"wanted a folder, a .zip or one of"):
        open_bundle(tmp_path / "nowhere")


def test_a_folder_without_a_manifest_is_no_bundle(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="it has no manifest"):
        open_bundle(tmp_path)


def test_a_changed_file_is_refused_by_name(tmp_path: Path) -> None:
    path = tiny_bundle(tmp_path / "t").variant_path()
    content = bytearray(path.read_bytes())
    content[100] ^= 1
    path.write_bytes(content)
    with pytest.raises(BundleError, match=r"fp32.onnx is not what its manifest says \(sha256\)"):
        Detector(tmp_path / "t")


def test_a_missing_file_is_refused_by_name(tmp_path: Path) -> None:
    tiny_bundle(tmp_path / "t").variant_path().unlink()
    with pytest.raises(BundleError, match=r"lacks fp32.onnx"):
        open_bundle(tmp_path / "t")


def test_a_larger_file_is_refused_by_name(tmp_path: Path) -> None:
    with tiny_bundle(tmp_path / "t").variant_path().open("ab") as file:
        file.write(b"x")
    with pytest.raises(BundleError, match=r"fp32.onnx has \d+ bytes, its manifest says"):
        open_bundle(tmp_path / "t")


def test_an_unknown_file_is_refused_but_an_engine_is_the_boards_own(tmp_path: Path) -> None:
    tiny_bundle(tmp_path / "t")
    (tmp_path / "t" / "engines").mkdir()
    (tmp_path / "t" / "engines" / "orin-sm87-trt10.3.0-fp16.plan").write_bytes(b"")
    open_bundle(tmp_path / "t")
    (tmp_path / "t" / "run.sh").write_text("rm -rf /")
    with pytest.raises(BundleError, match=r"run.sh is not in the manifest"):
        open_bundle(tmp_path / "t")


def test_a_link_is_refused(tmp_path: Path) -> None:
    path = tiny_bundle(tmp_path / "t").variant_path()
    path.rename(tmp_path / "elsewhere.onnx")
    path.symlink_to(tmp_path / "elsewhere.onnx")
    with pytest.raises(BundleError, match="is a link"):
        open_bundle(tmp_path / "t")


def test_another_schema_says_which_stopline_reads_it(tmp_path: Path) -> None:
    tiny_bundle(tmp_path / "t")
    with pytest.raises(BundleError, match="has schema 2, this stopline reads 1"):
        open_bundle(edited(tmp_path / "t", schema=2))


@pytest.mark.parametrize(
    "change",
    [
        {"colour": "red"},
        {"input": {"height": 10**9, "width": 96}},
        {"input": {"height": "tall", "width": 96}},
        {"classes": []},
        {"boxes": -1},
        {"name": "../../etc"},
        {"variants": {"fp64": {"file": "fp32.onnx", "precision": "fp64"}}},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_manifest_that_does_not_fit_the_schema_is_refused(
    tmp_path: Path, change: dict[str, Any]
) -> None:
    tiny_bundle(tmp_path / "t")
    with pytest.raises(BundleError, match="is not a manifest"):
        open_bundle(edited(tmp_path / "t", **change))


@pytest.mark.parametrize("encoded", [b"", b"\xff\xfe", b"{", b"[]", b"[" * 100_000])
def test_a_manifest_that_is_not_json_is_refused(tmp_path: Path, encoded: bytes) -> None:
    (tmp_path / "manifest.json").write_bytes(encoded)
    with pytest.raises(BundleError, match="is not a manifest"):
        open_bundle(tmp_path)


def test_an_absurdly_large_manifest_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "manifest.json").open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(BundleError, match="1048576 at most"):
        open_bundle(tmp_path)


@pytest.mark.parametrize("name", ["../x", "/etc/x", "a/../../x", "a\\x", "./x", "engines/x", ""])
def test_a_path_that_leaves_the_bundle_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(BundleError, match="lists"):
        write_bundle(tmp_path / "t", tiny_manifest(), {"fp32.onnx": b"", name: b""})
    assert not (tmp_path / "t").exists()


def test_a_variant_without_its_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"names 'fp32.onnx', not listed"):
        write_bundle(tmp_path / "t", tiny_manifest(), {})


def test_a_variant_the_bundle_has_not_names_those_it_has(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="has no int8 variant: it has fp32"):
        tiny_bundle(tmp_path / "t").variant_path("int8")


def test_weights_of_unknown_origin_are_not_shippable() -> None:
    made = Provenance(created="now", stopline="0", command="")
    free = Source(name="a", licence="CC0-1.0", commercial=True)
    bound = Source(name="b", licence="CC-BY-NC-4.0", commercial=False)
    assert not made.shippable
    assert Provenance(created="", stopline="", command="", sources=(free,)).shippable
    assert not Provenance(created="", stopline="", command="", sources=(free, bound)).shippable


def zip_of(where: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(where, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return where


@pytest.mark.parametrize("name", ["../../evil", "/evil", "a/../../evil"])
def test_a_zip_that_would_write_outside_is_refused(tmp_path: Path, name: str) -> None:
    archive = zip_of(tmp_path / "evil.zip", {name: b"x"})
    with pytest.raises(BundleError, match="wanted a plain path"):
        open_bundle(archive)
    assert not (tmp_path.parent / "evil").exists()


def test_a_zip_that_brings_an_engine_is_refused(tmp_path: Path) -> None:
    """It would run what nobody here built or checked."""
    archive = zip_of(tmp_path / "foreign.zip", {"engines/orin-sm87-trt10.3-fp16.plan": b"x"})
    with pytest.raises(BundleError, match="built on the board"):
        open_bundle(archive)


def test_a_zip_with_a_link_is_refused(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("manifest.json")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "link.zip", "w") as archive:
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(BundleError, match="holds the link"):
        open_bundle(tmp_path / "link.zip")


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    archive = zip_of(tmp_path / "bomb.zip", {"fp32.onnx": bytes(50_000_000)})
    with pytest.raises(BundleError, match="would grow"):
        open_bundle(archive)
    assert not any((tmp_path / "cache").rglob("fp32.onnx"))


def test_a_zip_of_too_many_files_is_refused(tmp_path: Path) -> None:
    archive = zip_of(tmp_path / "many.zip", {str(i): b"" for i in range(300)})
    with pytest.raises(BundleError, match="holds 300 files"):
        open_bundle(archive)


@pytest.mark.parametrize("keep", [0.3, 0.9])
def test_a_truncated_zip_is_refused(tmp_path: Path, keep: float) -> None:
    tiny_bundle(tmp_path / "t.zip")
    os.truncate(tmp_path / "t.zip", int((tmp_path / "t.zip").stat().st_size * keep))
    with pytest.raises(BundleError, match="is not a zip"):
        open_bundle(tmp_path / "t.zip")


def test_a_text_file_is_no_bundle(tmp_path: Path) -> None:
    (tmp_path / "notes.zip").write_text("buy milk")
    with pytest.raises(BundleError, match="is not a zip"):
        open_bundle(tmp_path / "notes.zip")
