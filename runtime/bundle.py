"""The bundle: the one thing that travels from training to the board."""

import hashlib
import os
import tempfile
import zipfile
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import msgspec

from stopline.runtime.atomic import sync_folder
from stopline.runtime.manifest import (
    ENGINES,
    MAX_MANIFEST_BYTES,
    SCHEMA,
    BundleError,
    File,
    Manifest,
    Precision,
)
from stopline.runtime.unpack import unpacked

BUILT_IN = Path(__file__).parent / "bundles"
MANIFEST = "manifest.json"


@dataclass(frozen=True, slots=True)
class Bundle:
    """A directory whose every file was checked against its manifest."""

    path: Path
    manifest: Manifest

    def precision(self, wanted: Precision | None = None) -> Precision:
        """The precision that was asked for, else FP32, else the first that is here."""
        variants = self.manifest.variants
        if wanted is None:
            return "fp32" if "fp32" in variants else next(iter(variants))
        if wanted not in variants:
            raise BundleError(
                f"{self.path} has no {wanted} variant: it has {', '.join(sorted(variants))}"
            )
        return wanted

    def variant_path(self, precision: Precision | None = None) -> Path:
        """The ONNX file of one precision; of FP32 unless said otherwise."""
        return self.path / self.manifest.variants[self.precision(precision)].file


def open_bundle(where: str | Path) -> Bundle:
    """Open a directory, a `.zip` of one, or a built-in bundle by its name, and check every byte.

    Raises BundleError if any file is unknown, missing, oversized or not what was signed for.
    """
    path = Path(where)
    if not path.exists() and (BUILT_IN / str(where)).is_dir():
        path = BUILT_IN / str(where)
    if not path.exists():
        built_in = ", ".join(sorted(found.name for found in BUILT_IN.glob("*/"))) or "none"
        raise BundleError(f"no bundle at {where}: wanted a folder, a .zip or one of: {built_in}")
    if path.is_file():
        path = unpacked(path)
    manifest = _read_manifest(path / MANIFEST)
    _check_strangers(path, {MANIFEST, *manifest.files})
    _check_files(path, manifest)
    return Bundle(path, manifest)


def write_bundle(where: Path, manifest: Manifest, files: Mapping[str, bytes]) -> Bundle:
    """Write a folder, or a `.zip` if `where` ends so: the whole bundle appears, or nothing does.

    `manifest.files` is filled in here. A bundle already there is replaced; anything else is not.
    """
    listed = {name: _described(content) for name, content in sorted(files.items())}
    manifest = msgspec.structs.replace(manifest, files=listed)
    _check_names(where, manifest)
    _check_replaceable(where)
    where.parent.mkdir(parents=True, exist_ok=True)
    encoded = msgspec.json.format(msgspec.json.encode(manifest), indent=2) + b"\n"
    contents = {**files, MANIFEST: encoded}
    with tempfile.TemporaryDirectory(prefix=f".{where.name}-", dir=where.parent) as scratch:
        staged = Path(scratch) / "bundle"
        if where.suffix == ".zip":
            _write_zip(staged, contents)
        else:
            _write_folder(staged, contents)
        _switch(staged, where, Path(scratch) / "replaced")
    return open_bundle(where)


def _read_manifest(path: Path) -> Manifest:
    if not path.is_file():
        raise BundleError(f"{path.parent} is not a bundle: it has no {MANIFEST}")
    if path.stat().st_size > MAX_MANIFEST_BYTES:
        raise BundleError(f"{path} has {path.stat().st_size} bytes: {MAX_MANIFEST_BYTES} at most")
    encoded = path.read_bytes()
    try:
        schema = msgspec.json.decode(encoded, type=_SchemaOnly).schema
        if schema != SCHEMA:
            raise BundleError(
                f"{path} has schema {schema}, this stopline reads {SCHEMA}: "
                f"install the version of stopline that wrote it"
            )
        manifest = msgspec.json.decode(encoded, type=Manifest)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BundleError(f"{path} is not a manifest: {error}") from error
    _check_names(path.parent, manifest)
    return manifest


class _SchemaOnly(msgspec.Struct):
    schema: int


def _check_names(where: Path, manifest: Manifest) -> None:
    for name in manifest.files:
        parts = PurePosixPath(name).parts
        plain = "\\" not in name and "\0" not in name and str(PurePosixPath(name)) == name
        if not plain or name.startswith("/") or ".." in parts or name in (".", MANIFEST):
            raise BundleError(f"{where} lists {name!r}: wanted a plain path inside the bundle")
        if parts[0] == ENGINES:
            raise BundleError(f"{where} lists {name!r}: engines are built on the board")
    for precision, variant in manifest.variants.items():
        if variant.file not in manifest.files:
            raise BundleError(f"{where}: variant {precision} names {variant.file!r}, not listed")


def _check_files(path: Path, manifest: Manifest) -> None:
    for name, wanted in manifest.files.items():
        file = path / name
        if not file.is_file():
            raise BundleError(f"{path} lacks {name}, which its manifest lists: copy it again")
        size = file.stat().st_size
        if size != wanted.bytes:
            raise BundleError(f"{file} has {size} bytes, its manifest says {wanted.bytes}")
        if _sha256(file) != wanted.sha256:
            raise BundleError(f"{file} is not what its manifest says (sha256): copy it again")


def _check_strangers(path: Path, known: Collection[str]) -> None:
    for file in path.rglob("*"):
        name = file.relative_to(path)
        if name.parts[0] == ENGINES:
            continue
        if file.is_symlink():
            raise BundleError(f"{file} is a link: a bundle has none")
        if file.is_file() and name.as_posix() not in known:
            raise BundleError(f"{file} is not in the manifest: remove it or write the bundle anew")


def _check_replaceable(where: Path) -> None:
    if where.is_dir() and any(where.iterdir()) and not (where / MANIFEST).is_file():
        raise BundleError(f"{where} is a folder but not a bundle: name another place")
    if where.is_file() and not zipfile.is_zipfile(where):
        raise BundleError(f"{where} is a file but not a bundle: name another place")


def _described(content: bytes) -> File:
    return File(sha256=hashlib.sha256(content).hexdigest(), bytes=len(content))


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def _write_folder(staged: Path, contents: Mapping[str, bytes]) -> None:
    for name, content in contents.items():
        file = staged / name
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("wb") as opened:
            opened.write(content)
            opened.flush()
            os.fsync(opened.fileno())


def _write_zip(staged: Path, contents: Mapping[str, bytes]) -> None:
    with staged.open("wb") as opened:
        with zipfile.ZipFile(opened, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in sorted(contents.items()):
                # A fixed date: the same bundle is the same bytes.
                archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), content)
        opened.flush()
        os.fsync(opened.fileno())


def _switch(staged: Path, where: Path, replaced: Path) -> None:
    if where.is_dir():
        where.rename(replaced)  # a folder cannot be replaced in one step
    staged.replace(where)
    sync_folder(where.parent)
