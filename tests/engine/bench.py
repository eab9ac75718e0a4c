"""Stacks on the real engine, as the rehearsal makes them, for tests to change and look at."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from runbook.model.plans.operation import STEPS_PROVIDER
from runbook.model.problems import NAMESPACE
from runbook.rehearsal import stack_files
from runbook.rehearsal.clouds import Clouds, Held
from runbook.rehearsal.engine import Engine, Outcome
from runbook.rehearsal.events import Operation
from runbook.rehearsal.rehearse import Stage
from runbook.rehearsal.stack_files import StackFile
from tests.stacks import ROOT


@dataclass(frozen=True)
class Bench:
    """An engine on clouds of its own."""

    engine: Engine
    clouds: Clouds
    files: Mapping[str, StackFile]

    @contextlib.contextmanager
    def edited(self, stack: str, changes: Mapping[str, Any]) -> Iterator[None]:
        """The engine's copy of a stack file with values set by dotted path, as a person edits the file."""
        path = self.engine.config_of(stack)
        before = path.read_text(encoding="utf-8")
        whole = yaml.safe_load(before)
        for dotted, value in changes.items():
            *sections, last = dotted.split(".")
            node = whole["config"]
            for number, section in enumerate(sections):
                node = node.setdefault(section if number else f"{NAMESPACE}:{section}", {})
            node[last if sections else f"{NAMESPACE}:{last}"] = value
        path.write_text(yaml.safe_dump(whole, sort_keys=False), encoding="utf-8")
        try:
            yield
        finally:
            path.write_text(before, encoding="utf-8")

    def one(self, kind: str, **wanted: str) -> Held:
        """The one object that the clouds hold of a kind, which is the end of a type token, and with these values."""
        found = [
            held
            for held in self.clouds.store.objects()
            if held.kind.endswith(f":{kind}") and wanted.items() <= held.properties.items()
        ]
        assert len(found) == 1, (kind, wanted, found)
        return found[0]


@contextlib.contextmanager
def bench(out: Path, *stacks: str) -> Iterator[Bench]:
    """Clouds that know the stacks' zones, and an engine without a stack yet."""
    files = {stack: stack_files.load(ROOT, stack) for stack in stacks}
    with Clouds(out / "clouds.db", zones=[file.config["zone"] for file in files.values()]) as clouds:
        yield Bench(Engine(ROOT, out, clouds.env()), clouds, files)


class Silent:
    """Watches a rehearsal and says nothing."""

    def begun(self, stage: Stage) -> None: ...

    def ended(self, stage: Stage, outcome: Outcome) -> None: ...


def changes(outcome: Outcome) -> dict[str, tuple[str, tuple[str, ...]]]:
    """What a command began to change: resource name to the engine's word and the properties that differ."""
    return {each.name: (each.op, each.diff) for each in changed(outcome)}


def changed(outcome: Outcome) -> list[Operation]:
    """The same in the order in which it began. Left out is the engine's own provider of dynamic resources: the engine
    gives it the whole config as its inputs, so every edit of a stack file updates it and nothing else comes of it."""
    return [each for each in outcome.events.changes if each.type != STEPS_PROVIDER]


def flat(text: str) -> str:
    """A text in one line: the engine breaks what clouds and providers say where it likes."""
    return re.sub(r"\s+", " ", text)
