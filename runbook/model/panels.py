"""Panels of Grafana dashboards: a graph over time, several lines in one, one number now, a list of alerts.

Built with Grafana's own SDK, whose pinned version fixes the schema. Everything is explicit, so that an upgrade of
Grafana changes nothing that people look at.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any, TypeVar

from grafana_foundation_sdk.builders import common as viz
from grafana_foundation_sdk.builders import dashboard, stat, timeseries
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.variants import Dataquery
from grafana_foundation_sdk.models.common import (
    BigValueColorMode,
    BigValueGraphMode,
    BigValueTextMode,
    GraphThresholdsStyleMode,
    LegendDisplayMode,
    LegendPlacement,
)
from grafana_foundation_sdk.models.dashboard import DataSourceRef, DynamicConfigValue, GridPos, Threshold

from runbook.model.alerting import query_model, source_uid
from runbook.model.fields import duration_text
from runbook.model.objectives import Alert, Objective, Query, Side
from runbook.model.settings import Settings
from runbook.model.signals import Source

WIDTH = 24  # columns of Grafana's grid
PANEL_HEIGHT, PER_LINE = 8, 3
POINTS = 100  # a query that reads back 7 days moves too little to be asked every minute
HISTORY_STEP = timedelta(hours=1)
IMPORTANCE = 3  # alertlist's sortOrder: firing first

AnyPanel = timeseries.Panel | stat.Panel
_Panel = TypeVar("_Panel", timeseries.Panel, stat.Panel)


@dataclass(frozen=True)
class Limit:
    """Where red begins. Grafana colours from a step's value on: above includes the value, below does not."""

    value: Decimal
    red: Side


@dataclass(frozen=True)
class Frame:
    """What every panel has. `description` is Markdown."""

    id: int
    title: str
    description: str
    place: GridPos


@dataclass(frozen=True)
class Line:
    """One query among several in a panel. `name` stands in the legend, `colour` is one of Grafana's names;
    `threshold` is drawn as a line of the same colour."""

    name: str
    query: Query
    colour: str
    threshold: Decimal | None = None


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
    return Limit(objective.target + _over(objective.indicator, objective.target_is == "most"), objective.red)


def alert_limit(alert: Alert) -> Limit:
    """Red is where the alert's condition holds."""
    return Limit(alert.threshold + _over(alert.query, alert.comparator in ("gt", "lte")), alert.red)


def _over(query: Query, number_is_on_the_green_side: bool) -> int:
    """A count above 0 is a count of at least 1; red from 0 on would paint a healthy panel red."""
    return int(query.unit == "short" and number_is_on_the_green_side)


