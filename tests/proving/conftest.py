"""The engines of the proof, each started once for all tests of this folder.

PostgreSQL comes with the packages. The others take minutes to build, so a machine that has never run make alerts
tests what can be tested without them, and says so.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from runbook.proving import loki as loki_module
from runbook.proving import postgres as postgres_module
from runbook.proving.engines import Engines, NoEngines, engines
from runbook.proving.loki import Loki
from runbook.proving.postgres import Postgres

collect_ignore: list[str] = []
try:
    engines()
except NoEngines:
    collect_ignore += ["test_loki.py", "test_prometheus.py", "test_routes.py", "test_states_on_promtool.py"]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if collect_ignore:
        left_out = ", ".join(collect_ignore)
        terminalreporter.write_line(
            f"Left out, as their engines are not on this machine: {left_out}. Run make alerts."
        )


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    with postgres_module.running() as server:
        yield server


@pytest.fixture(scope="session")
def programs() -> Engines:
    return engines()


@pytest.fixture(scope="session")
def loki(programs: Engines) -> Iterator[Loki]:
    with loki_module.running(programs.loki) as server:
        yield server
