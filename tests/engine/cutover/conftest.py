from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.engine.cutover.play import Play, resumed
from tests.engine.cutover.points import Points
from tests.engine.cutover.stops import STOPS

BRANCHES = ("back-", "before-", "refreshed-")


@pytest.fixture(scope="session")
def points(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Points]:
    """Shared by all processes of a test run, each of which has a folder of its own below one. Those that tests ask
    for by a parameter are made ahead."""
    base = tmp_path_factory.getbasetemp()
    made = Points((base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base) / "points")
    specs = [item.callspec for item in request.session.items if hasattr(item, "callspec")]
    asked = {value for spec in specs for value in spec.params.values() if isinstance(value, str)}
    wanted = [name for name in STOPS if name in asked]
    branches = [name for name in wanted if name.startswith(BRANCHES)]
    with made.ahead([name for name in wanted if name not in branches], branches):
        yield made


@pytest.fixture
def at(points: Points, tmp_path: Path) -> Iterator[Callable[[str], Play]]:
    """A copy of a point, to go on with."""
    with ExitStack() as stack:
        yield lambda name: stack.enter_context(resumed(points.at(name), tmp_path))
