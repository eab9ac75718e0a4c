"""Scenarios of burn-rate alerts: what each must fire and stay silent at, whatever the objective.

A world is a row of pieces (bad events per step, events per step, steps). A step is a hundredth of the long window, so
that the short one, its twelfth, holds eight.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from runbook.proving.scenario import Broken, Outcome, Scenario, Series

Piece = tuple[int, int, int]
EVENTS = 100_000  # per step
LEAST_EVENTS, LEAST_BAD = 100, 5  # below either there is too little to judge by


@dataclass(frozen=True)
class Burn:
    """One alert: `allowed`, the share of events that may be bad; the alert's factor and long window; and what turns
    pieces into series."""

    rule: str
    allowed: Decimal
    factor: Decimal
    long: timedelta
    world: Callable[[Sequence[Piece]], Mapping[str, str]]


def burn_scenarios(burn: Burn) -> list[Scenario]:
    """Rates at the edges of both windows, few events, few failures, no event, no series, no answer."""
    edge = int(burn.allowed * burn.factor * EVENTS)  # bad events per step at exactly the factor
    near, far = max(1, edge // 1000), edge // 50 + 1

    def at(title: str, expect: Outcome, *pieces: Piece, per_window: int = 100) -> Scenario:
        step = burn.long / per_window
        series = Series(burn.world(pieces), at=step * sum(steps for _, _, steps in pieces), step=step)
        return Scenario(burn.rule, title, expect, series)

    def rates(title: str, expect: Outcome, mean: int, lately: int) -> Scenario:
        """`mean` in the long window, `lately` in the short one."""
        before = mean - (lately - mean) // 9
        return at(title, expect, (mean, EVENTS, 110), (before, EVENTS, 81), (lately, EVENTS, 9))

    def steady(title: str, expect: Outcome, before: int, lately: int) -> Scenario:
        return at(title, expect, (before, EVENTS, 191), (lately, EVENTS, 9))

    return [
        steady("just above the factor in both windows", "fires", edge + near, edge + near),
        rates("just below the factor in the long window", "silent", edge - near, edge - near + 9 * far),
        steady("just below the factor in the short window", "silent", edge + far, edge - near),
        steady("over: the short window has recovered", "silent", 3 * edge, 0),
        steady("just begun: the long window is calm", "silent", 0, 4 * edge),
        steady("no bad event", "silent", 0, 0),
        at("100 events, all bad", "fires", (0, 0, 100), (1, 1, LEAST_EVENTS)),
        at("99 events, all bad", "silent", (0, 0, 301), (1, 1, LEAST_EVENTS - 1), per_window=200),
        *_few_bad(burn, at),
        at("no event while the counters stand still", "silent", (0, 0, 200)),
        Scenario(burn.rule, "metrics gone", "no data", _gone(burn)),
        Scenario(burn.rule, "Prometheus does not answer", "error", Broken()),
    ]


def _few_bad(burn: Burn, at: Callable[..., Scenario]) -> list[Scenario]:
    """Only where a rate above the factor can be had from fewer bad events than are needed to judge."""
    if burn.allowed * burn.factor * LEAST_EVENTS >= LEAST_BAD:
        return []
    return [
        at("4 bad ones of 110", "silent", (0, 0, 290), (0, 1, 106), (1, 1, LEAST_BAD - 1), per_window=200),
        at("5 bad ones of 110", "fires", (0, 0, 290), (0, 1, 105), (1, 1, LEAST_BAD), per_window=200),
    ]


def _gone(burn: Burn) -> Series:
    return Series(burn.world([(EVENTS, EVENTS, 50)]), at=3 * burn.long, step=burn.long / 100)
