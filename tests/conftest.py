"""Fixtures for every test."""

from __future__ import annotations

from pathlib import Path

import pytest

SHARED_DATA = Path(__file__).parents[1].parent / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real media with known truth; skips where it is absent."""
    if not SHARED_DATA.is_dir():
        pytest.skip("the media of ../shared/data are not present on this machine")
    return SHARED_DATA
