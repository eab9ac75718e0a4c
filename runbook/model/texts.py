"""Numbers and times as people read them, for descriptions and pages."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from runbook.model.objectives import Objective, Unit

_SECONDS: dict[Unit, int] = {"s": 1, "m": 60}
_NAMES = ((86_400, "days"), (3600, "h"), (60, "min"), (1, "s"))


def amount(value: Decimal, unit: Unit) -> str:
    """A value in its unit.

    >>> amount(Decimal("0.995"), "percentunit"), amount(Decimal("93600"), "s"), amount(Decimal("500"), "ms")
    ('99.5 %', '26 h', '500 ms')
    """
    if unit in _SECONDS:
        return time(timedelta(seconds=float(value * _SECONDS[unit])))
    if unit == "percentunit":
        return f"{(value * 100).normalize():f} %"
    return f"{value:f} ms" if unit == "ms" else f"{value:f}"


def time(value: timedelta) -> str:
    """In the largest unit that it is a whole number of.

    >>> time(timedelta(minutes=30)), time(timedelta(days=1)), time(timedelta(hours=26))
    ('30 min', '1 day', '26 h')
    """
    seconds = value.total_seconds()
    size, name = next((each for each in _NAMES if seconds >= each[0] and seconds % each[0] == 0), _NAMES[-1])
    return f"{seconds / size:g} {'day' if seconds == size == _NAMES[0][0] else name}"


def period(objective: Objective) -> str:
    """What the objective's target is for, business hours named where they alone count."""
    if objective.period is None:
        return "at any time"
    counted = objective.budget.counted if objective.budget else None
    return time(objective.period) + (f" ({time(counted)} of business hours)" if counted else "")
