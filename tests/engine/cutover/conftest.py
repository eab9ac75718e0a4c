from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.engine.cutover.play import Play, resumed
from tests.engine.cutover.stops import Points


@pytest.fixture(scope="session")
def points(tmp_path_factory: pytest.TempPathFactory) -> Points:
    """Shared by all processes of a test run, each of which has a folder of its own below one."""
    base = tmp_path_factory.getbasetemp()
    return Points((base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base) / "points")


@pytest.fixture
def at(points: Points, tmp_path: Path) -> Iterator[Callable[[str], Play]]:
    """A copy of a point, to go on with."""
    with ExitStack() as stack:
        yield lambda name: stack.enter_context(resumed(points.at(name), tmp_path))
