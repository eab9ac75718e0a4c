"""Grafana's alerting as data: contact points, mute timings and rules as they are sent, deterministic to the byte.

Nothing here is a default: Grafana's API, provider and SDKs each have their own for missing data and errors.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import IntEnum
from typing import Any, get_args

from runbook.model.cutover.phases import Phase
from runbook.model.fields import WEEKDAYS, duration_text
from runbook.model.objectives import Alert, NoData, Objective, OnError, Query
from runbook.model.platform import Owner, Platform
from runbook.model.problems import PlatformError
from runbook.model.serving import stack_of
from runbook.model.settings import BusinessHours, Contact, Settings
from runbook.model.signals import Source

EXPRESSION = "__expr__"  # the uid of Grafana's own expression engine
UID_MOST = 40  # Grafana cuts no uid: a longer one is refused in up
GROUPING = ("alertname", "grafana_folder")  # Grafana wants both in rule-level grouping, and says so only in up
PANEL_IDS = 100  # kept for each objective, so that another alert of one moves no id of the others


class Shown(IntEnum):
    """Panels of an objective on the objectives' dashboard, each numbered within the objective's own ids. Literal
    alerts that the indicator's panel does not show have the ids from ALERTS on, the row has the last."""

    INDICATOR = 0
    NOW = 1
    STATES = 2
    BUDGET_LEFT = 3
    BURN_DOWN = 4
    BURN_RATE = 5
    EVENTS = 6
    ALERTS = 10
    ROW = PANEL_IDS - 1


@dataclass(frozen=True)
class ContactPoint:
    """Everything that reaches an owner: the owner's own contacts, then those of the owners told."""

    owner: str
    name: str
    contacts: tuple[Contact, ...]


@dataclass(frozen=True)
class MuteTiming:
    """Times in which alerts are not sent. `times` are (start, end) in minutes as HH:MM; 24:00 ends a day."""

    name: str
    location: str
    intervals: tuple[tuple[tuple[str, ...], tuple[tuple[str, str], ...]], ...]


@dataclass(frozen=True)
class Rule:
    """One alert rule, in the words of the Pulumi provider; `models` are the JSON texts of A, B and C."""

    name: str
    uid: str
    for_: str
    no_data_state: str
    exec_err_state: str
    datasource_uid: str
    span: timedelta
    models: tuple[tuple[str, str], ...]
    condition: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    owner: str
    muted_outside_hours: bool
    group_by: tuple[str, ...] = GROUPING


@dataclass(frozen=True)
class RuleGroup:
    """The rules of one objective."""

    objective: str
    name: str
    interval_seconds: int
    rules: tuple[Rule, ...]


def base_name(settings: Settings) -> str:
    """Prefix of everything this stack names in Grafana, which may hold several stacks."""
    return stack_of(settings).name


def source_uid(settings: Settings, source: Source) -> str:
    return f"{base_name(settings)}-{source.name.lower()}"


def dashboard_uid(settings: Settings, kind: str) -> str:
    return _uid(f"{base_name(settings)}-{kind}")


def contact_points(platform: Platform, settings: Settings) -> tuple[ContactPoint, ...]:
    return tuple(
        ContactPoint(
            owner.name,
            f"{base_name(settings)} {owner.name}",
            tuple(contact for name in (owner.name, *owner.told) for contact in settings.owners[name]),
        )
        for owner in _addressed(platform, settings)
    )


def _addressed(platform: Platform, settings: Settings) -> tuple[Owner, ...]:
    """Owners of at least one rule; who is only told needs no contact point."""
    owning = {alert.owner for objective in platform.objectives(stack_of(settings)) for alert in objective.alerts}
    return tuple(owner for owner in platform.owners if owner.name in owning)


def mute_timing(settings: Settings) -> MuteTiming | None:
    """All times outside business hours. Muting only silences: the indicator itself leaves those samples out."""
    hours = settings.business_hours
    if hours is None:
        return None
    intervals = [(tuple(hours.days), _outside(hours))]
    free = tuple(day for day in WEEKDAYS if day not in hours.days)
    if free:
        intervals.append((free, (("00:00", "24:00"),)))
    return MuteTiming(f"{base_name(settings)} outside business hours", hours.timezone, tuple(intervals))


def _outside(hours: BusinessHours) -> tuple[tuple[str, str], ...]:
    start, end = f"{hours.start:%H:%M}", f"{hours.end:%H:%M}"
    before = (("00:00", start),) if start != "00:00" else ()
    return (*before, (end, "24:00"))


def rule_groups(platform: Platform, settings: Settings) -> tuple[RuleGroup, ...]:
    """One group per objective. Raises: PlatformError where the platform's data breaks a rule of Grafana's."""
    groups = tuple(
        RuleGroup(
            objective.name,
            f"{base_name(settings)} {objective.name}",
            settings.grafana.interval_seconds,
            tuple(_rule(alert, objective, place, platform, settings) for alert in objective.alerts),
        )
        for place, objective in enumerate(platform.objectives(stack_of(settings)), 1)
    )
    check_rules([rule for group in groups for rule in group.rules])
    return groups


