"""Ibimina's scenarios in its logs. Whether they hold, and kill each change of a rule, the proof itself says."""

from __future__ import annotations

from collections import Counter

from runbook.model.signals import Source
from runbook.proving.scenarios.ibimina_logs import scenarios
from tests.proving.judging import rules

RULES = {name for name, rule in rules("prod").items() if rule.source is Source.LOKI}


def test_every_rule_fires_is_silent_and_says_when_it_knows_nothing() -> None:
    expected = {(each.rule, each.expect) for each in scenarios()}
    assert expected == {(rule, outcome) for rule in RULES for outcome in ("fires", "silent", "no data", "error")}


def test_titles_are_unique() -> None:
    assert set(Counter((each.rule, each.title) for each in scenarios()).values()) == {1}
