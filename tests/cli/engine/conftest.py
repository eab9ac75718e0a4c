from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cli.engine.ground import Ground, ground
from tests.cli.engine.journey import Journey, travel


@pytest.fixture(scope="session")
def journey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Ground, Journey]]:
    """One stack through a whole cutover and back, by `./cutover` alone; tests look at what each command did."""
    with ground(tmp_path_factory.mktemp("cutover")) as made:
        yield made, travel(made)
