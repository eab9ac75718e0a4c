from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from runbook.rehearsal.clouds import Clouds
from tests.clouds.engine import Engine
from tests.clouds.samples import ZONES


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """Clouds of the test's own."""
    with Clouds(tmp_path / "store.db", ZONES) as clouds:
        engine = Engine(clouds)
        yield engine
        engine.close()


@pytest.fixture(scope="session")
def still(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """Clouds for tests that only check and compare, and so change nothing."""
    with Clouds(tmp_path_factory.mktemp("still") / "store.db", ZONES) as clouds:
        engine = Engine(clouds)
        yield engine
        engine.close()
