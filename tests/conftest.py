"""How the tests are shared out to processes: what stands on one costly fixture stays together."""

from __future__ import annotations

import signal
from pathlib import PurePosixPath
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]

# Folders whose tests share a stack, clouds or a database. tests/engine/cutover shares its own across processes.
TOGETHER = ("cli/engine", "cli/practice", "clouds", "components", "engine", "proving", "steps/gates")


class Together(LoadScopeScheduling):  # type: ignore[misc]
    """A folder of TOGETHER is run by one process, everything else test by test."""

    def _split_scope(self, nodeid: str) -> str:
        folder = PurePosixPath(nodeid.partition("::")[0]).parent.relative_to("tests").as_posix()
        for each in TOGETHER:
            if folder == each or (folder.startswith(f"{each}/") and each != "engine"):
                return each
        return nodeid


def pytest_configure() -> None:
    """Some tests press Ctrl-C. A shell that starts the run with `&` has it ignored by all that is started."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(tryfirst=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Together:
    return Together(config, log)
