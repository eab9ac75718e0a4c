"""Every property of every type in use gives a diff or a replace when it changes, and what is the same gives none."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest

from runbook.rehearsal.clouds.cloudflare import RECORD, RULESET
from runbook.rehearsal.clouds.grafana import (
    CHECK,
    CONTACT_POINT,
    DASHBOARD,
    DATA_SOURCE,
    FOLDER,
    MUTE_TIMING,
    RULE_GROUP,
)
from runbook.rehearsal.clouds.grafana_policies import POLICY_TREE
from runbook.rehearsal.clouds.shapes import Shape, shape_of
from runbook.rehearsal.clouds.vercel import (
    DOMAIN,
    EDGE_CONFIG,
    ITEM,
    LOG_DRAIN,
    PROJECT,
    RETENTION,
    TOKEN,
    TRACE_DRAIN,
    VARIABLE,
)
from runbook.rehearsal.clouds.wire import UNKNOWN
from tests.clouds.engine import Engine
from tests.clouds.samples import SAMPLES

# From the providers' sources and documents, as runbook/rehearsal/clouds cites them row by row.
REPLACING = {
    RECORD: "zoneId type",
    RULESET: "zoneId accountId kind name phase",
    PROJECT: "teamId",
    DOMAIN: "teamId projectId domain",
    VARIABLE: "teamId projectId key sensitive customEnvironmentIds",
    RETENTION: "teamId projectId",
    LOG_DRAIN: "teamId name deliveryFormat endpoint environments headers projectIds samplingRate secret sources",
    TRACE_DRAIN: "teamId name deliveryFormat endpoint headers projectIds samplingRules secret",
    EDGE_CONFIG: "teamId",
    ITEM: "teamId edgeConfigId key value valueJson",
    TOKEN: "teamId edgeConfigId label",
    FOLDER: "orgId uid parentFolderUid",
    DASHBOARD: "orgId",
    DATA_SOURCE: "orgId uid",
    RULE_GROUP: "orgId name folderUid disableProvenance",
    CONTACT_POINT: "orgId name disableProvenance",
    MUTE_TIMING: "orgId name disableProvenance",
    POLICY_TREE: "orgId",
    CHECK: "",
}


def other(shape: Shape, value: Any) -> Any:
    """Another value of the same type."""
    if isinstance(value, bool) or shape.name == "true or false":
        return not value
    if "number" in shape.name:
        return (value or 0) + 7
    if shape.name in ("a string", "anything"):
        return f"other {value}"
    return [] if shape.of and shape.name == "a list" and value else ({} if value else [UNKNOWN])


def leaves(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    if isinstance(value, dict | list):
        pairs = value.items() if isinstance(value, dict) else enumerate(value)
        for key, inner in pairs:
            yield from leaves(inner, (*path, key))
    else:
        yield path


def changed(values: dict[str, Any], path: tuple[str | int, ...]) -> dict[str, Any]:
    copied = copy.deepcopy(values)
    inner: Any = copied
    for key in path[:-1]:
        inner = inner[key]
    old = inner[path[-1]]
    inner[path[-1]] = (not old) if isinstance(old, bool) else old + 1 if isinstance(old, int | float) else f"{old}x"
    return copied


def test_each_type_of_the_table_has_a_sample_and_is_in_the_list_of_replacements(still: Engine) -> None:
    from runbook.rehearsal.clouds import cloudflare, grafana, vercel

    kinds = {row.kind for table in (cloudflare, vercel, grafana) for row in table.ROWS}
    assert kinds == set(SAMPLES) == set(REPLACING)


@pytest.mark.parametrize("kind", SAMPLES)
def test_each_property_of_the_sdk_gives_a_diff_or_a_replace(still: Engine, kind: str) -> None:
    sample = SAMPLES[kind]
    for name, shape in shape_of(kind).fields.items():
        found = still.diff(kind, sample, sample | {name: other(shape, sample.get(name))})
        assert found == {name: name in REPLACING[kind].split()}, name


@pytest.mark.parametrize("kind", SAMPLES)
def test_each_value_inside_a_sample_gives_a_diff(still: Engine, kind: str) -> None:
    sample = SAMPLES[kind]
    paths = list(leaves(sample))
    assert paths
    for path in paths:
        assert set(still.diff(kind, sample, changed(sample, path))) == {path[0]}, path


@pytest.mark.parametrize("kind", SAMPLES)
def test_each_property_that_is_taken_away_gives_a_diff_unless_the_service_fills_it_in(
    still: Engine, kind: str
) -> None:
    from runbook.rehearsal.clouds.shapes import always_there

    sample = SAMPLES[kind]
    for name in sample.keys() - shape_of(kind).required:
        found = still.diff(kind, sample, {key: value for key, value in sample.items() if key != name})
        assert set(found) == (set() if name in KEPT.get(kind, "").split() else {name}), name
        assert name in found or name in always_there(kind) or name == "uid", name


# Optional and computed in the providers' schemas: without a value in the program they keep the one they have.
KEPT = {
    RECORD: "content tags",
    RULESET: "rules",
    PROJECT: "name nodeVersion serverlessFunctionRegion",
    VARIABLE: "comment targets visibility",
    LOG_DRAIN: "name secret",
    TRACE_DRAIN: "name secret",
    EDGE_CONFIG: "name",
    ITEM: "value",
    FOLDER: "uid",
    DATA_SOURCE: "name uid",
    CONTACT_POINT: "name",
    MUTE_TIMING: "name",
    RULE_GROUP: "name",
}


@pytest.mark.parametrize("kind", SAMPLES)
def test_no_change_gives_no_diff(still: Engine, kind: str) -> None:
    assert still.diff(kind, SAMPLES[kind], copy.deepcopy(SAMPLES[kind])) == {}


def rule(**values: Any) -> dict[str, Any]:
    return {"rules": [SAMPLES[RULE_GROUP]["rules"][0] | values]}


def without(values: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in values.items() if key != name}


def model(**values: Any) -> dict[str, Any]:
    query = SAMPLES[RULE_GROUP]["rules"][0]["datas"][0]
    return rule(datas=[query | {"model": json.dumps({"expr": "up", "refId": "A"} | values)}])


def tree(*matchers: dict[str, str]) -> dict[str, Any]:
    return {"policies": [{"contactPoint": "ops", "matchers": list(matchers)}]}


def match(label: str) -> dict[str, str]:
    return {"label": label, "match": "=", "value": "x"}


SAME = [
    (RECORD, {"name": "admin.ibimina.rw"}, {"name": "admin"}),
    (RECORD, {"name": "ibimina.rw"}, {"name": "@"}),
    (RECORD, {"content": "Target.Example."}, {"content": "target.example"}),
    (RECORD, {"proxied": False}, {"proxied": None}),
    (RECORD, {"type": "TXT", "content": '"v=spf1 -all"'}, {"type": "TXT", "content": "v=spf1 -all"}),
    (RULESET, {"description": ""}, {"description": None}),
    (RULESET, {"rules": [{"ref": "a", "enabled": True, "description": ""}]}, {"rules": [{"ref": "a"}]}),
    (PROJECT, {"autoAssignCustomDomains": True}, {"autoAssignCustomDomains": None}),
    (VARIABLE, {"targets": ["production", "preview"]}, {"targets": ["preview", "production"]}),
    (LOG_DRAIN, {"sources": ["edge", "lambda"]}, {"sources": ["lambda", "edge", "edge"]}),
    (LOG_DRAIN, {"environments": ["production", "preview"]}, {"environments": ["preview", "production"]}),
    (LOG_DRAIN, {"projectIds": ["prj_a", "prj_b"]}, {"projectIds": ["prj_b", "prj_a"]}),
    (TRACE_DRAIN, {"projectIds": ["prj_a", "prj_b"]}, {"projectIds": ["prj_b", "prj_a"]}),
    (VARIABLE, {"customEnvironmentIds": ["a", "b"]}, {"customEnvironmentIds": ["b", "a"]}),
    (RETENTION, {"expirationProduction": "1y"}, {"expirationProduction": None}),
    (DASHBOARD, {"configJson": '{"id": 7, "version": 3, "title": "x"}'}, {"configJson": '{"title":"x"}'}),
    (DASHBOARD, {"folder": "1:ibimina"}, {"folder": "ibimina"}),
    (DATA_SOURCE, {"jsonDataEncoded": '{"a": 1, "b": 2}'}, {"jsonDataEncoded": '{"b":2,"a":1}'}),
    (DATA_SOURCE, {"secureJsonDataEncoded": '{"a": 1}'}, {"secureJsonDataEncoded": '{"a":1}'}),
    (CONTACT_POINT, {"emails": [{"disableResolveMessage": False}]}, {"emails": [{}]}),
    (RULE_GROUP, rule(**{"for": "5m"}), rule(**{"for": "300s"})),
    (RULE_GROUP, rule(keepFiringFor="1h30m"), rule(keepFiringFor="90m")),
    (RULE_GROUP, rule(noDataState="NoData"), {"rules": [without(rule()["rules"][0], "noDataState")]}),
    (RULE_GROUP, model(intervalMs=1000, maxDataPoints=43200), model()),
    (POLICY_TREE, tree(match("a"), match("b")), tree(match("b"), match("a"))),
    (POLICY_TREE, {"policies": [{"continue": False}]}, {"policies": [{}]}),
    (POLICY_TREE, {"policies": [{"policies": [{"continue": False}]}]}, {"policies": [{"policies": [{}]}]}),
    (CHECK, {"probes": [1, 2]}, {"probes": [2, 1]}),
    (CHECK, {"settings": {"http": {"method": "GET"}}}, {"settings": {"http": {}}}),
]


@pytest.mark.parametrize(("kind", "first", "second"), SAME)
def test_what_the_real_ones_hold_the_same_gives_no_diff(
    still: Engine, kind: str, first: dict[str, Any], second: dict[str, Any]
) -> None:
    assert still.diff(kind, SAMPLES[kind] | first, SAMPLES[kind] | second) == {}
    assert still.diff(kind, SAMPLES[kind] | second, SAMPLES[kind] | first) == {}


def test_a_model_that_differs_from_the_usual_values_gives_a_diff(still: Engine) -> None:
    sample = SAMPLES[RULE_GROUP]
    assert still.diff(RULE_GROUP, sample | model(intervalMs=1000), sample | model(intervalMs=2000)) == {
        "rules": False
    }


def test_another_uid_inside_a_dashboard_replaces_it(still: Engine) -> None:
    sample = SAMPLES[DASHBOARD]
    board = json.dumps(json.loads(sample["configJson"]) | {"uid": "other"})
    assert still.diff(DASHBOARD, sample, sample | {"configJson": board}) == {"configJson": True}


def test_what_is_not_known_yet_is_a_change_and_replaces_where_a_change_would(still: Engine) -> None:
    sample = SAMPLES[DOMAIN]
    assert still.diff(DOMAIN, sample, sample | {"projectId": UNKNOWN}) == {"projectId": True}
    sample = SAMPLES[RULE_GROUP]
    unknown = rule(notificationSettings={"contactPoint": UNKNOWN})
    assert still.diff(RULE_GROUP, sample, sample | unknown) == {"rules": False}
