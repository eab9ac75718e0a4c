"""The objectives' dashboard: every alert has its picture, and a budget is seen before it is gone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from runbook.model.alerting import Shown, panel_id, query_model, rule_groups, source_uid
from runbook.model.budget import Budget
from runbook.model.dashboards import dashboards
from runbook.model.objectives import Alert, Objective, Stack
from runbook.model.panels import Limit, alert_limit, target_limit
from runbook.model.platform import Platform
from runbook.model.problems import PlatformError
from runbook.model.signals import Source
from tests.model.boards import asks, board, objectives, red, steps
from tests.model.rules import alerts, every_stack, models, rules
from tests.stacks import STACKS, platform, settings

Panel = dict[str, Any]


def panels(stack: str) -> dict[int, Panel]:
    return {panel["id"]: panel for panel in board(stack, "objectives")["panels"]}


def linked(stack: str) -> Iterator[tuple[str, Panel]]:
    """Each alert's name and the panel that Grafana opens from it."""
    for name, rule in rules(stack).items():
        assert rule.annotations["__dashboardUid__"] == board(stack, "objectives")["uid"]
        yield name, panels(stack)[int(rule.annotations["__panelId__"])]


def budgets(stack: str) -> Iterator[tuple[Budget, Objective, dict[Shown, Panel]]]:
    """Each budget, its objective, and the objective's panels."""
    for place, objective in enumerate(objectives(stack), 1):
        if objective.budget:
            shown = {each: panels(stack).get(panel_id(place, objective, each)) for each in Shown}
            yield objective.budget, objective, {each: panel for each, panel in shown.items() if panel}


# From an alert to its picture.


@every_stack
def test_a_literal_alert_links_to_the_panel_of_its_own_query_and_threshold(stack: str) -> None:
    for name, panel in linked(stack):
        alert = alerts(stack)[name]
        if not alert.burn:
            query = models(rules(stack)[name])["A"]
            assert asks(panel) == [query.get("expr") or query["rawSql"]], name
            assert steps(panel)[1][0] == float(alert_limit(alert).value), name
            assert alert.mitigation in panel["description"], name


@every_stack
def test_a_burn_rate_alert_links_to_the_panel_of_the_rate_that_it_judges(stack: str) -> None:
    for name, panel in linked(stack):
        alert = alerts(stack)[name]
        if not alert.burn:
            continue
        rule = models(rules(stack)[name])
        [factor] = rule["C"]["conditions"][0]["evaluator"]["params"]
        [colour] = [colour for at, colour in steps(panel) if at == factor]
        [line] = [target for target in panel["targets"] if colour_of(panel, target["legendFormat"]) == colour]
        assert line["legendFormat"].endswith(f"{alert.severity} above {factor}"), "line and threshold of one colour"
        assert f"> {factor} and " in rule["A"]["expr"]
        assert alert.mitigation in panel["description"]


def colour_of(panel: Panel, line: str) -> str:
    [properties] = [
        override["properties"]
        for override in panel["fieldConfig"]["overrides"]
        if override["matcher"] == {"id": "byName", "options": line}
    ]
    [fixed] = properties
    assert (fixed["id"], fixed["value"]["mode"]) == ("color", "fixed")
    return str(fixed["value"]["fixedColor"])


@every_stack
def test_a_burn_rate_line_is_the_rate_that_the_alert_begins_with(stack: str) -> None:
    for budget, objective, shown in budgets(stack):
        burning = [alert for alert in objective.alerts if alert.burn]
        for alert, asked in zip(burning, asks(shown[Shown.BURN_RATE]), strict=True):
            assert alert.burn
            assert asked == budget.rate(alert.burn.long)
            rate = f"{budget.share(alert.burn.long)} / {budget.allowed}"
            assert rate in asked
            assert alert.query.expression.lstrip("(").startswith(rate.lstrip("("))


