"""Every alert arrives at its owner and at nobody else, inside and outside business hours, in both ways of routing.

An Alertmanager's clock cannot be moved. So the times of a mute timing are shifted by the distance between a moment
and now; the times as they are emitted are compared with the business hours for every minute of a week, and tried as
they are at the moment of the run.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from runbook.model.alerting import MuteTiming, contact_points, mute_timing
from runbook.model.fields import WEEKDAYS
from runbook.model.platform import Platform
from runbook.model.policies import PolicyTree, policy_tree
from runbook.model.settings import BusinessHours, Settings
from runbook.proving.alertmanager import AlertmanagerFailed, Arrivals, delivered, routed
from runbook.proving.emitted import Emitted, emitted
from runbook.proving.hours import at_work, shifted, wrong_minutes
from runbook.proving.mutation import Mutant
from runbook.proving.problems import ProofError
from runbook.proving.routing import KINDS, World, identity
from runbook.proving.scenarios.owners import REACHED, RESTING

MINUTE = timedelta(minutes=1)
ROOM_SECONDS, ATTEMPTS = 20, 3  # a run is begun when so much is left of the minute
RULES, TREE = "settings of each rule", "policy tree"
NOTES = (
    "Routes are proven on a translation of Grafana's to an Alertmanager's; no Grafana routes anything here.",
    "For moments other than now the times of mute timings are shifted by whole minutes; as emitted they are compared "
    "with the business hours minute by minute.",
    "Waiting times of groups are shortened.",
)


@dataclass(frozen=True)
class Stack:
    """What is proven of one stack. `mutants`: those of its rules that routes must tell from the rules."""

    name: str
    platform: Platform
    settings: Settings
    mutants: Sequence[Mutant] = ()


@dataclass(frozen=True)
class Route:
    """One alert of one rule at one moment: the contacts it was to reach, and those it did. `by`: amtool, or the live
    Alertmanager."""

    stack: str
    mode: str
    rule: str
    alert: str
    moment: str
    by: str
    expected: tuple[str, ...]
    arrived: tuple[str, ...]

    @property
    def proven(self) -> bool:
        return self.expected == self.arrived


@dataclass(frozen=True)
class Proof:
    """`killed`: of all mutants given, by stack and in their order, whether some route told it from its rule."""

    routes: tuple[Route, ...]
    killed: dict[str, tuple[bool, ...]]
    wrong_minutes: dict[str, int]


@dataclass(frozen=True)
class _Moment:
    name: str
    at: datetime
    later: int  # minutes by which times are shifted, so that the moment is now


@dataclass(frozen=True)
class _Trial:
    """One world of the live run. `mutant`: number of the mutant that it is there for."""

    stack: Stack
    mode: str
    moment: _Moment
    world: World
    mutant: int | None = None


def prove(stacks: Sequence[Stack], amtool: Path, alertmanager: Path) -> Proof:
    """Raises: AlertmanagerFailed; ProofError for a rule of which owners.py does not say whom it reaches."""
    now, trials, expected, arrived = _live(stacks, alertmanager)
    live = [route for trial in trials if trial.mutant is None for route in _routes(trial, expected, arrived, "live")]
    return Proof(
        routes=(*_static(stacks, now, amtool), *live),
        killed={stack.name: _killed(stack, trials, expected, arrived) for stack in stacks},
        wrong_minutes={stack.name: _wrong_minutes(stack, now) for stack in stacks},
    )


def _live(stacks: Sequence[Stack], alertmanager: Path) -> tuple[datetime, list[_Trial], Arrivals, Arrivals]:
    """The minute of a run, its worlds, what was to arrive in them and what did; again when the minute ran out, since
    then other times held in the end than in the beginning."""
    for _ in range(ATTEMPTS):
        room = ROOM_SECONDS - (60 - datetime.now(UTC).second)
        if room > 0:
            time.sleep(ROOM_SECONDS - room)
        now = _this_minute()
        trials = [trial for stack in stacks for trial in _trials(stack, now)]
        expected = {key: at for trial in trials for key, at in _expected(trial).items()}
        # Mutants send to others, so what was expected of them does not arrive.
        least = {key: at for trial in trials if trial.mutant is None for key, at in _expected(trial).items()}
        arrived = delivered(alertmanager, [trial.world for trial in trials], least)
        if _this_minute() == now:
            return now, trials, expected, arrived
    raise AlertmanagerFailed(
        "Alertmanager took longer than a minute each time: run the same command when there is less to do."
    )


def _this_minute() -> datetime:
    return datetime.now(UTC).replace(second=0, microsecond=0)


def _static(stacks: Sequence[Stack], now: datetime, amtool: Path) -> Iterator[Route]:
    """Where amtool says that each alert goes, muting left aside."""
    for stack in stacks:
        for mode in (RULES, TREE):
            moment = _Moment("any time", now, 0)
            trial = _Trial(stack, mode, moment, replace(_world(stack, mode), timing=None))
            yield from _routes(trial, _expected(trial), routed(amtool, trial.world), "amtool")


def _trials(stack: Stack, now: datetime) -> Iterator[_Trial]:
    moments = list(_moments(stack.settings.business_hours, now))
    for mode in (RULES, TREE):
        world = _world(stack, mode)
        for moment in moments:
            yield _Trial(stack, mode, moment, _at(world, moment))
    world = _world(stack, RULES)
    for number, mutant in enumerate(stack.mutants):
        changed = replace(world, name=f"{world.name}, mutant {number}", rules=[mutant.rule], kinds=KINDS[:1])
        for moment in moments[:3]:  # now, and both sides of the opening minute
            yield _Trial(stack, RULES, moment, _at(changed, moment), number)


def _moments(hours: BusinessHours | None, now: datetime) -> Iterator[_Moment]:
    """Now, and the minutes in which business hours begin and end, with those before; and noon of a free day."""
    yield _Moment("now", now, 0)
    if hours is None:
        return
    zone = ZoneInfo(hours.timezone)
    monday = now.astimezone(zone).date() + timedelta(days=7 - now.astimezone(zone).weekday())
    first = monday + timedelta(days=WEEKDAYS.index(hours.days[0]))
    opens, closes = (datetime.combine(first, at, zone) for at in (hours.start, hours.end))
    moments = [opens - MINUTE, opens, closes - MINUTE, closes]
    free = [day for day in WEEKDAYS if day not in hours.days]
    moments += [
        datetime(monday.year, monday.month, monday.day, 12, tzinfo=zone) + timedelta(days=WEEKDAYS.index(day))
        for day in free
    ]
    for at in moments:
        yield _Moment(f"{at:%A %H:%M}", at, (now - at) // MINUTE)


def _world(stack: Stack, mode: str) -> World:
    settings = stack.settings
    return World(
        name=f"{stack.name}, {mode}",
        folder=f"{stack.platform.title} {settings.environment}",
        rules=emitted(stack.platform, settings),
        points=contact_points(stack.platform, settings),
        timing=mute_timing(settings),
        tree=_tree(stack) if mode == TREE else None,
    )


def _at(world: World, moment: _Moment) -> World:
    """The world as it is at that moment."""
    timing = shifted(world.timing, moment.later) if world.timing and moment.later else world.timing
    return replace(world, name=f"{world.name}, {moment.name}", timing=timing)


def _tree(stack: Stack) -> PolicyTree | None:
    taken = stack.settings.notifications.model_copy(update={"take_over_policy_tree": True})
    return policy_tree(stack.platform, stack.settings.model_copy(update={"notifications": taken}))


def _expected(trial: _Trial) -> Arrivals:
    """What must arrive, from the business hours and owners.py; nobody, while a rule rests."""
    return {(trial.world.name, rule.uid, kind): _reached(trial, rule) for rule in trial.world.rules for kind in KINDS}


def _reached(trial: _Trial, rule: Emitted) -> set[str]:
    settings = trial.stack.settings
    hours = settings.business_hours
    rests = rule.name in RESTING and trial.world.timing is not None and hours is not None
    if rests and hours and not at_work(hours, trial.moment.at):
        return set()
    platform = trial.stack.platform.name
    owners = REACHED.get(platform, {}).get(rule.name)
    if owners is None:
        raise ProofError(
            f"Whom {rule.name} of {platform} reaches is to be written in runbook/proving/scenarios/owners.py."
        )
    return {identity(contact) for owner in owners for contact in settings.owners[owner]}


def _routes(trial: _Trial, expected: Arrivals, arrived: Arrivals, by: str) -> Iterator[Route]:
    for rule in trial.world.rules:
        for kind in trial.world.kinds:
            key = (trial.world.name, rule.uid, kind)
            yield Route(
                stack=trial.stack.name,
                mode=trial.mode,
                rule=rule.name,
                alert=kind,
                moment=trial.moment.name,
                by=by,
                expected=tuple(sorted(expected[key])),
                arrived=tuple(sorted(arrived.get(key, ()))),
            )


def _killed(stack: Stack, trials: Sequence[_Trial], expected: Arrivals, arrived: Arrivals) -> tuple[bool, ...]:
    killed = {
        trial.mutant
        for trial in trials
        if trial.stack is stack and trial.mutant is not None
        if any(not route.proven for route in _routes(trial, expected, arrived, "live"))
    }
    return tuple(number in killed for number in range(len(stack.mutants)))


def _wrong_minutes(stack: Stack, now: datetime) -> int:
    """Minutes of a week in which the emitted mute timing and the business hours disagree."""
    timing: MuteTiming | None = mute_timing(stack.settings)
    hours = stack.settings.business_hours
    return len(wrong_minutes(timing, hours, now.astimezone(UTC))) if timing and hours else 0
