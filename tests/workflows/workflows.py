"""The workflows as data."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import yaml

from tests.stacks import ROOT

FOLDER = ROOT / ".github" / "workflows"


@dataclass(frozen=True)
class Workflow:
    """One file. `plain` is its parsed content; PyYAML reads the key `on` as True."""

    name: str
    text: str
    plain: dict[Any, Any]

    @property
    def triggers(self) -> dict[str, Any]:
        found: dict[str, Any] = self.plain[True]
        return found

    @property
    def jobs(self) -> dict[str, dict[str, Any]]:
        found: dict[str, dict[str, Any]] = self.plain["jobs"]
        return found

    def steps(self) -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
        """Name of the job, the job, the step."""
        for name, job in self.jobs.items():
            for step in job["steps"]:
                yield name, job, step

    def concurrency(self, job: str) -> dict[str, Any]:
        """What holds for a job: its own, else the workflow's."""
        found: dict[str, Any] = self.jobs[job].get("concurrency") or self.plain.get("concurrency") or {}
        return found


def load(name: str, text: str) -> Workflow:
    return Workflow(name, text, yaml.safe_load(text))


@cache
def workflows() -> dict[str, Workflow]:
    found = {file.stem: load(file.stem, file.read_text(encoding="utf-8")) for file in sorted(FOLDER.glob("*.yml"))}
    assert found, "the workflows have moved"
    return found


def run_of(name: str, job: str, containing: str) -> str:
    """The shell text of the one step of a job that contains something."""
    found = [step["run"] for step in workflows()[name].jobs[job]["steps"] if containing in step.get("run", "")]
    assert len(found) == 1, found
    return str(found[0])
