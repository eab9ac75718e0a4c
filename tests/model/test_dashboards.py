"""The dashboards show what the runbooks ask for, red where the runbooks say so, and nothing that Grafana minds."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from decimal import Decimal
from functools import cache
from typing import Any

import pytest

from runbook.model.alerting import panel_id, query_model, rule_groups, source_uid
from runbook.model.dashboards import company_operations, dashboards
from runbook.model.objectives import Alert, Objective, Stack
from runbook.model.observing import data_sources
from runbook.model.panels import Limit, alert_limit, target_limit
from runbook.model.problems import ConfigError, PlatformError
from runbook.model.serving import stack_of
from runbook.model.settings import Settings
from runbook.model.signals import Source
from tests.model.lint import findings
from tests.stacks import STACKS, platform, raw, settings

KINDS = ("objectives", "operations", "checklist")
CASES = [(stack, kind) for stack in STACKS for kind in KINDS]


@cache
def board(stack: str, kind: str) -> dict[str, Any]:
    """The emitted JSON, parsed; nobody changes it."""
    made = {str(each.kind): each for each in dashboards(platform(stack), settings(stack))}
    parsed: dict[str, Any] = json.loads(made[kind].config_json)
    return parsed


def objectives(stack: str) -> tuple[Objective, ...]:
    return platform(stack).objectives(stack_of(settings(stack)))


def asks(panel: dict[str, Any]) -> str:
    (target,) = panel["targets"]
    return str(target.get("expr") or target.get("rawSql"))


def red(panel: dict[str, Any], value: float) -> bool:
    """How Grafana colours: the last step that is not above the value."""
    steps = panel["fieldConfig"]["defaults"]["thresholds"]["steps"]
    reached = [step for step in steps if step["value"] is None or step["value"] <= value]
    return bool(reached[-1]["color"] == "red")


@pytest.mark.parametrize(("stack", "kind"), CASES)
def test_nothing_that_the_linter_minds(stack: str, kind: str) -> None:
    sources = {source.uid: source.source.value for source in data_sources(settings(stack))}
    assert findings(board(stack, kind), sources) == []


@pytest.mark.parametrize(
    ("spoil", "found"),
    [
        ({"description": ""}, "Panel 13 (timeseries) has no description."),
        ({"title": ""}, "Panel 13 (timeseries) has no title."),
        ({"targets": []}, "Panel 13 (timeseries) has no target."),
        ({"datasource": {"uid": "other"}}, "Panel 13 (timeseries) reads from a data source that does not exist."),
        ({"fieldConfig": {"defaults": {"unit": "parsec"}}}, "Panel 13 (timeseries) has no unit."),
        ({"gridPos": {"x": 20, "y": 99, "w": 8, "h": 8}}, "Panel 13 (timeseries) stands outside the 24 columns."),
        ({"gridPos": {"x": 2, "y": 2, "w": 2, "h": 2}}, "Panels 10 and 13 overlap."),
    ],
)
def test_the_linter_finds_what_is_wrong(spoil: dict[str, Any], found: str) -> None:
    spoilt = copy.deepcopy(board("easymo-prod", "objectives"))
    next(panel for panel in spoilt["panels"] if panel["id"] == 13).update(spoil)
    sources = {source.uid: source.source.value for source in data_sources(settings("easymo-prod"))}
    assert findings(spoilt, sources) == [found]


@pytest.mark.parametrize("stack", STACKS)
def test_the_same_settings_give_the_same_bytes(stack: str) -> None:
    once, again = (dashboards(platform(stack), settings(stack)) for _ in range(2))
    assert once == again
    for made in once:
        model = json.loads(made.config_json)
        assert (model["uid"], model["title"]) == (made.uid, made.title)
        assert json.dumps(model, sort_keys=True, separators=(",", ":"), ensure_ascii=False) == made.config_json


@pytest.mark.parametrize("stack", STACKS)
def test_an_alert_links_to_the_panel_of_its_objective(stack: str) -> None:
    made = board(stack, "objectives")
    asked = {panel["id"]: asks(panel) for panel in made["panels"] if "targets" in panel}
    by_name = {each.name: each for each in objectives(stack)}
    for group in rule_groups(platform(stack), settings(stack)):
        for rule in group.rules:
            assert rule.annotations["__dashboardUid__"] == made["uid"]
            linked = int(rule.annotations["__panelId__"])
            assert asked[linked] == by_name[group.objective].indicator.expression


@pytest.mark.parametrize("stack", STACKS)
def test_ids_of_an_objectives_panels_stand_in_its_own_ten(stack: str) -> None:
    """An objective that gets another alert moves no other objective's ids."""
    made = board(stack, "objectives")
    wanted = [panel_id(each, platform(stack), settings(stack)) for each in objectives(stack)]
    assert [panel["id"] for panel in made["panels"] if panel["type"] == "row"] == [first + 9 for first in wanted]
    owning = {panel["id"] // 10 * 10 for panel in made["panels"]}
    assert owning == set(wanted)


@pytest.mark.parametrize("stack", STACKS)
def test_every_alert_is_drawn_against_its_threshold(stack: str) -> None:
    made = board(stack, "objectives")
    for objective in objectives(stack):
        first = panel_id(objective, platform(stack), settings(stack))
        mine = [panel for panel in made["panels"] if first <= panel["id"] < first + 9 and "targets" in panel]
        for alert in objective.alerts:
            drawn = [panel for panel in mine if asks(panel) == alert.query.expression]
            assert any(_steps(panel)[1] == float(alert_limit(alert).value) for panel in drawn), alert.name
            assert any(alert.mitigation in panel["description"] for panel in drawn), alert.name


def _steps(panel: dict[str, Any]) -> list[float | None]:
    return [step["value"] for step in panel["fieldConfig"]["defaults"]["thresholds"]["steps"]]


@pytest.mark.parametrize("stack", STACKS)
def test_indicators_are_red_on_the_wrong_side_of_the_target(stack: str) -> None:
    made = {panel["id"]: panel for panel in board(stack, "objectives")["panels"]}
    for objective in objectives(stack):
        panel = made[panel_id(objective, platform(stack), settings(stack))]
        target, least = float(objective.target), objective.target_is == "least"
        assert red(panel, target * 0.99) == least
        assert red(panel, target * 1.01) != least
        assert panel["description"].startswith(f"Objective: {objective.statement}")


@pytest.mark.parametrize("stack", STACKS)
def test_a_graphs_axis_holds_its_threshold(stack: str) -> None:
    """Or the line is outside the picture as long as all is well."""
    panels = [panel for kind in KINDS for panel in board(stack, kind)["panels"] if panel["type"] == "timeseries"]
    limited = [panel for panel in panels if len(_steps(panel)) > 1]
    assert limited
    for panel in limited:
        custom = panel["fieldConfig"]["defaults"]["custom"]
        assert custom["axisSoftMin"] < (_steps(panel)[1] or 0) < custom["axisSoftMax"]


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
    ],
)
def test_red_begins_where_the_alerts_condition_does(alert: Alert, limit: Limit) -> None:
    assert alert_limit(alert) == limit


