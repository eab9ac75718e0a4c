"""Grafana's macros in SQL, expanded as its PostgreSQL data source does (pkg/tsdb/grafana-postgresql-datasource).

Those that group by time are left out: an alert's query returns one row.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime

from runbook.proving.scenario import QueryFailed

_MACRO = re.compile(r"\$([_a-zA-Z0-9]+)\(([^)]*)\)")  # Grafana's own expression: no parentheses inside a macro
_Expand = Callable[[str, datetime, datetime], str]


def _text(at: datetime) -> str:
    """RFC 3339 with the fraction's trailing zeros gone, as Go writes it."""
    at = at.astimezone(UTC)
    fraction = f"{at:.%f}".rstrip("0").rstrip(".")
    return f"'{at:%Y-%m-%dT%H:%M:%S}{fraction}Z'"


def _nanoseconds(at: datetime) -> int:
    return int(at.timestamp()) * 10**9 + at.microsecond * 1000


_WITH_COLUMN: dict[str, _Expand] = {
    "__time": lambda column, start, end: f'{column} AS "time"',
    "__timeEpoch": lambda column, start, end: f'extract(epoch from {column}) as "time"',
    "__timeFilter": lambda column, start, end: f"{column} BETWEEN {_text(start)} AND {_text(end)}",
    "__unixEpochFilter": lambda column, start, end: (
        f"{column} >= {int(start.timestamp())} AND {column} <= {int(end.timestamp())}"
    ),
    "__unixEpochNanoFilter": lambda column, start, end: (
        f"{column} >= {_nanoseconds(start)} AND {column} <= {_nanoseconds(end)}"
    ),
}
_ALONE: dict[str, _Expand] = {
    "__timeFrom": lambda column, start, end: _text(start),
    "__timeTo": lambda column, start, end: _text(end),
    "__unixEpochNanoFrom": lambda column, start, end: str(_nanoseconds(start)),
    "__unixEpochNanoTo": lambda column, start, end: str(_nanoseconds(end)),
}


def expand(sql: str, start: datetime, end: datetime) -> str:
    """The SQL that reaches the database for a query over this range.

    Raises: QueryFailed for a macro that Grafana does not know, or that makes many rows.
    """

    def replace(matched: re.Match[str]) -> str:
        name, column = matched[1], matched[2].split(",")[0].strip()
        if name in _ALONE:
            return _ALONE[name](column, start, end)
        if name not in _WITH_COLUMN:
            known = ", ".join(sorted(_ALONE | _WITH_COLUMN))
            raise QueryFailed(f"The macro ${name} has no place in an alert's query; there are {known}.")
        if not column:
            raise QueryFailed(f"The macro ${name} needs a column, such as ${name}(created_at).")
        return _WITH_COLUMN[name](column, start, end)

    return _MACRO.sub(replace, sql)
