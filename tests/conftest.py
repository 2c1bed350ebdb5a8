"""Fixtures that every folder's tests share."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def data_pack() -> Path:
    """Real images, labels, weights and clips beside the checkout; the test is skipped without."""
    pack = ROOT.parent / "shared" / "data"
    if not pack.is_dir():
        pytest.skip(f"the data pack {pack.name!r} is not beside this checkout")
    return pack
