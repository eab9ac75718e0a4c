"""From what an evaluation found to the state of an alert, after Grafana's documents (No Data and Error states, Stale
alert instances, Alert rule evaluation; Grafana 13, where NoData and Error wait for the pending period too). A model:
no Grafana is asked. Where Prometheus defines the same (pending, firing, keep firing, resolved) the two are compared.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum

from runbook.proving.emitted import Emitted
from runbook.proving.scenario import Outcome

ZERO = timedelta()


class State(Enum):
    """States of an alert instance, in Grafana's words."""

    NORMAL = "Normal"
    PENDING = "Pending"
    ALERTING = "Alerting"
    RECOVERING = "Recovering"
    NO_DATA = "NoData"
    ERROR = "Error"


class Found(Enum):
    """What one evaluation found. GONE: the query returns other series and no longer this instance's."""

    BREACH = "breach"
    FINE = "fine"
    NO_DATA = "no data"
    ERROR = "error"
    GONE = "gone"


@dataclass(frozen=True)
class Handling:
    """The settings of a rule that decide on states."""

    for_: timedelta
    no_data_state: str
    exec_err_state: str
    keep_firing_for: timedelta = ZERO
    missing_series_evals_to_resolve: int = 2  # Grafana's default


@dataclass(frozen=True)
class Instance:
    """An alert instance: its state, since when, and for how many evaluations its series has been gone."""

    state: State = State.NORMAL
    since: timedelta = ZERO
    gone: int = 0


RAISED = (State.ALERTING, State.RECOVERING, State.NO_DATA, State.ERROR)
OUTCOMES: dict[State, Outcome] = {
    State.NORMAL: "silent",
    State.PENDING: "silent",
    State.ALERTING: "fires",
    State.RECOVERING: "fires",
    State.NO_DATA: "no data",
    State.ERROR: "error",
}


def step(handling: Handling, instance: Instance, found: Found, at: timedelta) -> Instance:
    """The instance after an evaluation at the time `at`."""
    if found is Found.GONE:
        gone = instance.gone + 1
        resolved = gone >= handling.missing_series_evals_to_resolve
        return Instance(State.NORMAL, at) if resolved else Instance(instance.state, instance.since, gone)
    target = _target(handling, instance, found)
    if target is State.NORMAL:
        return _calmed(handling, instance, at)
    if target is instance.state:
        return Instance(instance.state, instance.since)
    if instance.state is State.PENDING:
        # The period goes on whatever kind of trouble it is (Grafana pull request 117024).
        return Instance(target, at) if at - instance.since >= handling.for_ else instance
    # From one raised state to another there is no waiting; from NoData or Error to a breach there is.
    waits = instance.state is State.NORMAL or (target is State.ALERTING and instance.state in RAISED[2:])
    return Instance(State.PENDING if waits and handling.for_ else target, at)


def _target(handling: Handling, instance: Instance, found: Found) -> State:
    if found is Found.BREACH:
        return State.ALERTING
    if found is Found.FINE:
        return State.NORMAL
    chosen = handling.no_data_state if found is Found.NO_DATA else handling.exec_err_state
    if chosen == "KeepLast":
        return State.NORMAL if instance.state is State.NORMAL else State.ALERTING
    return {"Alerting": State.ALERTING, "OK": State.NORMAL, "NoData": State.NO_DATA, "Error": State.ERROR}[chosen]


def _calmed(handling: Handling, instance: Instance, at: timedelta) -> Instance:
    if instance.state is State.ALERTING and handling.keep_firing_for:
        return Instance(State.RECOVERING, at)
    if instance.state is State.RECOVERING and at - instance.since < handling.keep_firing_for:
        return Instance(instance.state, instance.since)
    return Instance(State.NORMAL, instance.since if instance.state is State.NORMAL else at)


def run(handling: Handling, evaluations: Iterable[tuple[timedelta, Found]]) -> list[State]:
    """The state after each evaluation, from Normal on."""
    instance, states = Instance(), []
    for at, found in evaluations:
        instance = step(handling, instance, found, at)
        states.append(instance.state)
    return states


def found(rule: Emitted, value: float | None) -> Found:
    """What a value of the rule's query is. NaN breaches no threshold in Grafana: to it that looks healthy."""
    if value is None:
        return Found.NO_DATA
    return Found.BREACH if not math.isnan(value) and rule.breached(value) else Found.FINE


def outcome(rule: Emitted, seen: Found, held: timedelta) -> Outcome:
    """What comes of it when every evaluation, for as long as `held`, finds the same."""
    handling = Handling(rule.for_, rule.no_data_state, rule.exec_err_state)
    times = [rule.interval * number for number in range(held // rule.interval + 1)]
    return OUTCOMES[run(handling, ((at, seen) for at in times))[-1]]
