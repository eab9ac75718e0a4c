"""Grafana's macros in SQL: what reaches the database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from runbook.proving.macros import expand
from runbook.proving.scenario import QueryFailed

END = datetime(2026, 11, 22, 3, 0, 0, tzinfo=UTC)
START = END - timedelta(hours=1)


@pytest.mark.parametrize(
    ("sql", "expanded"),
    [
        ("SELECT $__time(at)", 'SELECT at AS "time"'),
        ("$__timeEpoch(at)", 'extract(epoch from at) as "time"'),
        ("$__timeFilter( at )", "at BETWEEN '2026-11-22T02:00:00Z' AND '2026-11-22T03:00:00Z'"),
        ("at > $__timeFrom() AND at < $__timeTo()", "at > '2026-11-22T02:00:00Z' AND at < '2026-11-22T03:00:00Z'"),
        ("$__unixEpochFilter(at)", "at >= 1795312800 AND at <= 1795316400"),
        ("$__unixEpochNanoFilter(at)", "at >= 1795312800000000000 AND at <= 1795316400000000000"),
        ("$__unixEpochNanoFrom() $__unixEpochNanoTo()", "1795312800000000000 1795316400000000000"),
        ("SELECT now() AS time, 1::float8", "SELECT now() AS time, 1::float8"),
    ],
)
def test_a_macro_becomes_what_grafana_makes_of_it(sql: str, expanded: str) -> None:
    assert expand(sql, START, END) == expanded


def test_times_are_in_utc_with_no_zero_at_the_end_of_a_fraction() -> None:
    kigali = timezone(timedelta(hours=2))
    at = datetime(2026, 11, 22, 5, 0, 0, 120_000, tzinfo=kigali)
    assert expand("$__timeTo()", START, at) == "'2026-11-22T03:00:00.12Z'"


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("$__timeGroup(at,'5m')", r"The macro \$__timeGroup has no place in an alert's query; there are __time,"),
        ("$__timeFilter()", r"The macro \$__timeFilter needs a column, such as \$__timeFilter\(created_at\)\."),
    ],
)
def test_what_grafana_would_refuse_or_make_rows_of_is_refused(sql: str, said: str) -> None:
    with pytest.raises(QueryFailed, match=said):
        expand(sql, START, END)
