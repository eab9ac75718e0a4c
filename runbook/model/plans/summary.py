"""What a reviewer reads of a plan in a minute, as plain data. Sentences are whole; nothing in it holds a secret."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
from typing import Any

from runbook.model.cutover import texts
from runbook.model.plans.normal import short
from runbook.model.plans.notice import Asked, noticed, waits, way_back
from runbook.model.plans.operation import Operation, Plan
from runbook.model.plans.places import flips, goes_back, in_order, place
from runbook.model.plans.rules import PlanRefusal
from runbook.model.plans.says import CLOUDS, act, cloud, declaration, declared


@dataclass(frozen=True)
class Part:
    """Lines that belong together."""

    title: str
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Summary:
    """`digest`: 64 hex digits. `move`: the phases, such as "prepared to flipped". `notice`: what people notice first;
    `undone`: what cannot be undone; `way_back_seconds`: None where there is nothing to go back from. `steps`: those
    that act, by the runbook's steps; `changes`: the declared ones, by cloud. `against`: what the plan rules refuse;
    `refused`: why the preview itself failed, and then nothing else is sure."""

    stack: str
    title: str
    digest: str
    move: str
    crossing: str
    headline: str
    notice: tuple[str, ...]
    undone: tuple[str, ...]
    way_back: tuple[str, ...]
    way_back_seconds: int | None
    waits: tuple[str, ...]
    steps: tuple[Part, ...]
    changes: tuple[Part, ...]
    alone: tuple[str, ...]
    against: tuple[PlanRefusal, ...]
    refused: str

    @property
    def goes_back(self) -> bool:
        return self.crossing.endswith("-back")

    @property
    def short(self) -> str:
        """The hash as it is typed."""
        return short(self.digest)


def summary(plan: Plan, digest: str, asked: Asked, against: Sequence[PlanRefusal] = ()) -> Summary:
    """All of it. `digest`: the plan's hash; `against`: what `judge` found."""
    back, seconds = way_back(plan, asked)
    return Summary(
        stack=plan.stack,
        title=f"{asked.platform.title} {asked.settings.environment}",
        digest=digest,
        move=_move(plan),
        crossing=plan.tag,
        headline=_headline(plan),
        notice=noticed(plan, asked),
        undone=texts.cannot_be_undone(asked.platform) if flips(plan) else (),
        way_back=back,
        way_back_seconds=seconds,
        waits=waits(plan, asked),
        steps=tuple(_steps(plan)),
        changes=tuple(_changes(plan)),
        alone=tuple(_alone(plan)),
        against=tuple(against),
        refused=plan.refused,
    )


def as_json(found: Summary) -> dict[str, Any]:
    """The summary as JSON has it: the same names; each refusal with its rule and URN."""
    plain = {**asdict(found), "short": found.short, "against": [each.as_json() for each in found.against]}
    return {key: list(value) if isinstance(value, tuple) else value for key, value in plain.items()}


def _move(plan: Plan) -> str:
    if not plan.phase:
        return "not known"
    return plan.phase if plan.phase_was in ("", plan.phase) else f"{plan.phase_was} to {plan.phase}"


def _headline(plan: Plan) -> str:
    """What this update is, in one sentence."""
    if plan.refused:
        return "The preview failed: nothing can be applied."
    if flips(plan):
        return f"Traffic flips to next (crossing {plan.tag})."
    if goes_back(plan):
        return f"Traffic goes back to what served before (crossing {plan.tag})."
    if not plan.phase_was and plan.phase:
        return f"The stack's first update: {_count(sum(map(declared, plan.changes)), 'resource')}."
    acting = len(in_order(plan))
    changing = sum(map(declared, plan.changes))
    if not acting and not changing:
        return "Nothing changes."
    parts = [_count(acting, "step") + (" acts" if acting == 1 else " act")] if acting else []
    parts += [_count(changing, "resource") + (" changes" if changing == 1 else " change")] if changing else []
    return f"What serves stays: {' and '.join(parts)}."


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _steps(plan: Plan) -> Iterator[Part]:
    for where, steps in groupby(in_order(plan), key=lambda each: place(each, plan)):
        yield Part(where.value, tuple(act(each) for each in steps))


def _changes(plan: Plan) -> Iterator[Part]:
    changed = sorted(filter(declared, plan.changes), key=_by_cloud)
    for whose, operations in groupby(changed, key=cloud):
        yield Part(whose, tuple(map(declaration, operations)))


def _by_cloud(operation: Operation) -> tuple[int, str]:
    known = [*CLOUDS.values(), "Elsewhere"]
    return known.index(cloud(operation)), operation.urn


def _alone(plan: Plan) -> Iterator[str]:
    """What stays as it is."""
    kept = Counter(cloud(each) for each in plan.operations if each.op == "same" and declared(each))
    if kept:
        parts = [f"{number} at {whose}" for whose, number in sorted(kept.items())]
        yield f"{_count(sum(kept.values()), 'resource')}: {', '.join(parts)}."
    if plan.tag:
        yield "The database: no data is moved, and no migration runs."
