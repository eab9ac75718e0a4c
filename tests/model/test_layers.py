"""Each layer imports only from the ones below it, and no file grows beyond what one reads in one go."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stacks import ROOT

# Of the program's packages, the ones that files of a folder may import. Steps know of the model its types alone.
BELOW = {
    "runbook/model": {"runbook.model"},
    "runbook/platforms": {"runbook.model", "runbook.platforms"},
    "runbook/steps": {"runbook.model.cutover.step", "runbook.model.cutover.observed", "runbook.steps"},
    "components": {"runbook.model", "runbook.platforms", "runbook.steps", "components"},
}
# The model is pure: no engine, no provider. Of the SDKs only the types of dashboards, which are data too.
OUTSIDE_OF_MODEL = {"grafana_foundation_sdk", "pydantic", "pydantic_core"}
MOST_LINES = 400


def files(folder: str) -> list[Path]:
    found = sorted((ROOT / folder).rglob("*.py"))
    assert found, f"{folder} has moved"
    return found


def imported(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file} imports relatively"
            # `from runbook import platforms` imports a package, not a name
            yield from (
                (f"runbook.{alias.name}" for alias in node.names) if node.module == "runbook" else [str(node.module)]
            )


def ours(module: str) -> bool:
    return module.split(".")[0] in ("runbook", "components", "script", "tests")


@pytest.mark.parametrize("folder", BELOW)
def test_layer_imports_only_from_below(folder: str) -> None:
    for file in files(folder):
        for module in filter(ours, imported(file)):
            allowed = any(f"{module}.".startswith(f"{below}.") for below in BELOW[folder])
            assert allowed, f"{file.relative_to(ROOT)} imports {module}"


@pytest.mark.parametrize("folder", ["runbook/model", "runbook/platforms"])
def test_model_and_platforms_are_pure(folder: str) -> None:
    for file in files(folder):
        for module in imported(file):
            top = module.split(".")[0]
            assert ours(module) or top in sys.stdlib_module_names or top in OUTSIDE_OF_MODEL, (
                f"{file.relative_to(ROOT)} imports {module}"
            )


def test_platforms_do_not_know_each_other() -> None:
    names = {file.stem for file in files("runbook/platforms")}
    for file in files("runbook/platforms"):
        assert not [module for module in imported(file) if module.removeprefix("runbook.platforms.") in names]


def test_files_stay_small() -> None:
    folders = ("components", "runbook", "script", "tests")
    long = [
        f"{file.relative_to(ROOT)}: {lines}"
        for folder in folders
        for file in files(folder)
        if (lines := len(file.read_text(encoding="utf-8").splitlines())) > MOST_LINES
    ]
    assert long == []
