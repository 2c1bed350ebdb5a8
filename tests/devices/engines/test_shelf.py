"""Where engines are kept: whole or not at all, by one builder at a time."""

import subprocess
import sys
from pathlib import Path

import pytest

from stopline.devices.engines.network import EngineError
from stopline.devices.engines.shelf import described, engine_shelf
from stopline.runtime.backends.engine import engine_stem, find_engine
from stopline.runtime.bundle import Bundle
from tests.devices.engines.building import names_in
from tests.runtime.engines import ORIN, PLAN, record_for
from tests.runtime.tiny import tiny_bundle

STEM = engine_stem(ORIN.gpu, ORIN.sm, ORIN.library, "fp32")
AS_NOBODY = """
import os, sys
from stopline.devices.engines.shelf import engine_shelf
from stopline.runtime.bundle import open_bundle
bundle = open_bundle(sys.argv[1])
bundle.path.chmod(0o555)
if os.geteuid() == 0:
    os.seteuid(65534)
with engine_shelf(bundle, print):
    pass
"""


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    return tiny_bundle(tmp_path / "tiny")


def shelve_one(bundle: Bundle) -> None:
    with engine_shelf(bundle, print) as shelf:
        staged = shelf.staging / "x.plan"
        staged.write_bytes(PLAN)
        assert described(staged) == (record_for(bundle).plan_sha256, len(PLAN))
        shelf.place(STEM, staged, record_for(bundle))


def test_a_plan_is_found_once_its_record_is_there(bundle: Bundle) -> None:
    shelve_one(bundle)
    assert find_engine(bundle, "fp32", ORIN).plan == PLAN
    assert names_in(bundle.path) == {".lock", f"{STEM}.plan", f"{STEM}.json"}


def test_a_build_that_fails_leaves_the_engine_of_before(bundle: Bundle) -> None:
    shelve_one(bundle)
    with pytest.raises(RuntimeError), engine_shelf(bundle, print) as shelf:
        (shelf.staging / "x.plan").write_bytes(b"half")
        raise RuntimeError("the build crashed")
    assert find_engine(bundle, "fp32", ORIN).plan == PLAN
    assert names_in(bundle.path) == {".lock", f"{STEM}.plan", f"{STEM}.json"}


def test_a_plan_without_its_new_record_is_not_taken_for_the_old_one(bundle: Bundle) -> None:
    """A full disk between the two: here, a folder where the record should be staged."""
    shelve_one(bundle)
    with engine_shelf(bundle, print) as shelf:
        staged = shelf.staging / "x.plan"
        staged.write_bytes(b"another")
        (shelf.staging / f"{STEM}.json").mkdir()
        with pytest.raises(IsADirectoryError):
            shelf.place(STEM, staged, record_for(bundle))
    assert not list((bundle.path / "engines").glob("*.json"))


def test_what_a_killed_build_left_is_swept(bundle: Bundle) -> None:
    left = bundle.path / "engines" / ".building-old"
    left.mkdir(parents=True)
    (left / "half.plan").write_bytes(b"half")
    with engine_shelf(bundle, print):
        assert not left.exists()


def test_a_read_only_bundle_is_refused_with_what_to_do(bundle: Bundle) -> None:
    for folder in (bundle.path.parent, bundle.path.parent.parent):
        folder.chmod(0o755)  # so that nobody comes as far as the bundle
    command = [sys.executable, "-c", AS_NOBODY, str(bundle.path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    told = done.stderr.splitlines()[-1]
    assert done.returncode == 1
    assert EngineError.__name__ in told
    assert "cannot write engines to" in told
    assert f"`cp -r {bundle.path} .`" in told
    assert not (bundle.path / "engines").exists()
