"""Where a command works: the checkout and the real clouds, or the practice ground."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from runbook.cli.codes import Code
from runbook.cli.errors import CliError

ROOT = Path(__file__).parents[2]
ENGINE = ROOT / ".venv" / "engine"
PULUMI = ".venv/engine/pulumi"  # as a person types it in the checkout: it need not be on PATH


@dataclass(frozen=True)
class Place:
    """`folder`: where Pulumi.yaml and the stack files are, and where the program runs. `environment`: all of what the
    engine gets to see of an environment. `stack`: the stack when none is named; "" where one must be named."""

    folder: Path
    environment: Mapping[str, str] = field(repr=False)
    practice: bool = False
    stack: str = ""

    @property
    def stacks(self) -> list[str]:
        """The stacks that have a file here."""
        found = self.folder.glob("Pulumi.*.yaml")
        return sorted(path.name.removeprefix("Pulumi.").removesuffix(".yaml") for path in found)

    def file(self, stack: str) -> Path:
        return self.folder / f"Pulumi.{stack}.yaml"

    def named(self, stack: str | None) -> str:
        """The stack that is meant. Raises: CliError where none is, or one that has no file."""
        from runbook.model.problems import nearest

        name, known = stack or self.stack, ", ".join(self.stacks)
        if not name and len(self.stacks) == 1:
            return self.stacks[0]
        if not name:
            raise CliError(
                f"No stack is named: the stacks here are {known}.",
                "Add --stack NAME, or set PULUMI_STACK.",
                Code.USAGE,
            )
        if name not in self.stacks:
            near = nearest(name, self.stacks)
            meant = f"Did you mean --stack {near}?" if near else f"Make Pulumi.{name}.yaml, or name one of these."
            raise CliError(f"There is no stack {name}: the stacks here are {known}.", meant, Code.USAGE)
        return name

    def command(self, words: str, stack: str) -> str:
        """A command of this program, as a person types it here."""
        where = " --practice" if self.practice else ""
        return f"./cutover {words}{'' if stack == self.stack else f' --stack {stack}'}{where}"

    def pulumi(self, words: str, stack: str) -> str:
        """A command of the engine, as a person types it in the checkout; one of a practice reaches that alone."""
        if not self.practice:
            return f"{PULUMI} {words} --stack {stack}"
        backend, folder = shlex.quote(self.environment["PULUMI_BACKEND_URL"]), self.folder.relative_to(ROOT)
        return f"PULUMI_BACKEND_URL={backend} {PULUMI} {words} --stack {stack} --cwd {folder}"


def place(practice: bool) -> Place:
    """Raises: CliError when practice is asked for and no practice ground is up."""
    if practice:
        from runbook.cli.practice import place as ground

        return ground()
    path = os.pathsep.join([str(ENGINE), os.environ.get("PATH", os.defpath)])
    return Place(ROOT, {**os.environ, **QUIET, "PATH": path})


# The CLI says nothing about newer versions, and knows --event-log, which is hidden behind this (its own Automation
# API sets it too).
QUIET = {"PULUMI_SKIP_UPDATE_CHECK": "true", "PULUMI_DEBUG_COMMANDS": "true"}
