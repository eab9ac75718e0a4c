"""The engines of the proof, each started once for all tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from runbook.proving.postgres import Postgres, running


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    with running() as server:
        yield server
