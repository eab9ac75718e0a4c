"""When alerts are sent: mute timings are exactly what business hours are not."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from runbook.model.alerting import mute_timing
from runbook.model.fields import WEEKDAYS, duration_text
from runbook.model.settings import BusinessHours
from tests.model.rules import alerts, every_stack, rules
from tests.stacks import settings


@every_stack
def test_only_the_staff_console_keeps_business_hours(stack: str) -> None:
    muted = {name for name, rule in rules(stack).items() if rule.muted_outside_hours}
    console = {name for name, alert in alerts(stack).items() if name.startswith("staff-console")}
    assert muted == console
    assert (mute_timing(settings(stack)) is not None) == (settings(stack).platform == "ibimina")


def test_mute_timing_of_the_committed_hours() -> None:
    timing = mute_timing(settings("prod"))
    assert timing is not None
    assert (timing.name, timing.location) == ("ibimina-prod outside business hours", "Africa/Kigali")
    assert timing.intervals == (
        (("monday", "tuesday", "wednesday", "thursday", "friday"), (("00:00", "08:00"), ("17:00", "24:00"))),
        (("saturday", "sunday"), (("00:00", "24:00"),)),
    )


minutes_of_day = st.integers(0, 24 * 60 - 1)
days_of_week = st.lists(st.sampled_from(WEEKDAYS), min_size=1, unique=True)


@hypothesis_settings(max_examples=20, derandomize=True, database=None, deadline=None)
@given(days=days_of_week, ends=st.tuples(minutes_of_day, minutes_of_day).filter(lambda pair: pair[0] < pair[1]))
def test_every_minute_is_in_hours_or_muted_and_never_both(days: list[str], ends: tuple[int, int]) -> None:
    opens, closes = ends
    hours = BusinessHours(timezone="Africa/Kigali", days=days, start=_text(opens), end=_text(closes))
    timing = mute_timing(settings("prod").model_copy(update={"business_hours": hours}))
    assert timing is not None
    for day in WEEKDAYS:
        times = [ends for names, ends_of_day in timing.intervals if day in names for ends in ends_of_day]
        # Alertmanager's times: the start belongs to the interval, the end does not.
        muted = [minute for start, end in times for minute in range(_minute(start), _minute(end))]
        at_work = range(opens, closes) if day in days else range(0)
        assert sorted([*muted, *at_work]) == list(range(24 * 60))


def _text(minute: int) -> Any:
    return f"{minute // 60:02}:{minute % 60:02}"


def _minute(text: str) -> int:
    hours, minutes = text.split(":")
    return int(hours) * 60 + int(minutes)


@pytest.mark.parametrize(
    ("seconds", "text"), [(1, "1s"), (90, "90s"), (300, "5m"), (3600, "1h"), (5400, "90m"), (86_400, "1d")]
)
def test_duration_text(seconds: int, text: str) -> None:
    assert duration_text(timedelta(seconds=seconds)) == text
