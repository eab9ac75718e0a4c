"""Panels of Grafana dashboards: a graph over time, one number now, a list of alerts.

Built with Grafana's own SDK, whose pinned version fixes the schema. Everything is explicit, so that an upgrade of
Grafana changes nothing that people look at.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any, Literal, TypeVar

from grafana_foundation_sdk.builders import common as viz
from grafana_foundation_sdk.builders import dashboard, stat, timeseries
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.variants import Dataquery
from grafana_foundation_sdk.models.common import (
    BigValueColorMode,
    BigValueGraphMode,
    BigValueTextMode,
    GraphThresholdsStyleMode,
)
from grafana_foundation_sdk.models.dashboard import DataSourceRef, GridPos, Threshold

from runbook.model.alerting import query_model, source_uid
from runbook.model.fields import duration_text
from runbook.model.objectives import Alert, Objective, Query
from runbook.model.settings import Settings
from runbook.model.signals import Source

POINTS_PER_SPAN = 100  # a query that reads back 7 days moves too little to be asked every minute
IMPORTANCE = 3  # alertlist's sortOrder: firing first

AnyPanel = timeseries.Panel | stat.Panel
_Panel = TypeVar("_Panel", timeseries.Panel, stat.Panel)


@dataclass(frozen=True)
class Limit:
    """Where red begins. Grafana colours from a step's value on: above includes the value, below does not."""

    value: Decimal
    red: Literal["above", "below"]


@dataclass(frozen=True)
class View:
    """What every panel with a query says. `description` is Markdown."""

    id: int
    title: str
    description: str
    query: Query
    limit: Limit | None
    place: GridPos


class _Target(Dataquery, Builder[Dataquery]):
    """A query as its data source's own JSON. The SDK has no type for PostgreSQL, and needs none for the others."""

    def __init__(self, model: Mapping[str, Any]) -> None:
        self._model = model

    def build(self) -> Dataquery:
        return self

    def to_json(self) -> Mapping[str, Any]:
        return self._model


def target_limit(objective: Objective) -> Limit:
    """Red is where the objective is missed."""
    return Limit(objective.target, "below" if objective.target_is == "least" else "above")


def alert_limit(alert: Alert) -> Limit:
    """Red is where the alert's condition holds."""
    red: Literal["above", "below"] = "above" if alert.comparator in ("gt", "gte") else "below"
    if alert.query.unit == "short" and alert.comparator in ("gt", "lte"):
        # A count above 0 is a count of at least 1; red from 0 on would paint a healthy panel red.
        return Limit(alert.threshold + 1, red)
    return Limit(alert.threshold, red)


def graph(view: View, settings: Settings) -> AnyPanel:
    """The query over time. PostgreSQL queries answer for now alone (one row at now()), so theirs is the number."""
    if view.query.source is Source.POSTGRES:
        return number(view, settings)
    panel = (
        _panel(timeseries.Panel(), view, settings, _over_time(query_model(view.query, _uid(view, settings))))
        .legend(viz.VizLegendOptions().show_legend(False))
        .interval(duration_text(_step(view.query, settings)))
        .fill_opacity(10)
        .span_nulls(False)  # a gap is missing data and must look like it
    )
    if view.limit is None:
        return panel.axis_soft_min(0)
    low, high = _axis(view.limit, view.query)
    style = viz.GraphThresholdsStyleConfig().mode(GraphThresholdsStyleMode.DASHED_AND_AREA)
    return panel.thresholds_style(style).axis_soft_min(_number(low)).axis_soft_max(_number(high))


def number(view: View, settings: Settings) -> stat.Panel:
    """The query's newest value on a green or red ground."""
    return (
        _panel(stat.Panel(), view, settings, query_model(view.query, _uid(view, settings)))
        .reduce_options(viz.ReduceDataOptions().values(False).calcs(["lastNotNull"]))
        .color_mode(BigValueColorMode.BACKGROUND if view.limit else BigValueColorMode.NONE)
        .graph_mode(BigValueGraphMode.NONE)
        .text_mode(BigValueTextMode.VALUE)
    )


def alert_list(panel_id: int, description: str, labels: Mapping[str, str], place: GridPos) -> dashboard.Panel:
    """State of all rules with these labels. The SDK has no builder for it; the options are those of Grafana 11's
    UnifiedAlertListOptions."""
    matchers = ",".join(f'{name}="{value}"' for name, value in sorted(labels.items()))
    return (
        dashboard.Panel()
        .type("alertlist")
        .id(panel_id)
        .title("Alerts")
        .description(description)
        .grid_pos(place)
        .options(
            {
                "alertInstanceLabelFilter": "{" + matchers + "}",
                "alertName": "",
                "dashboardAlerts": False,
                "datasource": "grafana",
                "groupBy": [],
                "groupMode": "default",
                "maxItems": 20,
                "showInstances": False,
                "sortOrder": IMPORTANCE,
                "stateFilter": dict.fromkeys(("error", "firing", "noData", "normal", "pending"), True),
                "viewMode": "list",
            }
        )
    )


def _panel(panel: _Panel, view: View, settings: Settings, target: Mapping[str, Any]) -> _Panel:
    return (
        panel.id(view.id)
        .title(view.title)
        .description(view.description)
        .grid_pos(view.place)
        .datasource(DataSourceRef(view.query.source.value, _uid(view, settings)))
        .with_target(_Target(target))
        .unit(view.query.unit)
        .display_name(view.title)
        .thresholds(dashboard.ThresholdsConfig().steps(_steps(view.limit)))
    )


def _uid(view: View, settings: Settings) -> str:
    return source_uid(settings, view.query.source)


def _over_time(model: Mapping[str, Any]) -> dict[str, Any]:
    """A rule asks for one moment, a graph for a range."""
    if "queryType" in model:
        return {**model, "queryType": "range"}
    return {**model, "instant": False, "range": True}


def _steps(limit: Limit | None) -> list[Threshold]:
    if limit is None:
        return [Threshold(None, "green")]
    first, then = ("green", "red") if limit.red == "above" else ("red", "green")
    return [Threshold(None, first), Threshold(_number(limit.value), then)]


def _axis(limit: Limit, query: Query) -> tuple[Decimal, Decimal]:
    """Grafana stretches no axis for a threshold's line, so the axis is made to hold it. A share that must stay high
    is looked at from as far below its target as 100 % is above."""
    if limit.red == "below" and query.unit == "percentunit":
        return max(Decimal(0), 2 * limit.value - 1), Decimal(1)
    return Decimal(0), limit.value * Decimal("1.25")


def _step(query: Query, settings: Settings) -> timedelta:
    whole_minutes = query.span / POINTS_PER_SPAN // timedelta(minutes=1)
    return max(timedelta(minutes=whole_minutes), timedelta(seconds=settings.grafana.interval_seconds))


def _number(value: Decimal) -> float:
    # The Decimal's own digits, so that the runbook's number is not turned into a computed one.
    number: float = json.loads(str(value))
    return number
