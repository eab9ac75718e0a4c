"""What people call an operation while it runs: its place in the runbook, and its name there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from runbook.model.plans.operation import LEDGER, STEP, Plan, plan_of
from runbook.model.plans.places import Place, place

_CLOUDS = {"cloudflare": "Cloudflare", "vercel": "Vercel", "grafana": "Grafana"}


@dataclass(frozen=True)
class Title:
    """`place`: the runbook's step, or the cloud of what is beside it; `name`: which one of it, "" where they are only
    counted."""

    place: str
    name: str = ""

    def __str__(self) -> str:
        return f"{self.name} ({self.place})" if self.name else self.place


Titled = Callable[[Mapping[str, Any]], Title | None]


def titles(tag: str) -> Titled:
    """`tag`: the crossing that runs, such as 2-back; "" for none. What only the engine knows has no title, nor has a
    step that does nothing."""
    scene = Plan("", "", "", tag, ())

    def title(event: Mapping[str, Any]) -> Title | None:
        found = plan_of([{"resourcePreEvent": event}]).operations
        if not found:
            return None
        operation = found[0]
        if operation.type == STEP and not _acts(operation.old, operation.new):
            return None
        where = place(operation, scene)
        if where is not Place.BESIDE or operation.type == STEP:
            return Title(where.value, "" if operation.type == LEDGER else operation.step or operation.name)
        cloud = _CLOUDS.get(operation.type.partition(":")[0])
        return Title(cloud) if cloud else None

    return title


def _acts(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    """Whether a step has something to do, as far as the engine shows it."""
    return bool(new.get("trigger") or old.get("trigger"))
