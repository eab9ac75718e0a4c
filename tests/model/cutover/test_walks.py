"""Cutovers that wander: any move, another next, updates of which a part failed, at any time. What holds in each."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from functools import cache
from graphlib import TopologicalSorter
from random import Random
from typing import Any

import pytest

from runbook.model.cutover.ledger import COMPLETE, Change, Memory, alike, check, next_digest
from runbook.model.cutover.phases import MOVES, Direction, Phase
from runbook.model.cutover.refusals import decide
from runbook.model.cutover.step import Kind
from runbook.model.problems import ConfigError
from runbook.model.settings import Settings
from tests.model.cutover.acting import STACKS, Played
from tests.model.cutover.examples import IN_WINDOW, NEXTS, WINDOW, configured
from tests.model.cutover.playing import observed, remembered, steps
from tests.stacks import platform

OPEN = {"window": {**WINDOW, "end": "2027-01-31 00:00"}}
OTHERS: dict[str, dict[str, Any]] = {
    "prod": {"targets": {"staff": "third.vercel-dns.com"}},
    "staging": {"targets": {"member": "third.vercel-dns.com"}},
    "easymo-prod": {"targets": {"api": "192.0.2.44"}},
}


@cache
def walk(seed: int) -> tuple[Played, ...]:
    return tuple(_walk(seed))


def _walk(seed: int) -> Iterator[Played]:
    """Each update as it was decided. Of those that nothing refuses a part fails now and then."""
    random = Random(seed)
    stack, memory, now = random.choice(STACKS), Memory(), IN_WINDOW
    was, following = configured(stack, None), NEXTS[stack]
    for _ in range(16):
        now += timedelta(minutes=random.choice([1, 30, 90, 600]))
        if random.random() < 0.1:
            following = random.choice([NEXTS[stack], {**NEXTS[stack], "release": "v3.0.0"}, OTHERS[stack]])
        try:
            settings = asked(random, stack, memory, was, following)
        except ConfigError:  # next is what serves already
            continue
        seen = observed(stack, was, memory, now - timedelta(minutes=random.choice([10, 3000, 3000])))
        decision = decide(platform(stack), settings, memory, seen, now)
        played = Played(stack, settings, memory, decision, steps(stack, settings, memory, decision))
        yield played
        if not decision.refusals:
            memory, was = remembered(stack, settings, memory, decision, now, failed(random, played)), settings


def asked(random: Random, stack: str, memory: Memory, was: Settings, following: dict[str, Any]) -> Settings:
    """Mostly a move that there is. Raises: ConfigError"""
    phase = memory.ledger.phase if memory.ledger else Phase.STEADY
    moves = [phase, *sorted(to for start, to in MOVES if start is phase)]
    to = random.choice(moves if random.random() < 0.65 else [*Phase])
    over = to is Phase.STEADY and phase is Phase.SETTLED and random.random() < 0.7
    current = (was.side if over else was.current).model_dump(mode="json", by_alias=True, exclude_none=True)
    if to is Phase.STEADY and random.random() < 0.5:
        return configured(stack, None, current=current)
    return configured(stack, to, {**OPEN, "next": following}, current=current)


def failed(random: Random, played: Played) -> set[str]:
    """Nothing, or a step with all that waits for it."""
    if random.random() < 0.65:
        return set()
    one = random.choice(sorted(played.steps))
    return {COMPLETE, *(name for name in played.steps if name == one or one in played.before_all(name))}


@pytest.mark.parametrize("seed", range(32))
def test_a_walk(seed: int) -> None:
    for played in walk(seed):
        old, new, refused = played.before.ledger, played.decision.ledger, played.decision.refusals
        if old is None:
            continue
        if old.before and alike(played.settings.side, old.before):
            assert (played.decision.change, refused) == (Change.BACK, ()), "there is always a way back"
        if played.before.going(Direction.BACK) and alike(played.settings.side, old.side):
            assert refused == (), "and it is gone on with"
        if refused:
            continue
        waits: dict[str, set[str]] = {name: {*step.after, *step.reads} for name, step in played.steps.items()}
        waits |= {group: {*names} for group, names in played.plan.after.items()}
        TopologicalSorter(waits).prepare()  # raises CycleError
        assert check(old.as_json(), new.as_json(), IN_WINDOW + timedelta(days=60)) == []
        if played.decision.change is Change.FLIP:
            assert (old.phase, played.before.open, old.prepared_for) == (
                Phase.PREPARED,
                False,
                next_digest(played.settings),
            )
        if new.direction is Direction.BACK and not played.before.completed(new.tag):
            promotes = [played.steps[name] for name in played.named("promote-")]
            assert {*map(len, played.plan.after.values())} == {0}
            assert {step.kind for step in promotes} == {Kind.ROLL_BACK}
            assert not {step.args["deployment"] for step in promotes} & {*_made(played.before)}


def _made(memory: Memory) -> Iterator[str]:
    """The builds of the next that is left."""
    for name, kept in memory.evidence.items():
        if name.startswith("build-"):
            yield kept["deployment"]


def test_walks_get_somewhere() -> None:
    """Each kind of change, crossings that were half done, and more than one cutover after another."""
    updates = [played for seed in range(32) for played in walk(seed) if not played.decision.refusals]
    assert {each.decision.change for each in updates} == {*Change} - {Change.OTHER}
    assert {each.before.going(direction) for each in updates for direction in Direction} == {True, False}
    assert max(each.decision.ledger.crossing for each in updates) >= 4
