"""Grafana's notification policy tree, taken over as a whole: only where the stack config says so.

By default each rule carries its owner's contact point itself, and the tree, which other teams may use, is left alone.
A NotificationPolicy resource overwrites all of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from runbook.model.alerting import contact_points, rule_groups
from runbook.model.platform import Platform
from runbook.model.serving import stack_of
from runbook.model.settings import Settings

# What Grafana adds to each alert, those named DatasourceNoData and DatasourceError included, whose alertname is
# another than the rule's (grafana/alerting, models: RuleUIDLabel).
UID_LABEL = "__alert_rule_uid__"


@dataclass(frozen=True)
class Policy:
    """Alerts with these labels go to the owner's contact point; `muted`: uids of the rules that are not sent outside
    business hours."""

    owner: str
    labels: Mapping[str, str]
    muted: tuple[str, ...]


@dataclass(frozen=True)
class PolicyTree:
    """The whole tree. `default`: the owner who gets what no policy matches, from whomever it comes."""

    default: str
    policies: tuple[Policy, ...]


def policy_tree(platform: Platform, settings: Settings) -> PolicyTree | None:
    """The tree that routes this stack's alerts by the label owner; None where each rule carries its own settings."""
    if not settings.notifications.take_over_policy_tree:
        return None
    rules = [rule for group in rule_groups(platform, settings) for rule in group.rules]
    owners = [point.owner for point in contact_points(platform, settings)]
    return PolicyTree(
        default=owners[0],
        policies=tuple(
            Policy(
                owner,
                {**stack_of(settings).labels, "owner": owner},
                tuple(rule.uid for rule in rules if rule.owner == owner and rule.muted_outside_hours),
            )
            for owner in owners
        ),
    )