@every_stack
def test_ids_of_an_objectives_panels_stand_in_its_own_hundred(stack: str) -> None:
    owning = [panel // 100 for panel in panels(stack)]
    assert set(owning) == set(range(1, len(objectives(stack)) + 1))
    assert owning == sorted(owning)
    rows = [panel["id"] for panel in panels(stack).values() if panel["type"] == "row"]
    assert rows == [100 * place + 99 for place in range(1, len(objectives(stack)) + 1)]


def with_alerts(name: str, *more: Alert) -> Platform:
    """EasyMO with more alerts on one objective."""

    def changed(stack: Stack) -> tuple[Objective, ...]:
        return tuple(
            replace(objective, alerts=(*objective.alerts, *more)) if objective.name == name else objective
            for objective in platform("easymo-prod").objectives(stack)
        )

    return replace(platform("easymo-prod"), objectives=changed)


def new_alerts(count: int) -> list[Alert]:
    alert = objectives("easymo-prod")[1].alerts[0]
    return [replace(alert, name=f"new-{n}", title=f"New {n}", threshold=Decimal(n)) for n in range(count)]


def test_another_alert_moves_no_id() -> None:
    def ids(made: Platform) -> dict[str, str]:
        groups = rule_groups(made, settings("easymo-prod"))
        return {rule.uid: rule.annotations["__panelId__"] for group in groups for rule in group.rules}

    before = ids(platform("easymo-prod"))
    after = ids(with_alerts("voice-api", *new_alerts(9)))
    assert before.items() < after.items()
    assert len(set(after.values()) - set(before.values())) == 9


def test_more_alerts_than_panel_ids_are_refused() -> None:
    rule_groups(with_alerts("admin-router", *new_alerts(86)), settings("easymo-prod"))
    with pytest.raises(PlatformError) as error:
        dashboards(with_alerts("admin-router", *new_alerts(87)), settings("easymo-prod"))
    assert str(error.value) == (
        "Objective admin-router has 90 alerts; at most 89 have a panel's id. Make it two objectives."
    )


# Budgets.


@every_stack
def test_an_objective_with_a_budget_shows_all_of_it(stack: str) -> None:
    with_budget = [
        objective.name for _, objective, shown in budgets(stack) if {*Shown} - {Shown.ALERTS} <= shown.keys()
    ]
    assert with_budget == [objective.name for objective in objectives(stack) if objective.period], (
        "a target over a period"
    )
    for place, objective in enumerate(objectives(stack), 1):
        if not objective.budget:
            shown = {panel % 100 for panel in panels(stack) if panel // 100 == place}
            assert not shown & {Shown.BUDGET_LEFT, Shown.BURN_DOWN, Shown.BURN_RATE, Shown.EVENTS}


@every_stack
def test_what_is_left_of_a_budget_is_asked_once_and_red_when_overspent(stack: str) -> None:
    for budget, _, shown in budgets(stack):
        panel = shown[Shown.BUDGET_LEFT]
        assert asks(panel) == [f"1 - ({budget.rate(budget.period)})"]
        [target] = panel["targets"]
        assert panel["type"] == "stat"
        assert target.get("queryType") == "instant" or (target["instant"], target["range"]) == (True, False)
        assert panel["fieldConfig"]["defaults"]["unit"] == "percentunit"
        assert [red(panel, left) for left in (-0.01, 0, 0.01, 1)] == [True, False, False, False]


@every_stack
def test_a_burn_down_covers_the_period_and_is_asked_hourly_at_most(stack: str) -> None:
    for budget, _, shown in budgets(stack):
        panel = shown[Shown.BURN_DOWN]
        assert asks(panel) == asks(shown[Shown.BUDGET_LEFT])
        assert (panel["interval"], panel["maxDataPoints"]) == ("1h", 100)
        assert panel["timeFrom"] == {30: "30d", 7: "7d", 1: "1d"}[budget.period.days]


@every_stack
def test_events_are_counted_by_the_hour_all_and_bad(stack: str) -> None:
    for budget, _, shown in budgets(stack):
        hour = budget.burns[0].long
        assert asks(shown[Shown.EVENTS]) == [budget.total(hour), f"{budget.bad(hour)} or {budget.total(hour)} * 0"]
        for least in (budget.least_events, budget.least_bad):
            assert f" {least} " in shown[Shown.EVENTS]["description"]


def test_the_budget_of_business_hours_says_so() -> None:
    (_, _, shown) = next(each for each in budgets("prod") if each[0].counted)
    assert "0.5 % of 7 days (45 h of business hours) may be bad" in shown[Shown.BUDGET_LEFT]["description"]


@every_stack
def test_a_dead_drain_leaves_no_budget_that_looks_full(stack: str) -> None:
    """A day's window would show yesterday's lines for a day."""
    for budget, _, shown in budgets(stack):
        if budget.source is Source.LOKI:
            assert budget.alive
            for each in (Shown.BUDGET_LEFT, Shown.BURN_DOWN, Shown.BURN_RATE):
                assert all(f") and {budget.alive}" in asked for asked in asks(shown[each]))


def test_a_windows_line_is_asked_as_often_as_the_window_is_short() -> None:
    """A line of three days asked every minute costs what all others cost together, and moves as little."""
    voice = next(shown for _, objective, shown in budgets("easymo-prod") if objective.name == "voice-api")
    assert [target["interval"] for target in voice[Shown.BURN_RATE]["targets"]] == ["1m", "3m", "14m", "43m"]


def test_more_windows_than_colours_still_have_a_line_each() -> None:
    objective = next(each for each in objectives("easymo-prod") if each.name == "voice-api")
    burning = next(alert for alert in objective.alerts if alert.burn)
    more = [replace(burning, name=f"new-{n}", title=f"New {n}", threshold=Decimal(20 + n)) for n in range(7)]
    made = dashboards(with_alerts("voice-api", *more), settings("easymo-prod"))[0]
    [panel] = [panel for panel in json.loads(made.config_json)["panels"] if panel["id"] == 105]
    assert [target["refId"] for target in panel["targets"]] == [*"ABCDEFGHIJK"]
    assert len(steps(panel)) == 1 + 4 + 7


# Indicators, and where red begins.


@every_stack
def test_indicators_are_red_on_the_wrong_side_of_the_target(stack: str) -> None:
    for place, objective in enumerate(objectives(stack), 1):
        panel = panels(stack)[panel_id(place, objective, Shown.INDICATOR)]
        target, least = float(objective.target), objective.target_is == "least"
        assert red(panel, target * 0.99 if target else -1) == least
        assert red(panel, target * 1.01 if target else 1) != least
        assert panel["description"].startswith(f"Objective: {objective.statement}")


def _alert(comparator: str, threshold: str, unit: str) -> Alert:
    alert = objectives("prod")[0].alerts[0]
    changes: dict[str, Any] = {"comparator": comparator, "threshold": Decimal(threshold)}
    counted: dict[str, Any] = {"unit": unit}
    return replace(alert, **changes, query=replace(alert.query, **counted))


@pytest.mark.parametrize(
    ("alert", "limit"),
    [
        (_alert("gt", "30", "m"), Limit(Decimal("30"), "above")),
        (_alert("gte", "0.05", "percentunit"), Limit(Decimal("0.05"), "above")),
        (_alert("lt", "0.995", "percentunit"), Limit(Decimal("0.995"), "below")),
        (_alert("gte", "2", "short"), Limit(Decimal("2"), "above")),
        (_alert("gt", "0", "short"), Limit(Decimal("1"), "above")),
        (_alert("lte", "0", "short"), Limit(Decimal("1"), "below")),
        (_alert("gt", "14.4", "none"), Limit(Decimal("14.4"), "above")),
    ],
)
def test_red_begins_where_the_alerts_condition_does(alert: Alert, limit: Limit) -> None:
    assert alert_limit(alert) == limit


def test_a_targets_side_decides_what_is_red() -> None:
    uptime = next(each for each in objectives("prod") if each.target_is == "least")
    assert target_limit(uptime) == Limit(uptime.target, "below")
    assert target_limit(replace(uptime, target_is="most")) == Limit(uptime.target, "above")


@pytest.mark.parametrize(
    ("stack", "title"),
    [("prod", "log_drain_failure events"), ("prod", "Anomaly detector"), ("easymo-prod", "Supabase drift")],
)
def test_none_of_what_is_counted_is_not_red(stack: str, title: str) -> None:
    [panel] = [panel for panel in panels(stack).values() if panel["title"] == title and panel["type"] != "row"]
    assert not red(panel, 0)
    assert red(panel, 1)


@pytest.mark.parametrize("stack", STACKS)
def test_alert_lists_show_the_rules_of_their_objective(stack: str) -> None:
    groups = rule_groups(platform(stack), settings(stack))
    for place, (group, objective) in enumerate(zip(groups, objectives(stack), strict=True), 1):
        states = panels(stack)[panel_id(place, objective, Shown.STATES)]
        matchers = states["options"]["alertInstanceLabelFilter"].strip("{}").split(",")
        wanted = dict(matcher.replace('"', "").split("=") for matcher in matchers)
        assert wanted["objective"] == objective.name
        for rule in group.rules:
            assert wanted.items() <= rule.labels.items()


def test_queries_of_a_panel_are_those_of_the_rule() -> None:
    """A target differs from a rule's query only in asking over time."""
    panel = panels("prod")[101]
    assert panel["targets"] == [
        query_model(objectives("prod")[0].indicator, source_uid(settings("prod"), Source.LOKI))
    ]