def check_rules(rules: Sequence[Rule]) -> None:
    """Refuses what the provider lets through in preview and Grafana refuses later, or never fires on.

    Raises: PlatformError
    """
    for rule in rules:
        refs = [ref for ref, _ in rule.models]
        if rule.condition not in refs:
            raise _refused(rule, f"condition {rule.condition}", refs)
        if rule.no_data_state not in get_args(NoData):
            raise _refused(rule, f"no-data state {rule.no_data_state}", get_args(NoData))
        if rule.exec_err_state not in get_args(OnError):
            raise _refused(rule, f"error state {rule.exec_err_state}", get_args(OnError))
        missing = [name for name in GROUPING if name not in rule.group_by]
        if missing:
            raise PlatformError(f"Rule {rule.uid} is not grouped by {', '.join(missing)}, which Grafana wants.")
    for what, texts in (("name", [rule.name for rule in rules]), ("uid", [rule.uid for rule in rules])):
        for text, count in Counter(texts).items():
            if count > 1:
                raise PlatformError(f"{count} rules have the {what} {text!r}; give each alert a {what} of its own.")


def _refused(rule: Rule, given: str, allowed: Sequence[str]) -> PlatformError:
    return PlatformError(f"Rule {rule.uid} has the {given}; allowed is one of {', '.join(allowed)}.")


def _watched(alert: Alert, objective: Objective, settings: Settings) -> bool:
    """Whether the alert says, while next serves and is not settled, that the cutover has to be taken back."""
    if settings.cutover is None or settings.phase is not Phase.FLIPPED:
        return False
    return objective.name in settings.cutover.back_out and alert in objective.watch


def _back_out() -> str:
    return f"A back-out criterion of the cutover: write phase: {Phase.ROLLED_BACK} and run pulumi up."


def _rule(alert: Alert, objective: Objective, place: int, platform: Platform, settings: Settings) -> Rule:
    if alert.owner not in {owner.name for owner in platform.owners}:
        raise PlatformError(f"Alert {alert.name} belongs to {alert.owner}, who is no owner of {platform.name}.")
    watched = _watched(alert, objective, settings)
    return Rule(
        name=f"{platform.title} {settings.environment}: {alert.title}",
        uid=_uid(f"{base_name(settings)}-{alert.name}"),
        for_=duration_text(alert.pending) if alert.pending else "0s",
        no_data_state=alert.no_data,
        exec_err_state=alert.on_error,
        datasource_uid=source_uid(settings, alert.query.source),
        span=alert.query.span,
        models=(
            ("A", _text(query_model(alert.query, source_uid(settings, alert.query.source)))),
            ("B", _text(_expression("B", "reduce", "A", {"reducer": "last", "settings": {"mode": ""}}))),
            ("C", _text(_expression("C", "threshold", "B", {"conditions": [_condition(alert)]}))),
        ),
        condition="C",
        labels={
            **stack_of(settings).labels,
            "objective": objective.name,
            "owner": alert.owner,
            "severity": alert.severity,
            **({"watch": "cutover"} if watched else {}),
        },
        annotations={
            "summary": alert.summary,
            "objective": f"{objective.title}: {objective.statement}",
            "mitigation": alert.mitigation,
            "runbook_url": f"{settings.runbook_url}{alert.section}",
            "__dashboardUid__": dashboard_uid(settings, "objectives"),
            "__panelId__": str(panel_id(place, objective, alert)),
            **({"back_out": _back_out()} if watched else {}),
        },
        owner=alert.owner,
        muted_outside_hours=alert.in_business_hours and not watched,  # cutovers are at night
    )


def panel_id(place: int, objective: Objective, shows: Shown | Alert) -> int:
    """Id of the objective's panel that shows this, or this alert. `place`: the objective's, from 1 on, among those of
    its platform. Raises: PlatformError where the objective has more alerts than ids are kept for."""
    return place * PANEL_IDS + (shows if isinstance(shows, Shown) else _within(objective, shows))


def _within(objective: Objective, alert: Alert) -> int:
    if alert.burn:
        return Shown.BURN_RATE
    if objective.is_missed(alert):
        return Shown.INDICATOR
    own = Shown.ALERTS + objective.alerts.index(alert)
    if own >= Shown.ROW:
        most = Shown.ROW - Shown.ALERTS
        raise PlatformError(
            f"Objective {objective.name} has {len(objective.alerts)} alerts; at most {most} have a panel's id. "
            "Make it two objectives."
        )
    return own


def query_model(query: Query, uid: str, ref: str = "A") -> dict[str, Any]:
    """The query as Grafana keeps it. `intervalMs` 1000 and `maxDataPoints` 43200 are left out: the provider drops
    exactly those, and a rule that carried them would show a change for ever."""
    common = {"refId": ref, "datasource": {"type": query.source.value, "uid": uid}}
    if query.source is Source.POSTGRES:
        return {
            **common,
            "editorMode": "code",
            "format": "time_series",
            "rawQuery": True,
            "rawSql": query.expression,
        }
    if query.source is Source.LOKI:
        return {**common, "editorMode": "code", "expr": query.expression, "queryType": "instant"}
    return {**common, "editorMode": "code", "expr": query.expression, "instant": True, "range": False}


def _expression(ref: str, kind: str, on: str, more: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "refId": ref,
        "datasource": {"type": EXPRESSION, "uid": EXPRESSION},
        "type": kind,
        "expression": on,
        **more,
    }


def _condition(alert: Alert) -> dict[str, Any]:
    # The threshold is the runbook's number, digit for digit: a Decimal's own text, never a computed float.
    return {"evaluator": {"type": alert.comparator, "params": [json.loads(f"{alert.threshold:f}")]}}


def _text(model: Mapping[str, Any]) -> str:
    return json.dumps(model, sort_keys=True, separators=(",", ":"))


def _uid(text: str) -> str:
    if len(text) > UID_MOST or not re.fullmatch("[a-z0-9-]+", text):
        raise PlatformError(f"The uid {text} has {len(text)} characters; {UID_MOST} of a-z, 0-9 and - are allowed.")
    return text