def test_no_failure_events_is_not_red() -> None:
    (failures,) = (
        panel for panel in board("prod", "objectives")["panels"] if panel["title"] == "log_drain_failure events"
    )
    assert not red(failures, 0)
    assert red(failures, 1)


@pytest.mark.parametrize(("stack", "kind"), CASES)
def test_each_source_is_asked_in_the_way_its_panel_needs(stack: str, kind: str) -> None:
    for panel in board(stack, kind)["panels"]:
        for target in panel.get("targets", ()):
            if "rawSql" in target:  # one row at now(): a graph of it would be a dot
                assert (panel["type"], target["format"]) == ("stat", "time_series")
            elif "queryType" in target:
                assert target["queryType"] == ("range" if panel["type"] == "timeseries" else "instant")
            else:
                over_time = panel["type"] == "timeseries"
                assert (target["range"], target["instant"]) == (over_time, not over_time)


@pytest.mark.parametrize("stack", STACKS)
def test_the_panels_of_a_platform_are_all_there(stack: str) -> None:
    of = stack_of(settings(stack))
    for kind, panels in (
        ("operations", platform(stack).operations(of)),
        ("checklist", platform(stack).checklist(of)),
    ):
        shown = [(panel["title"], asks(panel)) for panel in board(stack, kind)["panels"]]
        assert shown == [(panel.title, panel.query.expression) for panel in panels]
    assert {panel["type"] for panel in board(stack, "checklist")["panels"]} == {"stat"}


