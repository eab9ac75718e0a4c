"""What is proven is read from the JSON that is sent, and from nowhere else."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from runbook.model import alerting
from runbook.model.alerting import Rule, RuleGroup
from runbook.model.signals import Source
from runbook.proving import emitted as module
from runbook.proving.emitted import Emitted, NotReadable, duration, emitted
from tests.stacks import platform, settings


def sent() -> Rule:
    """The Voice API's error rate, as it is sent."""
    groups = alerting.rule_groups(platform("easymo-prod"), settings("easymo-prod"))
    return groups[0].rules[0]


def reading(rule: Rule, monkeypatch: pytest.MonkeyPatch) -> Emitted:
    group = RuleGroup("voice-api", "easymo-prod voice-api", 60, (rule,))
    monkeypatch.setattr(module, "rule_groups", lambda platform, settings: (group,))
    (read,) = emitted(platform("easymo-prod"), settings("easymo-prod"))
    return read


def changed(ref: str, **change: Any) -> Rule:
    """The rule with another value in one of its models."""
    rule = sent()
    models = {name: json.loads(text) for name, text in rule.models}
    models[ref] |= change
    return replace(rule, models=tuple((name, json.dumps(model)) for name, model in models.items()))


def test_a_rule_is_read_back(monkeypatch: pytest.MonkeyPatch) -> None:
    read = reading(sent(), monkeypatch)
    assert (read.name, read.source, read.comparator, read.threshold) == (
        "voice-error-rate",
        Source.PROMETHEUS,
        "gt",
        Decimal("0.005"),
    )
    assert (read.for_, read.interval, read.no_data_state, read.exec_err_state) == (
        timedelta(),
        timedelta(minutes=1),
        "Alerting",
        "Error",
    )
    assert (read.owner, read.muted, read.labels["environment"]) == ("conversational-ai", False, "prod")


def test_query_and_threshold_are_those_of_the_json(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the objective said."""
    assert reading(changed("A", expr="up"), monkeypatch).expression == "up"
    condition = {"evaluator": {"type": "lte", "params": [0.125]}}
    read = reading(changed("C", conditions=[condition]), monkeypatch)
    assert (read.comparator, read.threshold) == ("lte", Decimal("0.125"))


@pytest.mark.parametrize(
    ("ref", "change", "said"),
    [
        ("B", {"reducer": "mean"}, "B is to reduce A to its last value"),
        ("B", {"expression": "C"}, "B is to reduce A to its last value"),
        ("C", {"expression": "A"}, "C is to hold one threshold on B"),
        ("C", {"conditions": []}, "C is to hold one threshold on B"),
        ("C", {"conditions": [{"evaluator": {"type": "within_range", "params": [1, 2]}}]}, "C compares with"),
        ("C", {"datasource": {"type": "prometheus", "uid": "x"}}, "expressions of Grafana's own"),
    ],
)
def test_another_form_is_refused(
    ref: str, change: dict[str, Any], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(NotReadable, match=said):
        reading(changed(ref, **change), monkeypatch)


def test_another_condition_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(NotReadable, match="C as its condition"):
        reading(replace(sent(), condition="B"), monkeypatch)


@pytest.mark.parametrize(("text", "seconds"), [("0s", 0), ("90s", 90), ("30m", 1800), ("1h", 3600), ("7d", 604_800)])
def test_durations(text: str, seconds: int) -> None:
    assert duration(text) == timedelta(seconds=seconds)


def test_an_odd_duration_is_refused() -> None:
    with pytest.raises(NotReadable, match="1w is not a number and one of"):
        duration("1w")


@pytest.mark.parametrize(
    ("comparator", "breached"),
    [
        ("gt", [False, False, True]),
        ("gte", [False, True, True]),
        ("lt", [True, False, False]),
        ("lte", [True, True, False]),
    ],
)
def test_thresholds_compare_as_grafana_does(comparator: str, breached: list[bool]) -> None:
    rule = replace(emitted(platform("prod"), settings("prod"))[0], comparator=comparator, threshold=Decimal("0.05"))
    assert [rule.breached(value) for value in (0.049, 0.05, 0.051)] == breached


@pytest.mark.parametrize(("production", "staging"), [("prod", "staging"), ("easymo-prod", "easymo-staging")])
def test_stagings_rules_are_productions_under_other_names(production: str, staging: str) -> None:
    """Only evaluated less often. So what is proven of production holds for both."""

    def neutral(stack: str, environment: str) -> list[Emitted]:
        rules = emitted(platform(stack), settings(stack))
        return [
            replace(
                rule,
                uid=rule.name,
                interval=timedelta(minutes=1),
                expression=rule.expression.replace(environment, "here"),
                labels={name: value.replace(environment, "here") for name, value in rule.labels.items()},
            )
            for rule in rules
        ]

    assert neutral(production, "prod") == neutral(staging, "staging")
