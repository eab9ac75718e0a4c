"""The README's previews of a cutover are the engine's, for the very lines of YAML that it shows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from runbook.model.problems import NAMESPACE
from runbook.rehearsal.cutover import company
from runbook.rehearsal.cutover.edits import StackConfig
from tests.engine.bench import Bench, bench
from tests.stacks import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
NOON, WINDOW = datetime(2026, 12, 4, 12, tzinfo=UTC), datetime(2026, 12, 5, 20, 5, tzinfo=UTC)
_OPERATION = re.compile(r"^ ([~+-])  (\S+) (\S+) (\S+)(?: \[diff: (.*)\])?$", re.MULTILINE)


def block() -> dict[str, Any]:
    """The section that the first diff adds."""
    added = re.search(r"```diff\n((?:\+.*\n)+)```", README)
    assert added
    text = "\n".join(line[1:] for line in added[1].splitlines())
    section: dict[str, Any] = yaml.safe_load(text)[f"{NAMESPACE}:cutover"]
    return section


def shown() -> list[str]:
    """What stands under each `pulumi preview`, in the README's order: prepare, refused, flip, back."""
    return re.findall(r"```console\n\$ pulumi preview --stack prod\n(.*?)```", README, re.DOTALL)


def operations(text: str) -> set[tuple[str, ...]]:
    """Of a preview, in any order; a step's own diff is left out of the README."""
    found = _OPERATION.findall(text)
    return {(sign, kind, name, op, "" if "runbook:" in kind else diff) for sign, kind, name, op, diff in found}


def totals(text: str) -> list[str]:
    return re.findall(r"^    (?:[~+-] )?(\d+ (?:to update|unchanged))", text, re.MULTILINE)


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Bench]:
    with bench(tmp_path, "prod") as made:
        file = made.files["prod"]
        assert file.platform is not None
        made.engine.add_stack(file)
        company.settle_in(made.clouds, file.platform, file.config, block()["next"]["supabaseRef"])
        StackConfig(made.engine.config_of("prod")).write(endpoints=made.clouds.endpoints())
        assert made.engine.run("prod", "up", "--yes", "--skip-preview").code == 0
        company.release_all(made.clouds, file.platform, "prod", "v1.0.0")
        yield made


def test_previews_are_what_the_readme_shows(stack: Bench, tmp_path: Path) -> None:
    platform, config = stack.files["prod"].platform, StackConfig(stack.engine.config_of("prod"))
    assert platform is not None
    section = {**block(), "functions": company.sources(platform, tmp_path / "company")}
    prepare, early, flip, back = shown()

    stack.clouds.clock.set(NOON)
    config.write(cutover=section)
    meets(stack, prepare)
    assert stack.engine.run("prod", "up", "--yes", "--skip-preview").code == 0

    config.write(cutover={**section, "phase": "flipped"})
    refused = stack.engine.run("prod", "preview")
    assert refused.code
    told = " ".join(refused.output.split())
    # Times are those of the run that is shown.
    for sentence in ("2 reasons against this update of prod; nothing was changed.", "rule: window", "rule: opens-at"):
        assert sentence in told
        assert sentence in " ".join(early.split())

    stack.clouds.clock.set(WINDOW)
    meets(stack, flip)
    assert stack.engine.run("prod", "up", "--yes", "--skip-preview").code == 0
    config.write(cutover={**section, "phase": "rolled-back"})
    meets(stack, back)


def meets(stack: Bench, text: str) -> None:
    outcome = stack.engine.run("prod", "preview")
    assert outcome.code == 0, outcome.output
    assert operations(outcome.output) == operations(text)
    assert totals(outcome.output) == totals(text)
