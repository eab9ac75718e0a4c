"""What the engine did, read from what `pulumi --event-log` writes: one JSON object a line.

Source of the format: pulumi's sdk/go/common/apitype/events.go. Secrets stand there as "[secret]".
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

# What the engine and its Python host add to an error that they have already told.
_ECHOES = ("preview failed", "update failed", "an unhandled error occurred: program exited with non-zero exit code")
QUIET = {"same", "read", "refresh"}  # the engine's words for steps that leave everything as it is


@dataclass(frozen=True)
class Operation:
    """One step of the engine on one resource. `op` is the engine's word: create, update, replace, delete, same ...;
    `diff` names the properties that differ, `inputs` is what the program asked for; of a delete, what it had asked
    for."""

    op: str
    urn: str
    type: str
    diff: tuple[str, ...] = ()
    inputs: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The resource's name in the program."""
        return self.urn.rsplit("::", 1)[-1]

    def __str__(self) -> str:
        """ "update dns-auth (ttl)"."""
        return f"{self.op} {self.name}" + (f" ({', '.join(self.diff)})" if self.diff else "")


@dataclass(frozen=True)
class Events:
    """All of one command. `begun` steps stand in the order of their beginning; those that ended well are in `done`
    (in a preview too), the others in `failed`. `resources` counts them as the engine's own last lines do; `messages`
    are pairs of severity and text."""

    begun: tuple[Operation, ...] = ()
    done: tuple[Operation, ...] = ()
    failed: tuple[Operation, ...] = ()
    messages: tuple[tuple[str, str], ...] = ()
    resources: Mapping[str, int] = field(default_factory=dict)

    @property
    def changes(self) -> tuple[Operation, ...]:
        """The steps begun that do more than look."""
        return tuple(each for each in self.begun if each.op not in QUIET)

    @property
    def errors(self) -> list[str]:
        """What the engine, the program or a cloud refused, each text once."""
        told = dict.fromkeys(text for severity, text in self.messages if severity == "error")
        return [text for text in told if not text.startswith(_ECHOES)] or list(told)


def read(path: Path) -> Events:
    """Everything that a log holds; one that was never begun holds nothing."""
    return parse(path.read_text(encoding="utf-8").splitlines()) if path.exists() else Events()


def parse(lines: Iterable[str]) -> Events:
    """The events in a log's lines. A last line that was cut off, as by a kill, is left out."""
    steps: dict[str, list[Operation]] = {"resourcePreEvent": [], "resOutputsEvent": [], "resOpFailedEvent": []}
    messages: list[tuple[str, str]] = []
    resources: Mapping[str, int] = {}
    for line in lines:
        try:
            event: dict[str, Any] = json.loads(line)
        except ValueError:
            break
        for kind, found in steps.items():
            if kind in event:
                found.append(_operation(event[kind]["metadata"]))
        if said := event.get("diagnosticEvent"):
            messages.append((said["severity"], said["message"].strip()))
        if summary := event.get("summaryEvent"):
            resources = summary["resourceChanges"]
    begun, done, failed = map(tuple, steps.values())
    return Events(begun, done, failed, tuple(messages), resources)


def steps_done(path: Path) -> int:
    """How many resources a log shows as dealt with while the command still writes it."""
    if not path.exists():
        return 0
    with path.open(encoding="utf-8", errors="replace") as lines:
        # A line says at its start what it is; to parse all of them, five times a second, would slow the command.
        return sum('"resOutputsEvent"' in line[:100] for line in lines)


def _operation(step: Mapping[str, Any]) -> Operation:
    state = step.get("new") or step.get("old") or {}
    diff = step.get("detailedDiff") or dict.fromkeys(step.get("diffs") or ())
    return Operation(step["op"], step["urn"], step["type"], tuple(sorted(diff)), state.get("inputs") or {})
