"""Service objectives and their alerts, as data: one object yields alert rules, panels and the runbook's row."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Literal

from runbook.model.budget import Budget, Burn, Severity
from runbook.model.settings import BusinessHours, Environment
from runbook.model.signals import Source

Comparator = Literal["gt", "gte", "lt", "lte"]
# Grafana's words. Both states are always explicit: its own defaults differ between API, provider and SDK.
NoData = Literal["NoData", "Alerting", "OK", "KeepLast"]
OnError = Literal["Error", "Alerting", "OK", "KeepLast"]
# Grafana's too. "short" counts things, so that above 0 is at least 1; "none" is any other number.
Unit = Literal["percentunit", "ms", "s", "m", "short", "none"]
Side = Literal["above", "below"]


@dataclass(frozen=True)
class Stack:
    """What objectives of one stack need to know: its names, the release, and when people are at work."""

    platform: str
    environment: Environment
    release: str
    business_hours: BusinessHours | None

    @property
    def name(self) -> str:
        """Prefix of what this stack names at vendors that may hold several stacks."""
        return f"{self.platform}-{self.environment}"

    @property
    def labels(self) -> dict[str, str]:
        """On every series and log stream of this stack."""
        return {"platform": self.platform, "environment": self.environment}

    def check_job(self, app: str) -> str:
        """Job name of an app's outside check: the label `job` of its samples."""
        return f"{self.name}-{app}"


@dataclass(frozen=True)
class Query:
    """One expression on one data source; yields one number. `span`: how far back it reads."""

    source: Source
    expression: str
    span: timedelta
    unit: Unit


def promql(expression: str, span: timedelta, unit: Unit) -> Query:
    return Query(Source.PROMETHEUS, expression, span, unit)


def logql(expression: str, span: timedelta, unit: Unit) -> Query:
    return Query(Source.LOKI, expression, span, unit)


def sql(expression: str, span: timedelta, unit: Unit) -> Query:
    return Query(Source.POSTGRES, expression, span, unit)


@dataclass(frozen=True)
class Alert:
    """Fires when `query` compares to `threshold` for as long as `pending` says.

    `mitigation` is the first command of the runbook for this case; `section` the anchor of the runbook's section.
    `burn`: of which burn of the objective's budget this is the alert; a literal alert has none.
    """

    name: str
    title: str
    summary: str
    query: Query
    comparator: Comparator
    threshold: Decimal
    owner: str
    severity: Severity
    section: str
    mitigation: str
    no_data: NoData
    on_error: OnError = "Error"
    pending: timedelta = timedelta()
    in_business_hours: bool = False
    burn: Burn | None = None

    @property
    def red(self) -> Side:
        """On which side of the threshold it fires."""
        return "above" if self.comparator in ("gt", "gte") else "below"


@dataclass(frozen=True)
class Objective:
    """One row of a runbook: `statement` in its words; `indicator` against `target` over `period`. `budget` where the
    target is a share of events over a period."""

    name: str
    title: str
    statement: str
    indicator: Query
    target: Decimal
    target_is: Literal["least", "most"]
    period: timedelta | None
    alerts: tuple[Alert, ...]
    budget: Budget | None = None

    @property
    def red(self) -> Side:
        """On which side of the target it is missed."""
        return "below" if self.target_is == "least" else "above"

    @property
    def watch(self) -> tuple[Alert, ...]:
        """What is watched of it while a cutover is in progress: its pages. A ticket can wait for the window's end."""
        return tuple(alert for alert in self.alerts if alert.severity == "page")

    def is_missed(self, alert: Alert) -> bool:
        """Whether the alert says just that the indicator misses its target, so that one picture shows both."""
        return (alert.query, alert.threshold, alert.red) == (self.indicator, self.target, self.red)


def limit(name: str, title: str, statement: str, alert: Alert, *more: Alert) -> Objective:
    """An objective that is one number and its limit: that of its first alert, seen on the alert's own query."""
    return Objective(
        name=name,
        title=title,
        statement=statement,
        indicator=alert.query,
        target=alert.threshold,
        target_is="most" if alert.red == "above" else "least",
        period=None,
        alerts=(alert, *more),
    )


@dataclass(frozen=True)
class Panel:
    """One panel of an operations or checklist dashboard. Red from `red` on, in the direction of `red_when`."""

    title: str
    description: str
    query: Query
    red: Decimal | None = None
    red_when: Side = "above"
