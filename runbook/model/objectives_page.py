"""docs/objectives.md: the runbooks' tables of objectives, made from the objects that the rules are made from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain

from runbook.model.alerting import Shown, dashboard_uid, panel_id
from runbook.model.budget import Burn
from runbook.model.objectives import Alert, Comparator, Objective
from runbook.model.pages import HEAD, SOURCES, table
from runbook.model.platform import Platform
from runbook.model.serving import stack_of
from runbook.model.settings import Settings
from runbook.model.texts import amount, period, time

_SIGNS: dict[Comparator, str] = {"gt": ">", "gte": "≥", "lt": "<", "lte": "≤"}
_COLUMNS = (
    "Objective",
    "In the runbook's words",
    "Indicator",
    "Target",
    "Period",
    "Alerts",
    "Burn-rate alerts",
    "Owner and severity",
    "Section",
    "First command",
    "Watched in a cutover",
)


def objectives_page(stacks: Mapping[str, tuple[Platform, Settings]]) -> str:
    """`stacks`: name to platform and settings; one table for each."""
    return "\n".join(
        [
            HEAD,
            "# Objectives",
            "",
            "One row per objective. Of an alert, comparator and threshold stand as they are sent (`gte 0.05`), and",
            "before them as people read them. A burn-rate alert fires while the budget was spent faster than its",
            "factor over its long window and is over its short one; the factor is the share of the budget, times the",
            "period, divided by the long window. The watch of a cutover is the objective's pages. What the runbooks",
            "leave open is in [choices](choices.md), what the panels ask in [dashboards](dashboards.md).",
            "",
            *chain.from_iterable(_platform(stack, *of) for stack, of in stacks.items()),
        ]
    )


def _platform(stack: str, platform: Platform, settings: Settings) -> Iterator[str]:
    yield f"## {platform.title}\n"
    uid = dashboard_uid(settings, "objectives")
    yield f"Stack `{stack}`; panels are those of the dashboard `{uid}`.\n"
    objectives = platform.objectives(stack_of(settings))
    yield from table(
        _COLUMNS,
        [_row(place, objective, platform, settings) for place, objective in enumerate(objectives, 1)],
    )


def _row(place: int, objective: Objective, platform: Platform, settings: Settings) -> tuple[str, ...]:
    titles = {owner.name: owner.title for owner in platform.owners}
    alerts = objective.alerts
    return (
        objective.title,
        objective.statement,
        f"{SOURCES[objective.indicator.source]}, panel {panel_id(place, objective, Shown.INDICATOR)}",
        _target(objective),
        period(objective),
        _lines(_literal(place, objective, alert) for alert in alerts if not alert.burn),
        _lines(_burning(place, objective, alert, alert.burn) for alert in alerts if alert.burn) or "none",
        _lines(
            f"{titles[name]}: {_severities(alerts, name)}" for name in dict.fromkeys(alert.owner for alert in alerts)
        ),
        _lines(f"[{alert.section}]({settings.runbook_url}{alert.section})" for alert in alerts),
        _lines(alert.mitigation for alert in alerts),
        _lines(f"`{alert.name}`" for alert in objective.watch) or "nothing",
    )


def _severities(alerts: Sequence[Alert], owner: str) -> str:
    return ", ".join(dict.fromkeys(alert.severity for alert in alerts if alert.owner == owner))


def _target(objective: Objective) -> str:
    # A target that is itself a breach is not "at most" that.
    breach = any(objective.is_missed(alert) and alert.comparator in ("gte", "lte") for alert in objective.alerts)
    words = {"most": "below" if breach else "at most", "least": "above" if breach else "at least"}
    return f"{words[objective.target_is]} {amount(objective.target, objective.indicator.unit)}"


def _literal(place: int, objective: Objective, alert: Alert) -> str:
    pending = f" for {time(alert.pending)}" if alert.pending else ""
    number = f"{_SIGNS[alert.comparator]} {amount(alert.threshold, alert.query.unit)}"
    return (
        f"`{alert.name}`: {alert.title}: {number} (`{alert.comparator} {alert.threshold:f}`){pending}, "
        f"panel {panel_id(place, objective, alert)}"
    )


def _burning(place: int, objective: Objective, alert: Alert, burn: Burn) -> str:
    return (
        f"`{alert.name}`: `{alert.comparator} {alert.threshold:f}` over {time(burn.long)} and {time(burn.short)} "
        f"({amount(burn.share, 'percentunit')} of the budget), {alert.severity}, "
        f"panel {panel_id(place, objective, alert)}"
    )


def _lines(texts: Iterable[str]) -> str:
    """Each of them once, one below the other in a table's cell."""
    return "<br>".join(dict.fromkeys(texts))
