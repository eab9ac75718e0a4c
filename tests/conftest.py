"""How the tests are shared out to processes: what stands on one costly fixture stays together."""

from __future__ import annotations

from pathlib import Path

import pytest

TESTS = Path(__file__).parent
# Folders whose tests share a stack, clouds or a database. tests/engine/cutover shares its own across processes.
TOGETHER = ("engine", "cli/engine", "cli/practice", "proving", "components", "clouds", "steps/gates")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        folder = item.path.parent.relative_to(TESTS).as_posix()
        for each in TOGETHER:
            if folder == each or (folder.startswith(f"{each}/") and each != "engine"):
                item.add_marker(pytest.mark.xdist_group(each))
