"""What the stack's own state remembers, read from inside the program.

A StackReference to the own stack lies after a partial update, and a dynamic provider has no invoke, so the CLI is
asked: `pulumi stack export` reads the state without taking the lock, and leaves secrets encrypted.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi
from pydantic import ValidationError

from components.ledger import NOT_KEPT
from runbook.model.cutover.ledger import Ledger, Memory
from runbook.model.plans.places import RECORD

LEDGER, STEP = "pulumi-python:dynamic/runbook:Ledger", "pulumi-python:dynamic/runbook:Step"
LIMIT = 30  # seconds; the export takes less than one


@dataclass(frozen=True)
class Remembered:
    """`ledger`: the record as it was given to its resource, None before the first. `steps`: name to `acted`,
    `evidence` and `failed`, as the step's provider says, with the evidence as an object. `names`: of DNS records."""

    ledger: dict[str, Any] | None
    steps: Mapping[str, Mapping[str, Any]]
    names: frozenset[str] | None = None

    def memory(self) -> Memory:
        """The same, as the model judges it. Raises: pulumi.RunError for a ledger that the model does not know."""
        try:
            ledger = Ledger.of(self.ledger) if self.ledger else None
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"]))
            raise pulumi.RunError(
                f"The ledger in the state is not one that this program writes: {where}: {first['msg']}.\nAnother"
                " version of the program may have written it: go on with that one. Nothing was changed."
            ) from None
        return Memory(
            ledger,
            {name: step["acted"] for name, step in self.steps.items()},
            {name: step["evidence"] for name, step in self.steps.items()},
            self.names,
        )


class Pending:
    """An export that was started."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def result(self) -> Remembered:
        """Raises: pulumi.RunError when the CLI failed."""
        with self._process:
            try:
                out, said = self._process.communicate(timeout=LIMIT)
            except subprocess.TimeoutExpired:
                self._process.kill()
                raise pulumi.RunError(_failed(f"It did not answer within {LIMIT} s.")) from None
        if self._process.returncode:
            raise pulumi.RunError(_failed(f"It said: {said.strip()}"))
        try:
            return remembered(json.loads(out))
        except (ValueError, LookupError, TypeError, AttributeError):
            raise pulumi.RunError(_failed("What it wrote is no state of a stack.")) from None


def begin(stack: str) -> Pending:
    """Start reading the state; the result can wait. Raises: pulumi.RunError when there is no CLI on PATH."""
    # In full: a name alone is looked up in the organization that the person who runs this has as default.
    name = f"{pulumi.get_organization()}/{pulumi.get_project()}/{stack}"
    command = ["pulumi", "stack", "export", "--stack", name, "--non-interactive", "--color", "never"]
    try:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
    except OSError as error:
        raise pulumi.RunError(_failed(f"It could not be started: {error.strerror}.")) from None
    return Pending(process)


def remembered(exported: Mapping[str, Any]) -> Remembered:
    """What is ours in an exported state."""
    resources = [each for each in exported["deployment"].get("resources") or () if not each.get("delete")]
    ledgers = [each["inputs"] for each in resources if each["type"] == LEDGER]
    steps = [(each["inputs"]["name"], each["outputs"]) for each in resources if each["type"] == STEP]
    return Remembered(
        ledger={key: value for key, value in ledgers[0].items() if key not in NOT_KEPT} if ledgers else None,
        steps={
            name: {"acted": kept["acted"], "evidence": json.loads(kept["evidence"]), "failed": kept["failed"]}
            for name, kept in steps
        },
        names=frozenset(each["inputs"]["name"] for each in resources if each["type"] == RECORD),
    )


def _failed(why: str) -> str:
    return (
        "`pulumi stack export`, by which the program reads what this stack did before, failed. "
        f"{why}\nThe CLI that runs this program must be on PATH; nothing was changed."
    )
