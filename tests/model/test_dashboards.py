"""The dashboards show what the runbooks ask for, red where the runbooks say so, and nothing that Grafana minds."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from runbook.model.dashboards import company_operations, dashboards
from runbook.model.observing import data_sources
from runbook.model.problems import ConfigError
from runbook.model.serving import stack_of
from runbook.model.settings import Settings
from tests.model.boards import KINDS, asks, board, steps
from tests.model.lint import findings
from tests.stacks import STACKS, platform, raw, settings


def asked(**changes: str) -> dict[str, Any]:
    """The query of panel 110, with a legend."""
    [panel] = [panel for panel in board("easymo-prod", "objectives")["panels"] if panel["id"] == 110]
    return {**panel["targets"][0], "legendFormat": "a line", **changes}


CASES = [(stack, kind) for stack in STACKS for kind in KINDS]


@pytest.mark.parametrize(("stack", "kind"), CASES)
def test_nothing_that_the_linter_minds(stack: str, kind: str) -> None:
    sources = {source.uid: source.source.value for source in data_sources(settings(stack))}
    assert findings(board(stack, kind), sources) == []


@pytest.mark.parametrize(
    ("spoil", "found"),
    [
        ({"description": ""}, "Panel 110 (timeseries) has no description."),
        ({"title": ""}, "Panel 110 (timeseries) has no title."),
        ({"targets": []}, "Panel 110 (timeseries) has no target."),
        ({"targets": [asked(), asked()]}, "Panel 110 (timeseries) has two queries of one name."),
        ({"targets": [asked(), asked(refId="B")]}, "Panel 110 (timeseries) has lines that cannot be told apart."),
        ({"datasource": {"uid": "other"}}, "Panel 110 (timeseries) reads from a data source that does not exist."),
        ({"fieldConfig": {"defaults": {"unit": "parsec"}}}, "Panel 110 (timeseries) has no unit."),
        ({"gridPos": {"x": 20, "y": 999, "w": 8, "h": 8}}, "Panel 110 (timeseries) stands outside the 24 columns."),
        ({"gridPos": {"x": 2, "y": 2, "w": 2, "h": 2}}, "Panels 100 and 110 overlap."),
    ],
)
def test_the_linter_finds_what_is_wrong(spoil: dict[str, Any], found: str) -> None:
    spoilt = copy.deepcopy(board("easymo-prod", "objectives"))
    next(panel for panel in spoilt["panels"] if panel["id"] == 110).update(spoil)
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
def test_a_graphs_axis_holds_its_threshold(stack: str) -> None:
    """Or the line is outside the picture as long as all is well."""
    panels = [panel for kind in KINDS for panel in board(stack, kind)["panels"] if panel["type"] == "timeseries"]
    limited = [panel for panel in panels if len(steps(panel)) > 1]
    assert limited
    for panel in limited:
        custom = panel["fieldConfig"]["defaults"]["custom"]
        assert all(custom["axisSoftMin"] < (at or 0) < custom["axisSoftMax"] for at, _ in steps(panel)[1:])


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
        shown = [(panel["title"], *asks(panel)) for panel in board(stack, kind)["panels"]]
        assert shown == [(panel.title, panel.query.expression) for panel in panels]
    assert {panel["type"] for panel in board(stack, "checklist")["panels"]} == {"stat"}


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
