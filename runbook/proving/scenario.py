"""Scenarios: a world that an alert looks at, and what must come of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal, Protocol

from runbook.proving.emitted import Emitted

ZERO = timedelta()

# "no data" and "error": the states that Grafana sends under the names DatasourceNoData and DatasourceError. A rule
# whose no_data_state or exec_err_state is Alerting fires instead, and that is then what is expected.
Outcome = Literal["fires", "silent", "no data", "error"]


@dataclass(frozen=True)
class Series:
    """PromQL: samples in promtool's notation (`0+1x10`, `1 _ stale`), one each `step` from the start of the clock on;
    `at` is when the rule is looked at. The clock starts on Thursday, 1970-01-01 00:00 UTC."""

    samples: Mapping[str, str]
    at: timedelta
    step: timedelta = timedelta(minutes=1)


@dataclass(frozen=True)
class Rows:
    """SQL: rows per table. A value that is a timedelta is a moment: that long before now. `hidden`: row level
    security keeps them all from the role that reads."""

    tables: Mapping[str, tuple[Mapping[str, object], ...]]
    hidden: bool = False


@dataclass(frozen=True)
class Line:
    """LogQL: `count` lines of a stream with these `labels`, `age` before now: JSON objects of these `fields`, or
    plain text where there are none."""

    labels: Mapping[str, str]
    age: timedelta
    fields: Mapping[str, object] = field(default_factory=dict)
    count: int = 1


@dataclass(frozen=True)
class Lines:
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Broken:
    """The data source does not answer, or refuses the query."""


@dataclass(frozen=True)
class Scenario:
    """`rule` is an alert's short name. `held`: for how long the world has been so (SQL, LogQL, broken sources); a
    Series says that by itself."""

    rule: str
    title: str
    expect: Outcome
    data: Series | Rows | Lines | Broken
    held: timedelta = ZERO


class QueryFailed(Exception):
    """The data source refused a query, or what it returned is not what Grafana's alerting takes."""


class Evaluator(Protocol):
    """Looks at a world with a rule's query, on the real data source."""

    def value(self, rule: Emitted, scenario: Scenario) -> float | None:
        """The number that the query returns; None for no data. Raises: QueryFailed."""
        ...
