"""The notification policy tree, which is taken over only where the stack config says so."""

from __future__ import annotations

from copy import deepcopy

from runbook.model.policies import UID_LABEL, PolicyTree, policy_tree
from runbook.model.reading import read
from runbook.model.settings import Settings
from tests.model.rules import every_stack, rules
from tests.stacks import platform, raw, secrets, settings


def taken_over(stack: str) -> Settings:
    config = {**deepcopy(raw(stack)), "secrets": secrets(stack), "notifications": {"takeOverPolicyTree": True}}
    return read(stack, config, platform(stack))


def tree(stack: str) -> PolicyTree:
    made = policy_tree(platform(stack), taken_over(stack))
    assert made is not None
    return made


@every_stack
def test_by_default_the_tree_is_left_alone(stack: str) -> None:
    assert policy_tree(platform(stack), settings(stack)) is None


def test_each_owner_has_a_policy_for_this_stack_alone() -> None:
    assert [policy.labels for policy in tree("prod").policies] == [
        {"platform": "ibimina", "environment": "prod", "owner": "on-call"},
        {"platform": "ibimina", "environment": "prod", "owner": "ops-alerts"},
    ]
    for stack in ("prod", "easymo-prod"):
        for rule in rules(stack).values():
            matching = [one for one in tree(stack).policies if one.labels.items() <= rule.labels.items()]
            assert [one.owner for one in matching] == [rule.owner], rule.uid


def test_rules_that_rest_outside_business_hours_are_named_by_uid() -> None:
    assert UID_LABEL == "__alert_rule_uid__"
    for stack in ("prod", "easymo-prod"):
        for policy in tree(stack).policies:
            own = [
                rule.uid for rule in rules(stack).values() if rule.owner == policy.owner and rule.muted_outside_hours
            ]
            assert list(policy.muted) == own
    assert "ibimina-prod-staff-console-uptime" in tree("prod").policies[0].muted


def test_what_nobody_owns_goes_to_the_platforms_first_owner() -> None:
    assert tree("prod").default == "on-call"
    assert tree("easymo-prod").default == "platform-engineering"
