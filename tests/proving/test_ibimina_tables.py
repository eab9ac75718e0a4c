"""Ibimina's rules that read PostgreSQL, in every scenario and with every change."""

from __future__ import annotations

from runbook.model.signals import Source
from runbook.proving.postgres import Postgres
from runbook.proving.scenarios.ibimina_tables import scenarios
from tests.proving.judging import rules, survivors, unexplained, wrong

RULES = {name: rule for name, rule in rules("prod").items() if rule.source is Source.POSTGRES}


def test_every_rule_has_scenarios_in_which_it_fires_and_in_which_it_does_not() -> None:
    expected = {(each.rule, each.expect) for each in scenarios()}
    assert {rule for rule, _ in expected} == RULES.keys()
    assert {(rule, outcome) for rule in RULES for outcome in ("fires", "silent")} <= expected


def test_titles_are_unique() -> None:
    titles = [(each.rule, each.title) for each in scenarios()]
    assert len(titles) == len(set(titles))


def test_scenarios_hold(postgres: Postgres) -> None:
    assert wrong(postgres, RULES, scenarios()) == []


def test_no_change_of_a_rule_goes_unnoticed(postgres: Postgres) -> None:
    left = [mutant for rule in RULES.values() for mutant in survivors(postgres, rule, scenarios())]
    assert unexplained(left) == []
    assert len(left) == 2  # those that are explained do survive