def grid(count: int, top: int) -> list[GridPos]:
    """Places for that many panels of one size, line by line."""
    width = WIDTH // max(1, min(count, PER_LINE))
    return [
        GridPos(PANEL_HEIGHT, width, index % PER_LINE * width, top + index // PER_LINE * PANEL_HEIGHT)
        for index in range(count)
    ]


def markdown(settings: Settings, section: str, *paragraphs: str) -> str:
    """A panel's description, with the link to the runbook's section below it."""
    return "\n\n".join((*paragraphs, f"[Runbook]({settings.runbook_url}{section})"))


def graph(frame: Frame, query: Query, limit: Limit | None, settings: Settings) -> AnyPanel:
    """The query over time. PostgreSQL queries answer for now alone (one row at now()), so theirs is the number."""
    if query.source is Source.POSTGRES:
        return number(frame, query, limit, settings)
    panel = (
        _over_time(frame, query, settings)
        .with_target(_Target(_ranged(query_model(query, source_uid(settings, query.source)))))
        .display_name(frame.title)
        .thresholds(dashboard.ThresholdsConfig().steps(_steps(limit)))
        .legend(viz.VizLegendOptions().show_legend(False))
        .interval(duration_text(_step(query, settings)))
        .fill_opacity(10)
    )
    if limit is None:
        return panel.axis_soft_min(0)
    low, high = _axis(limit, query)
    style = viz.GraphThresholdsStyleConfig().mode(GraphThresholdsStyleMode.DASHED_AND_AREA)
    return panel.thresholds_style(style).axis_soft_min(_number(low)).axis_soft_max(_number(high))


def history(frame: Frame, query: Query, limit: Limit, settings: Settings) -> AnyPanel:
    """The query over as long a time as it reads back, whatever the dashboard shows. It is asked about a hundred times
    and never more often than hourly: each answer reads the whole period, which may be 30 days."""
    panel = graph(frame, query, limit, settings)
    return panel.time_from(duration_text(query.span)).max_data_points(POINTS).interval(duration_text(HISTORY_STEP))


def lines(frame: Frame, drawn: Sequence[Line], settings: Settings) -> timeseries.Panel:
    """Several queries of one data source and unit, each in its colour."""
    first, limits = drawn[0].query, {line.threshold: line.colour for line in drawn if line.threshold is not None}
    steps = [Threshold(None, "transparent"), *(Threshold(_number(at), limits[at]) for at in sorted(limits))]
    panel = (
        _over_time(frame, first, settings)
        .thresholds(dashboard.ThresholdsConfig().steps(steps))
        .legend(
            viz.VizLegendOptions()
            .show_legend(True)
            .display_mode(LegendDisplayMode.LIST)
            .placement(LegendPlacement.BOTTOM)
            .calcs(["lastNotNull"])
        )
        .interval(duration_text(min(_step(line.query, settings) for line in drawn)))
        .axis_soft_min(0)
    )
    for position, line in enumerate(drawn):
        ref = chr(ord("A") + position)
        model = _ranged(query_model(line.query, source_uid(settings, line.query.source), ref))
        if line.query.source is Source.PROMETHEUS:  # Loki knows no least step for one query
            model["interval"] = duration_text(_step(line.query, settings))
        panel.with_target(_Target(model | {"legendFormat": line.name}))
        fixed = DynamicConfigValue("color", {"mode": "fixed", "fixedColor": line.colour})
        panel.override_by_name(line.name, [fixed])
    if not limits:
        return panel
    style = viz.GraphThresholdsStyleConfig().mode(GraphThresholdsStyleMode.DASHED)
    return panel.thresholds_style(style).axis_soft_max(_number(max(limits) * Decimal("1.25")))


def number(frame: Frame, query: Query, limit: Limit | None, settings: Settings) -> stat.Panel:
    """The query's value now, asked once, on a green or red ground."""
    return (
        _panel(stat.Panel(), frame, query, settings)
        .with_target(_Target(query_model(query, source_uid(settings, query.source))))
        .display_name(frame.title)
        .thresholds(dashboard.ThresholdsConfig().steps(_steps(limit)))
        .reduce_options(viz.ReduceDataOptions().values(False).calcs(["lastNotNull"]))
        .color_mode(BigValueColorMode.BACKGROUND if limit else BigValueColorMode.NONE)
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


def _panel(panel: _Panel, frame: Frame, query: Query, settings: Settings) -> _Panel:
    return (
        panel.id(frame.id)
        .title(frame.title)
        .description(frame.description)
        .grid_pos(frame.place)
        .datasource(DataSourceRef(query.source.value, source_uid(settings, query.source)))
        .unit(query.unit)
    )


def _over_time(frame: Frame, query: Query, settings: Settings) -> timeseries.Panel:
    # A gap is missing data and must look like it.
    return _panel(timeseries.Panel(), frame, query, settings).span_nulls(False)


def _ranged(model: Mapping[str, Any]) -> dict[str, Any]:
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
    is looked at from as far below its target as 100 % is above; one that must not be used up, from somewhat below."""
    if limit.red == "below" and query.unit == "percentunit":
        return max(Decimal("-0.25") if limit.value == 0 else Decimal(0), 2 * limit.value - 1), Decimal(1)
    return Decimal(0), limit.value * Decimal("1.25")


def _step(query: Query, settings: Settings) -> timedelta:
    whole_minutes = query.span / POINTS // timedelta(minutes=1)
    return max(timedelta(minutes=whole_minutes), timedelta(seconds=settings.grafana.interval_seconds))


def _number(value: Decimal) -> float:
    # The Decimal's own digits, so that the runbook's number is not turned into a computed one.
    number: float = json.loads(f"{value:f}")
    return number
