from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clouds.web.world import World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Vendors of the test's own, on a clock that stands still until it is moved."""
    world = World(tmp_path / "store.db")
    yield world
    world.close()