@pytest.mark.parametrize("stack", STACKS)
def test_alert_lists_show_the_rules_of_their_objective(stack: str) -> None:
    made = {panel["id"]: panel for panel in board(stack, "objectives")["panels"]}
    for group, objective in zip(rule_groups(platform(stack), settings(stack)), objectives(stack), strict=True):
        states = made[panel_id(objective, platform(stack), settings(stack)) + 2]
        matchers = states["options"]["alertInstanceLabelFilter"].strip("{}").split(",")
        wanted = dict(matcher.replace('"', "").split("=") for matcher in matchers)
        assert wanted["objective"] == objective.name
        for rule in group.rules:
            assert wanted.items() <= rule.labels.items()


def test_queries_of_a_panel_are_those_of_the_rule() -> None:
    """A target differs from a rule's query only in asking over time."""
    objective = objectives("prod")[0]
    panel = {each["id"]: each for each in board("prod", "objectives")["panels"]}[11]
    assert panel["targets"] == [query_model(objective.indicator, source_uid(settings("prod"), Source.LOKI))]


def test_more_alerts_than_panel_ids_are_refused() -> None:
    def crowded(stack: Stack) -> tuple[Objective, ...]:
        first, *others = platform("prod").objectives(stack)
        alerts = tuple(replace(first.alerts[0], name=f"a{n}", threshold=Decimal(n)) for n in range(7))
        return (replace(first, alerts=alerts), *others)

    with pytest.raises(PlatformError, match="7 alerts with a panel of their own; at most 6"):
        dashboards(replace(platform("prod"), objectives=crowded), settings("prod"))


def test_a_targets_side_decides_what_is_red() -> None:
    uptime = next(each for each in objectives("prod") if each.target_is == "least")
    assert target_limit(uptime) == Limit(uptime.target, "below")
    assert target_limit(replace(uptime, target_is="most")) == Limit(uptime.target, "above")


OWN = {"id": 7, "uid": "theirs", "title": "Ibimina operations", "panels": [{"id": 1, "title": "SMS"}], "version": 3}


def with_own_file() -> Settings:
    given = raw("prod")
    given["grafana"]["operationsDashboard"] = "dashboards/ibimina-operations.json"
    return Settings.model_validate(given)


def test_the_companys_own_operations_dashboard_takes_the_place_of_ours() -> None:
    own = company_operations("prod", with_own_file(), json.dumps(OWN))
    made = dashboards(platform("prod"), settings("prod"), own)
    assert [each.kind for each in made] == list(KINDS)
    assert made[1] == own
    shown = json.loads(own.config_json)
    ours = board("prod", "operations")["uid"]
    assert own.uid == ours
    assert shown == {"uid": ours, "title": OWN["title"], "panels": OWN["panels"], "version": 3}


def test_an_own_dashboard_that_cannot_be_read_is_refused_in_these_words() -> None:
    with pytest.raises(ConfigError) as refused:
        company_operations("prod", with_own_file(), None)
    assert (
        str(refused.value)
        == """\
1 problem in Pulumi.prod.yaml; nothing was changed.

1. runbook:grafana.operationsDashboard = 'dashboards/ibimina-operations.json'
   allowed: A file in the checkout that can be read.
   edit:    Correct the path. To have the dashboard that comes with the platform
            instead, run:
   pulumi config rm --path 'grafana.operationsDashboard' --stack prod"""
    )


@pytest.mark.parametrize(
    ("text", "allowed", "edit"),
    [
        (
            "{",
            "A file of JSON; this one is not: Expecting property name enclosed in double quotes: line 1 column 2 "
            "(char 1).",
            "Export it again. To",
        ),
        *(
            (
                text,
                "A dashboard's JSON: an object with a title and a list of panels.",
                "Take the JSON that Grafana shows under Export, JSON. To",
            )
            for text in ("[]", '{"title": "T"}', '{"title": " ", "panels": []}', '{"title": "T", "panels": {}}')
        ),
        (
            '{"title": "T", "panels": [], "__inputs": []}',
            "A dashboard whose data sources are named, without __inputs to be asked for.",
            "Export it without the switch for sharing with another instance. To",
        ),
    ],
)
def test_an_own_dashboard_that_is_none_is_refused(text: str, allowed: str, edit: str) -> None:
    with pytest.raises(ConfigError) as refused:
        company_operations("prod", with_own_file(), text)
    (problem,) = refused.value.problems
    assert (problem.path, problem.value) == (
        "runbook:grafana.operationsDashboard",
        "dashboards/ibimina-operations.json",
    )
    assert problem.allowed == allowed
    assert problem.edit.startswith(edit)
