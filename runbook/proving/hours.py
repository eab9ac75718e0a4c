"""Mute timings by the minute of a week, as Alertmanager reads them: a range begins with its first minute and ends
before its last, and days and times are those of the location."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from runbook.model.alerting import MuteTiming
from runbook.model.fields import WEEKDAYS
from runbook.model.settings import BusinessHours

DAY, WEEK = 24 * 60, 7 * 24 * 60


def muted_minutes(timing: MuteTiming) -> frozenset[int]:
    """Minutes of a week, counted from Monday 00:00 in the timing's location, in which nothing is sent."""
    return frozenset(
        WEEKDAYS.index(day) * DAY + minute
        for days, times in timing.intervals
        for day in days
        for start, end in times
        for minute in range(_minute(start), _minute(end))
    )


def minute_of_week(at: datetime, location: str) -> int:
    local = at.astimezone(ZoneInfo(location))
    return local.weekday() * DAY + local.hour * 60 + local.minute


def at_work(hours: BusinessHours, at: datetime) -> bool:
    """Whether people are at work: from the opening minute to the one before closing, on working days."""
    local = at.astimezone(ZoneInfo(hours.timezone))
    return WEEKDAYS[local.weekday()] in hours.days and hours.start <= local.time() < hours.end


@cache
def shifted(timing: MuteTiming, by: int) -> MuteTiming:
    """The timing with all its times later by so many minutes: what it says of one moment it then says of another."""
    muted = {(minute + by) % WEEK for minute in muted_minutes(timing)}
    days = []
    for number, day in enumerate(WEEKDAYS):
        times = _ranges({minute - number * DAY for minute in muted if minute // DAY == number})
        if times:
            days.append(((day,), times))
    return replace(timing, intervals=tuple(days))


def wrong_minutes(timing: MuteTiming, hours: BusinessHours, week: datetime) -> list[datetime]:
    """Minutes of the week from `week` on in which people are at work and the timing mutes, or neither."""
    muted = muted_minutes(timing)
    minutes = (week + timedelta(minutes=number) for number in range(WEEK))
    return [at for at in minutes if at_work(hours, at) == (minute_of_week(at, timing.location) in muted)]


def _ranges(minutes: set[int]) -> tuple[tuple[str, str], ...]:
    """Minutes of one day as ranges."""
    starts = sorted(minute for minute in minutes if minute - 1 not in minutes)
    ends = sorted(minute + 1 for minute in minutes if minute + 1 not in minutes)
    return tuple((_text(start), _text(end)) for start, end in zip(starts, ends, strict=True))


def _minute(text: str) -> int:
    hour, minute = text.split(":")
    return int(hour) * 60 + int(minute)


def _text(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"
