"""A tiny program of ledger and steps on the real engine, in a folder of its own."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from runbook.rehearsal.engine import Engine, Outcome, Run
from runbook.rehearsal.stack_files import StackFile
from tests.stacks import ROOT

STACK = "tiny"
# What stands there otherwise is beside it, as `…_as_it_is`.
STAND_INS = {
    "__main__.py": "program.py",
    "runbook/steps/pagerduty.py": "pagerduty.py",
    "runbook/model/cutover/ledger.py": "ledger.py",
}


@dataclass
class Tiny:
    """What the program declares is set on the fields, and read by it at each command."""

    engine: Engine
    steps: dict[str, dict[str, Any]] = field(default_factory=dict)
    after: dict[str, list[str]] = field(default_factory=dict)
    ledger: dict[str, Any] = field(default_factory=lambda: {"phase": "steady"})
    record: str = "current"
    behaviour: dict[str, str] = field(default_factory=dict)
    refused: bool = False

    def start(self, command: str, *arguments: str) -> Run:
        plan = {name: getattr(self, name) for name in ("steps", "after", "ledger", "record", "refused")}
        self._write("plan.json", plan)
        self._write("behaviour.json", self.behaviour)
        (self.engine.root / "acts.jsonl").write_text("", encoding="utf-8")
        return self.engine.start(STACK, command, *arguments)

    def run(self, command: str, *arguments: str) -> Outcome:
        return self.start(command, *arguments).wait()

    def up(self, *arguments: str) -> Outcome:
        return self.run("up", "--yes", "--skip-preview", *arguments)

    def acts(self) -> list[dict[str, Any]]:
        """What acted in the last command, in order."""
        return [json.loads(line) for line in (self.engine.root / "acts.jsonl").read_text("utf-8").splitlines()]

    def acted(self) -> list[str]:
        return [each["name"] for each in self.acts()]

    def remembered(self) -> tuple[dict[str, Any] | None, dict[str, dict[str, Any]]]:
        """What the last command's program read of the state before it."""
        ledger, steps = json.loads((self.engine.root / "remembered.json").read_text("utf-8"))
        return ledger, steps

    def kept(self, name: str) -> dict[str, Any]:
        """The state of one resource, by its name."""
        resources = json.loads(self.engine.export(STACK))["deployment"]["resources"]
        found: dict[str, Any] = next(each for each in resources if each["urn"].endswith(f"::{name}"))
        return found

    def _write(self, name: str, value: object) -> None:
        (self.engine.root / name).write_text(json.dumps(value), encoding="utf-8")


def make(folder: Path) -> Tiny:
    """A stack that is empty yet."""
    root = folder / "root"
    _mirror(ROOT / "runbook", root / "runbook")
    _mirror(ROOT / "components", root / "components")
    here = ROOT / "tests" / "engine" / "tiny"
    _mirror(here, root / "tests" / "engine" / "tiny")
    for place, name in STAND_INS.items():
        target = root / place
        if target.exists():
            target.rename(target.with_stem(f"{target.stem}_as_it_is"))
        target.symlink_to(here / name)
    (root / "Pulumi.yaml").symlink_to(ROOT / "Pulumi.yaml")
    (root / ".venv").symlink_to(ROOT / ".venv")
    engine = Engine(root, folder / "out", {"PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true"})
    engine.add_stack(StackFile(STACK, {"config": {}}, None, {}))
    return Tiny(engine)


def _mirror(source: Path, target: Path) -> None:
    """The same folders, with links to the same files, so that single ones can be others."""
    for path in source.rglob("*.py"):
        link = target / path.relative_to(source)
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(path)
