"""Updates as plans of steps: which act, and what each waits for by the closure of all that is declared."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import Any

import pytest

from runbook.model.cutover.ledger import Memory
from runbook.model.cutover.phases import Phase
from runbook.model.cutover.refusals import Decision, decide
from runbook.model.cutover.step import Group, Plan, Step
from runbook.model.settings import Settings
from tests.model.cutover.examples import IN_WINDOW, configured
from tests.model.cutover.playing import PREPARED_AT, SETTLED_AT, observed, played, steps
from tests.stacks import platform

S, P, F, T, R = Phase.STEADY, Phase.PREPARED, Phase.FLIPPED, Phase.SETTLED, Phase.ROLLED_BACK
STACKS = ("prod", "staging", "easymo-prod")
every_stack = pytest.mark.parametrize("stack", STACKS)


@dataclass(frozen=True)
class Played:
    """An update that nothing refused, with what the state held before it."""

    stack: str
    settings: Settings
    before: Memory
    decision: Decision
    plan: Plan

    @property
    def steps(self) -> dict[str, Step]:
        return {step.name: step for step in self.plan.steps}

    @property
    def due(self) -> set[str]:
        """The steps that act."""
        return {
            step.name
            for step in self.plan.steps
            if step.trigger != self.before.acted.get(step.name, "") and (step.trigger or step.undone)
        }

    def before_all(self, *names: str | Group) -> set[str | Group]:
        """What each of these waits for, directly or not; groups among them."""
        waits: dict[str | Group, tuple[str | Group, ...]] = {
            **{step.name: (*step.after, *step.reads) for step in self.plan.steps},
            **{group: (*names,) for group, names in self.plan.after.items()},
        }
        found: list[set[str | Group]] = []
        for name in names:
            seen: set[str | Group] = set()
            left = [*waits[name]]
            while left:
                each = left.pop()
                if each not in seen:
                    seen.add(each)
                    left += waits[each]
            found.append(seen)
        return set.intersection(*found)

    def named(self, *starts: str) -> set[str]:
        return {name for name in self.steps if name.startswith(starts)}


@cache
def update(stack: str, way: tuple[Phase, ...], phase: str | None, open_: bool = False) -> Played:
    """The update to `phase` (None: the config from before) after these phases."""
    settings = configured(stack, phase)
    memory = played(stack, *way, complete=not open_)
    was = configured(stack, way[-1].value if way else None)
    now = IN_WINDOW + timedelta(minutes=30) if phase == "flipped" else SETTLED_AT
    seen = observed(stack, was, memory, PREPARED_AT)
    decision = decide(platform(stack), settings, memory, seen, now)
    assert decision.refusals == ()
    return Played(stack, settings, memory, decision, steps(stack, settings, memory, decision))


def vercel(stack: str, what: str) -> set[str]:
    return {f"{what}-{app.name}" for app, _ in platform(stack).vercel_apps}


def apps(stack: str) -> Iterable[Any]:
    return platform(stack).apps
