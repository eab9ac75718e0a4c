"""What the objectives' dashboard shows of one objective."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from decimal import Decimal
from itertools import cycle

from grafana_foundation_sdk.builders import dashboard, timeseries
from grafana_foundation_sdk.models.dashboard import GridPos

from runbook.model.alerting import Shown, panel_id
from runbook.model.budget import Budget
from runbook.model.objectives import Alert, Objective, Query
from runbook.model.panels import (
    PANEL_HEIGHT,
    PER_LINE,
    WIDTH,
    AnyPanel,
    Frame,
    Limit,
    Line,
    alert_limit,
    alert_list,
    graph,
    grid,
    history,
    lines,
    markdown,
    number,
    target_limit,
)
from runbook.model.serving import stack_of
from runbook.model.settings import Settings
from runbook.model.texts import amount, period, time

HOUR = timedelta(hours=1)
EMPTY = Limit(Decimal(0), "below")  # a budget is red when more was spent than there was
# The shortest window first, which is the most urgent one.
BURN_COLOURS = ("red", "orange", "yellow", "blue", "purple", "green")

AnyBuilder = AnyPanel | dashboard.Panel


def panels_of(objective: Objective, place: int, top: int, settings: Settings) -> tuple[Sequence[AnyBuilder], int]:
    """All panels of an objective, and where the next one begins: a line on the indicator and the alerts' states, a
    line on its budget where it has one, then a panel for each literal alert that looks at something else.

    Raises: PlatformError where it has more alerts than panel ids are kept for.
    """
    panels: list[AnyBuilder] = [*_indicator(objective, place, top, settings)]
    top += PANEL_HEIGHT
    if objective.budget:
        panels += _budget(objective, objective.budget, place, top, settings)
        top += PANEL_HEIGHT
    others = [alert for alert in objective.alerts if not alert.burn and not objective.is_missed(alert)]
    for alert, at in zip(others, grid(len(others), top), strict=True):
        about = markdown(settings, alert.section, _about(alert))
        frame = Frame(panel_id(place, objective, alert), alert.title, about, at)
        panels.append(graph(frame, alert.query, alert_limit(alert), settings))
    return panels, top + -(-len(others) // PER_LINE) * PANEL_HEIGHT


def _indicator(objective: Objective, place: int, top: int, settings: Settings) -> Iterator[AnyBuilder]:
    missed = [alert for alert in objective.alerts if objective.is_missed(alert)]
    about = markdown(settings, _section(objective), f"Objective: {objective.statement}", *map(_about, missed))
    limit, left = target_limit(objective), 12
    frame = Frame(
        panel_id(place, objective, Shown.INDICATOR), objective.title, about, GridPos(PANEL_HEIGHT, left, 0, top)
    )
    panel = graph(frame, objective.indicator, limit, settings)
    yield panel
    if isinstance(panel, timeseries.Panel):  # otherwise it shows the number already
        at = GridPos(PANEL_HEIGHT, 4, left, top)
        now = Frame(panel_id(place, objective, Shown.NOW), f"{objective.title} now", about, at)
        yield number(now, objective.indicator, limit, settings)
        left += 4
    yield alert_list(
        panel_id(place, objective, Shown.STATES),
        f"The rules of {objective.title} and whether they fire.",
        stack_of(settings).labels | {"objective": objective.name},
        GridPos(PANEL_HEIGHT, WIDTH - left, left, top),
    )


def _budget(objective: Objective, budget: Budget, place: int, top: int, settings: Settings) -> Iterator[AnyBuilder]:
    left = Query(budget.source, budget.left(), budget.period, "percentunit")

    def frame(shows: Shown, title: str, width: int, x: int, *about: str) -> Frame:
        return Frame(
            panel_id(place, objective, shows),
            f"{title}: {objective.title}",
            markdown(settings, _section(objective), *about),
            GridPos(PANEL_HEIGHT, width, x, top),
        )

    allowed = f"{amount(budget.allowed, 'percentunit')} of {period(objective)}"
    about = f"The share of the budget that is not yet spent. The budget: {allowed} may be bad."
    yield number(frame(Shown.BUDGET_LEFT, "Budget left", 4, 0, about), left, EMPTY, settings)
    over = "What was left of the budget at each moment, looking back over the whole period from there."
    yield history(frame(Shown.BURN_DOWN, "Burn-down", 6, 4, about, over), left, EMPTY, settings)
    rates = "How many times as fast as allowed the budget is spent; at 1 it lasts exactly the period."
    burning = [alert for alert in objective.alerts if alert.burn]
    if burning:
        yield lines(
            frame(Shown.BURN_RATE, "Burn rate", 8, 10, rates, *map(_about, burning)),
            [*_burn_lines(budget, burning)],
            settings,
        )
    least = (
        f"Burn-rate alerts judge windows of at least {budget.least_events} events and {budget.least_bad} bad ones."
    )
    yield lines(
        frame(Shown.EVENTS, "Events per hour", 6, 18, least),
        [
            Line("all", Query(budget.source, budget.total(HOUR), HOUR, "short"), "blue"),
            Line("bad", Query(budget.source, budget.failures(HOUR), HOUR, "short"), "red"),
        ],
        settings,
    )


def _burn_lines(budget: Budget, alerts: Sequence[Alert]) -> Iterator[Line]:
    """What each alert judges by its factor, without the conditions that keep it from firing: those make it 0 nearly
    always, and a picture of zeros warns nobody."""
    for alert, colour in zip(alerts, cycle(BURN_COLOURS), strict=False):
        window = alert.query.span
        rate = Query(budget.source, budget.rate(window), window, alert.query.unit)
        name = f"over {time(window)}, {alert.severity} above {alert.threshold:f}"
        yield Line(name, rate, colour, alert.threshold)


def _about(alert: Alert) -> str:
    return f"{alert.title}: {alert.severity} to {alert.owner}. {alert.summary} First step: {alert.mitigation}"


def _section(objective: Objective) -> str:
    return objective.alerts[0].section if objective.alerts else ""
