"""Contact points that take secrets alone, and the two ways in which alerts find their owner."""

from __future__ import annotations

from typing import Any, cast

import pulumi
import pytest
from pydantic import SecretStr

from components.alerting import Alerting, AlertingArgs
from components.secrets import only_secret
from runbook.model.alerting import ContactPoint
from runbook.model.settings import Contact, Notifications, PagerDutyContact, SlackContact, WebhookContact
from tests.components.recording import Registration, run

CONTACTS: list[Contact] = [
    SlackContact(kind="slack", channel="#ops", secret="KEY"),
    PagerDutyContact(kind="pagerduty", secret="KEY"),
    WebhookContact(kind="webhook", secret="KEY"),
]


@pytest.mark.parametrize("contact", CONTACTS, ids=lambda contact: contact.kind)
def test_a_contact_point_refuses_a_plain_secret(contact: Contact) -> None:
    """The SDK would keep it in clear: it marks none of these fields secret."""
    args = AlertingArgs(
        folder_uid="folder",
        contact_points=[ContactPoint("on-call", "on-call", (contact,))],
        mute_timing=None,
        groups=[],
        notifications=Notifications(),
        tree=None,
        secrets=cast("dict[str, SecretStr]", {"KEY": "in clear"}),
    )
    with pytest.raises(TypeError, match="only a secret may stand"):
        Alerting("alerts", args)


def test_only_a_secret_becomes_a_secret_output() -> None:
    with pytest.raises(TypeError) as refused:
        only_secret(cast("SecretStr", "in clear"))
    assert "in clear" not in str(refused.value)
    assert isinstance(only_secret(SecretStr("kept")), pulumi.Output)


def kind(registrations: list[Registration], name: str) -> list[Registration]:
    return [each for each in registrations if each.type.endswith(f":{name}")]


def test_taking_over_the_tree_moves_the_routes_from_the_rules_to_one_resource() -> None:
    registered = run("prod", notifications={"takeOverPolicyTree": True, "groupWait": "45s"}).registrations
    (tree,) = kind(registered, "NotificationPolicy")
    rules = [rule for group in kind(registered, "RuleGroup") for rule in group.inputs["rules"]]
    assert rules
    assert [rule["name"] for rule in rules if "notificationSettings" in rule] == []
    assert tree.name == "alerts-tree"
    assert tree.inputs["contactPoint"] == "ibimina-prod on-call"
    assert tree.inputs["groupBies"] == ["alertname", "grafana_folder"]
    times = {name: tree.inputs[name] for name in ("groupWait", "groupInterval", "repeatInterval")}
    assert times == {"groupWait": "45s", "groupInterval": "5m", "repeatInterval": "4h"}
    assert [(each["contactPoint"], matched(each)) for each in tree.inputs["policies"]] == [
        ("ibimina-prod on-call", {"platform": "ibimina", "environment": "prod", "owner": "on-call"}),
        ("ibimina-prod ops-alerts", {"platform": "ibimina", "environment": "prod", "owner": "ops-alerts"}),
    ]
    muted = [inner for each in tree.inputs["policies"] for inner in each["policies"]]
    uids = {rule["uid"] for rule in rules if rule["uid"].startswith("ibimina-prod-staff-console")}
    assert {matched(each)["__alert_rule_uid__"] for each in muted} == uids
    assert {tuple(each["muteTimings"]) for each in muted} == {("ibimina-prod outside business hours",)}


def matched(policy: dict[str, Any]) -> dict[str, str]:
    assert {each["match"] for each in policy["matchers"]} == {"="}
    return {each["label"]: each["value"] for each in policy["matchers"]}


def test_without_it_each_rule_names_its_contact_point_and_the_tree_is_left_alone() -> None:
    registered = run("prod").registrations
    rules = [rule for group in kind(registered, "RuleGroup") for rule in group.inputs["rules"]]
    assert kind(registered, "NotificationPolicy") == []
    assert all(rule["notificationSettings"]["contactPoint"].startswith("ibimina-prod ") for rule in rules)
