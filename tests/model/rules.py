"""The rules that a stack sends, by the name of their alert."""

from __future__ import annotations

import json
from typing import Any

import pytest

from runbook.model.alerting import Rule, rule_groups
from runbook.model.objectives import Alert
from runbook.model.serving import stack_of
from tests.stacks import STACKS, platform, settings

every_stack = pytest.mark.parametrize("stack", STACKS)


def rules(stack: str) -> dict[str, Rule]:
    """The stack's rules by the name of their alert, which ends the uid."""
    start = f"{settings(stack).platform}-{settings(stack).environment}-"
    groups = rule_groups(platform(stack), settings(stack))
    return {rule.uid.removeprefix(start): rule for group in groups for rule in group.rules}


def models(rule: Rule) -> dict[str, Any]:
    return {ref: json.loads(model) for ref, model in rule.models}


def alerts(stack: str) -> dict[str, Alert]:
    objectives = platform(stack).objectives(stack_of(settings(stack)))
    return {alert.name: alert for objective in objectives for alert in objective.alerts}
