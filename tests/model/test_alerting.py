"""Alert rules as they are sent to Grafana: their shape, the runbooks' thresholds, who gets them and when."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal

from runbook.model.alerting import (
    Rule,
    contact_points,
    rule_groups,
    source_uid,
)
from runbook.model.serving import stack_of
from tests.model.rules import alerts, every_stack, models, rules
from tests.stacks import STACKS, platform, settings

# Copied from the two runbooks, digit for digit (0.05 is 5 %, 93600 s are 26 h). What the runbooks leave open is in
# docs/choices.md.
THRESHOLDS = {
    "auth-failed-logins": ("gte", "0.05"),
    "payment-backlog": ("gt", "30"),
    "staff-console-uptime": ("lt", "0.995"),
    "error-budget": ("gte", "0.02"),
    "log-drain-silent": ("gt", "300"),
    "log-drain-failure": ("gt", "0"),
    "scheduled-functions": ("gt", "60"),
    "anomaly-signal": ("gt", "0"),
    "voice-error-rate": ("gt", "0.005"),
    "voice-median-latency": ("gt", "500"),
    "lighthouse-score": ("lt", "0.75"),
    "lighthouse-regression": ("gt", "0.1"),
    "lighthouse-no-run": ("gt", "93600"),
    "function-failures": ("gt", "0.01"),
    "broker-latency": ("gt", "5"),
    "supabase-drift": ("gt", "0"),
}
# Derived, not the runbooks': share of the budget times period divided by window, computed by hand.
BURNS = {
    "staff-console-burn-1h": ("4.5", "page"),  # 10 % of a business week of 45 h
    "staff-console-burn-6h": ("1.875", "ticket"),  # 25 % of it
    "error-budget-burn-1h": ("2.4", "ticket"),  # 10 % of a day
    "voice-burn-1h": ("14.4", "page"),  # 2 % of 30 days
    "voice-burn-6h": ("6", "page"),  # 5 %
    "voice-burn-1d": ("3", "ticket"),  # 10 %
    "voice-burn-3d": ("1", "ticket"),  # 10 %
    "functions-burn-1h": ("14.4", "page"),
    "functions-burn-6h": ("6", "page"),
    "functions-burn-1d": ("3", "ticket"),
    "functions-burn-3d": ("1", "ticket"),
    "broker-burn-1h": ("3.36", "page"),  # 2 % of 7 days
    "broker-burn-6h": ("1.4", "page"),  # 5 %; over a day the factor would be below 1
}
PENDING = {"function-failures": "30m"}  # the others hold their windows in the query
# EasyMO's contact matrix; Ibimina has none: pages go to the on-call, tickets to #ops-alerts.
OWNERS = {
    "auth-failed-logins": "on-call",
    "payment-backlog": "on-call",
    "staff-console-uptime": "on-call",
    "error-budget": "ops-alerts",
    "log-drain-silent": "on-call",
    "log-drain-failure": "ops-alerts",
    "scheduled-functions": "ops-alerts",
    "anomaly-signal": "ops-alerts",
    "voice-error-rate": "conversational-ai",
    "voice-median-latency": "conversational-ai",
    "lighthouse-score": "admin-experience",
    "lighthouse-regression": "admin-experience",
    "lighthouse-no-run": "admin-experience",
    "function-failures": "messaging",
    "broker-latency": "platform-engineering",
    "supabase-drift": "platform-engineering",
    "staff-console-burn-1h": "on-call",
    "staff-console-burn-6h": "ops-alerts",
    "error-budget-burn-1h": "ops-alerts",
    **dict.fromkeys(("voice-burn-1h", "voice-burn-6h", "voice-burn-1d", "voice-burn-3d"), "conversational-ai"),
    **dict.fromkeys(
        ("functions-burn-1h", "functions-burn-6h", "functions-burn-1d", "functions-burn-3d"), "messaging"
    ),
    **dict.fromkeys(("broker-burn-1h", "broker-burn-6h"), "platform-engineering"),
}
# What a rule does when nothing comes back, and when the query fails. The source answers always: its silence alerts.
STATES = {
    "payment-backlog": ("Alerting", "Alerting"),
    "staff-console-uptime": ("Alerting", "Error"),
    "log-drain-silent": ("Alerting", "Alerting"),
    "scheduled-functions": ("Alerting", "Alerting"),
    "anomaly-signal": ("Alerting", "Alerting"),
    "voice-error-rate": ("Alerting", "Error"),
    "voice-median-latency": ("Alerting", "Error"),
    "lighthouse-no-run": ("Alerting", "Error"),
}


def literal(stack: str) -> dict[str, Rule]:
    """Without the burn-rate rules, whose thresholds follow from target and period."""
    return {name: rule for name, rule in rules(stack).items() if name not in BURNS}


def test_every_alert_of_both_runbooks_is_a_rule() -> None:
    assert rules("prod").keys() | rules("easymo-prod").keys() == THRESHOLDS.keys() | BURNS.keys()
    assert rules("prod").keys() == rules("staging").keys()
    assert rules("easymo-prod").keys() == rules("easymo-staging").keys()


@every_stack
def test_rule_is_query_reduction_threshold(stack: str) -> None:
    for name, rule in rules(stack).items():
        query, reduction, threshold = (models(rule)[ref] for ref in "ABC")
        assert (
            query["datasource"]["uid"]
            == rule.datasource_uid
            == source_uid(settings(stack), alerts(stack)[name].query.source)
        )
        assert query.get("expr", query.get("rawSql")) == alerts(stack)[name].query.expression
        assert (reduction["type"], reduction["expression"], reduction["reducer"]) == ("reduce", "A", "last")
        assert (threshold["type"], threshold["expression"]) == ("threshold", "B")
        assert len(threshold["conditions"]) == 1
        assert [each["refId"] for each in (query, reduction, threshold)] == list("ABC")
        assert {each["datasource"]["uid"] for each in (reduction, threshold)} == {"__expr__"}
        assert rule.condition == "C", "a condition on A or B would fire on any value"
        assert rule.span == alerts(stack)[name].query.span > timedelta()


@every_stack
def test_query_is_instant_or_one_row(stack: str) -> None:
    for name, rule in rules(stack).items():
        query = models(rule)["A"]
        if "rawSql" in query:
            assert (query["format"], query["rawQuery"]) == ("time_series", True), name
            assert query["rawSql"].startswith("SELECT now() AS time, ("), name
            assert "::float8 AS value FROM " in query["rawSql"], name
        elif "queryType" in query:
            assert query["queryType"] == "instant", name
        else:
            assert (query["instant"], query["range"]) == (True, False), name


@every_stack
def test_thresholds_are_the_runbooks_digit_for_digit(stack: str) -> None:
    for name, rule in literal(stack).items():
        comparator, digits = THRESHOLDS[name]
        threshold = dict(rule.models)["C"]
        assert f'"evaluator":{{"params":[{digits}],"type":"{comparator}"}}' in threshold
        assert Decimal(digits) == alerts(stack)[name].threshold
        assert rule.for_ == PENDING.get(name, "0s")


@every_stack
def test_burn_rates_follow_from_target_and_period(stack: str) -> None:
    for name in rules(stack).keys() & BURNS.keys():
        factor, severity = BURNS[name]
        assert f'"evaluator":{{"params":[{factor}],"type":"gt"}}' in dict(rules(stack)[name].models)["C"]
        assert rules(stack)[name].labels["severity"] == severity
        assert f"> {factor}" in rules(stack)[name].models[0][1], "the short window burns by the same factor"


def test_failed_logins_are_judged_from_forty_on() -> None:
    assert "[15m])) >= 40) or " in models(rules("prod")["auth-failed-logins"])["A"]["expr"]


@every_stack
def test_states_are_explicit(stack: str) -> None:
    for name, rule in rules(stack).items():
        assert (rule.no_data_state, rule.exec_err_state) == STATES.get(name, ("NoData", "Error")), name


def test_rules_that_read_logs_never_call_a_dead_drain_healthy() -> None:
    for stack in STACKS:
        for name, rule in rules(stack).items():
            if "queryType" in models(rule)["A"]:
                assert rule.no_data_state != "OK", name
                assert "vector(0)" not in models(rule)["A"]["expr"], name


@every_stack
def test_uids_are_pinned_unique_and_short(stack: str) -> None:
    uids = [rule.uid for rule in rules(stack).values()]
    assert len(uids) == len(set(uids))
    assert max(map(len, uids)) <= 40
    name = f"{settings(stack).platform}-{settings(stack).environment}"
    assert uids == [f"{name}-{alert}" for alert in alerts(stack)]


def test_no_two_stacks_share_a_uid() -> None:
    uids = [rule.uid for stack in STACKS for rule in rules(stack).values()]
    assert len(uids) == len(set(uids))


@every_stack
def test_json_is_sorted_complete_and_the_same_each_time(stack: str) -> None:
    again = rules(stack)
    for name, rule in rules(stack).items():
        assert rule == again[name]
        for _, text in rule.models:
            assert text == json.dumps(json.loads(text), sort_keys=True, separators=(",", ":"))
            assert "intervalMs" not in text, "the provider drops 1000, which then shows as a change for ever"


@every_stack
def test_rule_reaches_its_owner(stack: str) -> None:
    reached = {point.owner for point in contact_points(platform(stack), settings(stack))}
    for name, rule in rules(stack).items():
        assert rule.owner == rule.labels["owner"] == OWNERS[name]
        assert rule.owner in reached
        assert rule.group_by == ("alertname", "grafana_folder")


@every_stack
def test_page_and_ticket(stack: str) -> None:
    tickets = {
        "error-budget", "log-drain-failure", "scheduled-functions", "anomaly-signal",
        "lighthouse-score", "lighthouse-regression", "lighthouse-no-run", "supabase-drift",
    }  # fmt: skip
    for name, rule in literal(stack).items():
        assert rule.labels["severity"] == ("ticket" if name in tickets else "page")


def test_product_owner_is_told_of_pages_and_of_nothing_else() -> None:
    points = {point.owner: point for point in contact_points(platform("prod"), settings("prod"))}
    owners = settings("prod").owners
    assert points.keys() == {"on-call", "ops-alerts"}
    assert points["on-call"].contacts == (*owners["on-call"], *owners["product-owner"])
    assert points["ops-alerts"].contacts == tuple(owners["ops-alerts"])


@every_stack
def test_labels_and_annotations_say_what_to_do(stack: str) -> None:
    for name, rule in rules(stack).items():
        assert rule.labels.items() >= stack_of(settings(stack)).labels.items()
        assert rule.annotations["runbook_url"].startswith(f"{settings(stack).runbook_url}#")
        for key in ("summary", "objective", "mitigation"):
            assert rule.annotations[key].strip(), f"{name} has no {key}"
        assert rule.annotations["__dashboardUid__"]
        assert int(rule.annotations["__panelId__"]) > 0


@every_stack
def test_alerts_of_two_objectives_never_point_at_one_panel(stack: str) -> None:
    pairs = {
        (rule.annotations["__panelId__"], group.objective)
        for group in rule_groups(platform(stack), settings(stack))
        for rule in group.rules
    }
    assert len({panel for panel, _ in pairs}) == len(pairs)


def test_group_per_objective_with_the_configured_interval() -> None:
    for stack, seconds in (("prod", 60), ("staging", 120)):
        groups = rule_groups(platform(stack), settings(stack))
        assert {group.interval_seconds for group in groups} == {seconds}
        objectives = platform(stack).objectives(stack_of(settings(stack)))
        assert [group.objective for group in groups] == [objective.name for objective in objectives]
