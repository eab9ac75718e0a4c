"""Mute timings by the minute of a week, and their shift to another moment."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta, timezone

import pytest
from hypothesis import assume, given
from hypothesis import settings as effort
from hypothesis import strategies as st

from runbook.model.alerting import MuteTiming, mute_timing
from runbook.model.fields import WEEKDAYS
from runbook.model.settings import BusinessHours
from runbook.proving.hours import DAY, WEEK, at_work, minute_of_week, muted_minutes, shifted, wrong_minutes
from tests.stacks import settings

MONDAY = datetime(2026, 11, 23, tzinfo=UTC)
KIGALI = timezone(timedelta(hours=2))
MINUTES = st.integers(0, DAY - 1)


def emitted(stack: str) -> tuple[MuteTiming, BusinessHours]:
    timing, hours = mute_timing(settings(stack)), settings(stack).business_hours
    assert timing
    assert hours
    return timing, hours


@pytest.mark.parametrize("stack", ["prod", "staging"])
def test_what_is_emitted_agrees_with_the_business_hours_in_every_minute_of_a_week(stack: str) -> None:
    timing, hours = emitted(stack)
    assert wrong_minutes(timing, hours, MONDAY) == []
    assert len(muted_minutes(timing)) == WEEK - 5 * 9 * 60


@pytest.mark.parametrize(
    ("at", "working"),
    [
        (datetime(2026, 11, 23, 7, 59, 59, tzinfo=KIGALI), False),
        (datetime(2026, 11, 23, 8, 0, tzinfo=KIGALI), True),
        (datetime(2026, 11, 23, 6, 0, tzinfo=UTC), True),
        (datetime(2026, 11, 27, 16, 59, 59, tzinfo=KIGALI), True),
        (datetime(2026, 11, 27, 17, 0, tzinfo=KIGALI), False),
        (datetime(2026, 11, 28, 12, 0, tzinfo=KIGALI), False),
    ],
)
def test_people_are_at_work_in_their_own_zone(at: datetime, working: bool) -> None:
    _, hours = emitted("prod")
    assert at_work(hours, at) is working


def test_a_timing_in_another_zone_or_a_minute_off_is_seen() -> None:
    timing, hours = emitted("prod")
    elsewhere = MuteTiming(timing.name, "Etc/UTC", timing.intervals)
    assert len(wrong_minutes(elsewhere, hours, MONDAY)) == 5 * 2 * 120
    late = MuteTiming(timing.name, timing.location, ((WEEKDAYS[:5], (("00:00", "08:01"), ("17:00", "24:00"))),))
    wrong = [at.astimezone(KIGALI) for at in wrong_minutes(late, hours, MONDAY)]
    assert [at.time() for at in wrong if at.weekday() < 5] == [time(8)] * 5
    assert len([at for at in wrong if at.weekday() >= 5]) == 2 * DAY  # no word of Saturday and Sunday


def test_a_shift_moves_what_is_said_of_a_moment_to_another() -> None:
    timing, _ = emitted("prod")
    opening, now = datetime(2026, 11, 23, 8, 0, tzinfo=KIGALI), datetime(2026, 11, 26, 3, 17, tzinfo=UTC)
    later = shifted(timing, (now - opening) // timedelta(minutes=1))
    muted = muted_minutes(later)
    assert minute_of_week(now, later.location) not in muted
    assert minute_of_week(now - timedelta(minutes=1), later.location) in muted
    assert later.location == timing.location


@effort(max_examples=20, deadline=None)
@given(by=st.integers(-2 * WEEK, 2 * WEEK))
def test_a_shift_keeps_the_number_of_minutes_and_turns_back(by: int) -> None:
    timing, _ = emitted("prod")
    there = shifted(timing, by)
    assert muted_minutes(there) == {(minute + by) % WEEK for minute in muted_minutes(timing)}
    assert muted_minutes(shifted(there, -by)) == muted_minutes(timing)
    for _, times in there.intervals:
        assert all("00:00" <= start < end <= "24:00" for start, end in times)


@effort(max_examples=20, deadline=None)
@given(starts=MINUTES, length=st.integers(1, DAY), days=st.sets(st.sampled_from(WEEKDAYS), min_size=1))
def test_any_hours_are_muted_outside_and_only_there(starts: int, length: int, days: set[str]) -> None:
    ends = min(starts + length, DAY - 1)
    assume(starts < ends)
    hours = BusinessHours.model_validate(
        {
            "timezone": "Africa/Kigali",
            "days": sorted(days, key=WEEKDAYS.index),
            "start": f"{starts // 60:02d}:{starts % 60:02d}",
            "end": f"{ends // 60:02d}:{ends % 60:02d}",
        }
    )
    timing = mute_timing(settings("prod").model_copy(update={"business_hours": hours}))
    assert timing
    assert wrong_minutes(timing, hours, MONDAY) == []
