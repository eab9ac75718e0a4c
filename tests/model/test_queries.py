"""Builders of PromQL, LogQL and SQL, exact to the character: what is deployed is what they return."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from runbook.model.fields import WEEKDAYS
from runbook.model.problems import PlatformError
from runbook.model.queries import (
    budget_burn,
    consecutive,
    count,
    in_business_hours,
    lines,
    one_number,
    quantile,
    series,
    share,
    share_of_lines,
    while_alive,
)
from runbook.model.settings import BusinessHours
from runbook.model.signals import Signal, Source
from tests.stacks import settings

HOUR = timedelta(hours=1)
REQUESTS = Signal("requests_total", Source.PROMETHEUS, ("app", "status"), "requests", "nobody", "a test")
LOG = Signal("log lines", Source.LOKI, ("service", "level", "event"), "lines", "nobody", "a test")
TABLE = Signal("queue", Source.POSTGRES, ("created_at",), "rows", "nobody", "a test")


def test_series_sorts_its_labels_and_knows_regular_expressions() -> None:
    assert series(REQUESTS, {}) == "requests_total{}"
    assert series(REQUESTS, {"status": "~5..", "app": "voice"}) == 'requests_total{app="voice",status=~"5.."}'


def test_series_over_a_window_in_the_past() -> None:
    assert series(REQUESTS, {"app": "voice"}, HOUR) == 'requests_total{app="voice"}[1h]'
    assert series(REQUESTS, {"app": "voice"}, HOUR, 2 * HOUR) == 'requests_total{app="voice"}[1h] offset 2h'


def test_count_and_quantile() -> None:
    assert count((REQUESTS, {"app": "a"}), HOUR) == 'sum(increase(requests_total{app="a"}[1h]))'
    assert count((REQUESTS, {}), HOUR, HOUR) == "sum(increase(requests_total{}[1h] offset 1h))"
    assert (
        quantile("0.95", (REQUESTS, {}), HOUR, HOUR)
        == "histogram_quantile(0.95, sum by (le) (rate(requests_total{}[1h] offset 1h)))"
    )


def test_share_counts_no_bad_series_as_none() -> None:
    assert share("bad", "all") == "((bad or all * 0) / all)"


def test_consecutive_windows_must_each_breach() -> None:
    assert consecutive(["w0", "w1", "w2"], "> 5") == "(w0 and w1 > 5 and w2 > 5) or w0 * 0"
    assert consecutive(["w0", "w1"], "> 5") == "(w0 and w1 > 5) or w0 * 0"


def test_burn_rate_needs_both_windows_and_enough_events() -> None:
    long, short = share("b1", "t1"), share("b2", "t2")
    assert budget_burn((long, short), ("t1", "b1"), "0.01", "6", least=(100, 5)) == (
        "(((b1 or t1 * 0) / t1) / 0.01 and ((b2 or t2 * 0) / t2) / 0.01 > 6 and t1 >= 100 and b1 >= 5) "
        "or ((b1 or t1 * 0) / t1) / 0.01 * 0"
    )


def test_a_least_of_nothing_is_not_asked_for() -> None:
    assert (
        budget_burn(("l", "s"), ("t", "b"), "0.01", "6", (100, 0))
        == "(l / 0.01 and s / 0.01 > 6 and t >= 100) or l / 0.01 * 0"
    )


def test_lines_are_filtered_by_fields_only_when_there_are_any() -> None:
    assert lines(LOG, {"service": "auth"}, {}, HOUR) == 'sum(count_over_time({service="auth"} [1h]))'
    assert lines(LOG, {"service": "auth"}, {"event": "login", "level": "error"}, HOUR) == (
        'sum(count_over_time({service="auth"} | json | event="login" | level="error" [1h]))'
    )


def test_share_of_lines() -> None:
    assert share_of_lines("bad", "all", alive="any", least=40) == "bad / (all >= 40) or any * 0"


def test_while_alive() -> None:
    assert while_alive("bad / all", "any") == "(bad / all) and any or any * 0"


def test_one_number_is_one_row() -> None:
    seen = "HAVING NOT row_security_active('queue')"
    assert one_number(TABLE, "count(*)") == f"SELECT now() AS time, (count(*))::float8 AS value FROM queue {seen}"
    assert one_number(TABLE, "count(*)", "done") == (
        f"SELECT now() AS time, (count(*))::float8 AS value FROM queue WHERE done {seen}"
    )


@pytest.mark.parametrize(
    ("build", "said"),
    [
        (
            lambda: series(REQUESTS, {"app": "a", "stauts": "500", "host": "x"}),
            "Signal requests_total has no label host, stauts; it has app, status.",
        ),
        (lambda: count((REQUESTS, {"le": "5"}), HOUR), "Signal requests_total has no label le; it has app, status."),
        (
            lambda: lines(LOG, {"app": "admin"}, {}, HOUR),
            "Signal log lines has no label or field app; it has service, level, event.",
        ),
        (
            lambda: lines(LOG, {"service": "admin"}, {"levl": "error"}, HOUR),
            "Signal log lines has no label or field levl; it has service, level, event.",
        ),
    ],
)
def test_undeclared_label_is_refused(build: Callable[[], str], said: str) -> None:
    with pytest.raises(PlatformError) as error:
        build()
    assert str(error.value) == said


# Business hours


def test_committed_business_hours_in_promql() -> None:
    hours = settings("prod").business_hours
    assert hours is not None
    assert in_business_hours(hours, timedelta()) == (
        "(vector((time() + 7200) % 86400) >= 28800 < 61200) and ("
        "day_of_week(vector(time() + 7200)) == 1 or day_of_week(vector(time() + 7200)) == 2 or "
        "day_of_week(vector(time() + 7200)) == 3 or day_of_week(vector(time() + 7200)) == 4 or "
        "day_of_week(vector(time() + 7200)) == 5)"
    )


def promql(expression: str, at: datetime) -> bool:
    """Whether the expression yields an element at a time. Python reads it as PromQL does, but for one thing: in
    PromQL `x >= a < b` compares x twice."""
    chain = r"(vector\(\(time\(\) \+ -?\d+\) % 86400\)) >= (\d+) < (\d+)"
    read, found = re.subn(chain, r"\2 <= \1 < \3", expression)
    assert found == 1
    names: dict[str, Any] = {
        "time": at.timestamp,
        "vector": lambda number: number,
        "day_of_week": lambda seconds: datetime.fromtimestamp(seconds, UTC).isoweekday() % 7,
    }
    return bool(eval(read, names))


@hypothesis_settings(max_examples=80, derandomize=True, database=None, deadline=None)
@given(
    zone=st.sampled_from(["Africa/Kigali", "Etc/UTC", "Asia/Kolkata", "America/Bogota", "Pacific/Kiritimati"]),
    days=st.lists(st.sampled_from(WEEKDAYS), min_size=1, unique=True),
    ends=st.tuples(st.integers(0, 1439), st.integers(0, 1439)).filter(lambda ends: ends[0] < ends[1]),
    minute=st.integers(0, 7 * 24 * 60 - 1),
    past=st.integers(0, 60),
)
def test_business_hours_in_promql_are_those_of_the_zone(
    zone: str, days: list[str], ends: tuple[int, int], minute: int, past: int
) -> None:
    start, end = (f"{each // 60:02}:{each % 60:02}" for each in ends)
    hours = BusinessHours.model_validate({"timezone": zone, "days": days, "start": start, "end": end})
    at = datetime(2026, 11, 1, tzinfo=UTC) + timedelta(minutes=minute)
    local = (at - timedelta(minutes=past)).astimezone(ZoneInfo(zone))
    at_work = WEEKDAYS[local.weekday()] in days and start <= f"{local:%H:%M}" < end
    assert promql(in_business_hours(hours, timedelta(minutes=past)), at) == at_work
