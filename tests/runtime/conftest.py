"""Fixtures that the runtime's tests share."""

import pytest

from tests.runtime.tiny import tiny_bundle


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A bundle on the disk, which nobody changes."""
    where = tmp_path_factory.mktemp("bundle") / "tiny"
    tiny_bundle(where)
    return str(where)
