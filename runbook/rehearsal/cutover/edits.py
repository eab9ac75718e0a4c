"""The changes of a few lines of stack config that a cutover is, made in the engine's copy of a stack file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import yaml

from runbook.model.problems import NAMESPACE

ZONE = "Africa/Kigali"
_REASON = "rehearsed: sign-in is down, and every minute counts"


@dataclass(frozen=True)
class StackConfig:
    """One stack file, read and written anew with each edit."""

    path: Path

    def text(self) -> str:
        """The file as it stands, to be put back as a git revert does."""
        return self.path.read_text(encoding="utf-8")

    def restore(self, text: str) -> None:
        self.path.write_text(text, encoding="utf-8")

    def section(self, name: str) -> Any:
        return yaml.safe_load(self.text())["config"].get(f"{NAMESPACE}:{name}")

    def write(self, **sections: Any) -> None:
        """Put whole sections in place of those that stand there; None takes one away."""
        whole = yaml.safe_load(self.text())
        for name, value in sections.items():
            if value is None:
                whole["config"].pop(f"{NAMESPACE}:{name}", None)
            else:
                whole["config"][f"{NAMESPACE}:{name}"] = value
        self.restore(yaml.safe_dump(whole, sort_keys=False, allow_unicode=True))


@dataclass(frozen=True)
class Block:
    """The section `cutover` of a stack file. `next`: only what differs; `opens`: when its window begins."""

    next: Mapping[str, Any]
    opens: datetime
    functions: Mapping[str, Mapping[str, str]]
    owners: tuple[str, ...]
    back_out: tuple[str, ...]
    hours: int = 2
    soak: str = "1h"

    def with_window(self, opens: datetime) -> Block:
        return replace(self, opens=opens)

    def section(self, phase: str) -> dict[str, Any]:
        """As it stands in the file; the window begins at a whole minute."""
        start = self.opens.astimezone(ZoneInfo(ZONE))
        end = start + timedelta(hours=self.hours)
        return {
            "phase": phase,
            "window": {"start": f"{start:%Y-%m-%d %H:%M}", "end": f"{end:%Y-%m-%d %H:%M}", "zone": ZONE},
            "owners": list(self.owners),
            "backOut": list(self.back_out),
            "soak": self.soak,
            "next": dict(self.next),
            "functions": {name: dict(source) for name, source in self.functions.items()},
        }


def pasted(refusal: str, reason: str = _REASON) -> list[dict[str, str]]:
    """The overrides that a refusal offers, as a person pastes them: each with a reason filled in."""
    offered = re.search(r"^overrides:\n((?:[ ]+- .*\n?)+)", refusal, re.MULTILINE)
    if offered is None:
        return []
    overrides: list[dict[str, str]] = yaml.safe_load(offered[0])["overrides"]
    return [{**each, "reason": each["reason"] or reason} for each in overrides]


def over(current: Mapping[str, Any], following: Mapping[str, Any]) -> dict[str, Any]:
    """`current` := next: what differs is put over it, and the generation of the secrets is the one it brought."""
    merged: dict[str, Any] = {**current, "generation": current.get("generation", 1) + 1}
    for name, value in following.items():
        merged[name] = {**current.get(name, {}), **value} if isinstance(value, dict) else value
    return merged
