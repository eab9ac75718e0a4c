"""Mutants: one change each, every operator that applies, and nothing that changes nothing."""

from __future__ import annotations

import doctest
from dataclasses import fields
from datetime import timedelta
from types import ModuleType

import pytest

from runbook.model.signals import Source
from runbook.proving import mutation, samples
from runbook.proving.emitted import Emitted, emitted
from runbook.proving.equivalents import EQUIVALENTS, stale
from runbook.proving.mutation import Mutant, mutants
from tests.proving.rules import rule
from tests.stacks import platform, settings

PRODUCTION = ("prod", "easymo-prod")
RULES = [each for stack in PRODUCTION for each in emitted(platform(stack), settings(stack))]
every_rule = pytest.mark.parametrize("each", RULES, ids=lambda each: each.name)


def made(expression: str, source: Source = Source.PROMETHEUS) -> list[Mutant]:
    return mutants(rule(source, expression), [])


def queries(expression: str, operator: str, source: Source = Source.PROMETHEUS) -> set[str]:
    """The changed queries that the operator makes."""
    all_ = {mutant.rule.expression for mutant in made(expression, source) if mutant.operator == operator}
    return all_ - {expression}


@pytest.mark.parametrize("module", [mutation, samples])
def test_examples_in_the_docstrings(module: ModuleType) -> None:
    ran = doctest.testmod(module)
    assert (ran.failed, ran.attempted > 0) == (0, True)


@every_rule
def test_a_mutant_differs_in_one_thing(each: Emitted) -> None:
    for mutant in mutants(each, ["somebody else"]):
        differing = [f.name for f in fields(each) if getattr(each, f.name) != getattr(mutant.rule, f.name)]
        assert len(differing) == 1


@every_rule
def test_mutants_are_told_apart_by_what_they_say(each: Emitted) -> None:
    said = [(mutant.operator, mutant.change) for mutant in mutants(each, ["somebody else"])]
    assert len(said) == len(set(said))


@every_rule
def test_every_rule_gets_the_operators_that_apply(each: Emitted) -> None:
    operators = {mutant.operator for mutant in mutants(each, ["somebody else"])}
    expected = {"comparator", "threshold", "aggregation", "state", "owner", "hours"}
    expected |= {"label"} if "{" in each.expression or "WHERE" in each.expression else set()
    expected |= {"window"} if "[" in each.expression or each.for_ else set()
    expected |= {"offset"} if " offset " in each.expression or "time() +" in each.expression else set()
    assert expected <= operators


def test_no_reason_is_kept_for_mutants_that_there_are_not() -> None:
    owners = {stack: [one.name for one in platform(stack).owners] for stack in PRODUCTION}
    all_mutants = [
        mutant
        for stack in PRODUCTION
        for each in emitted(platform(stack), settings(stack))
        for mutant in mutants(each, owners[stack])
    ]
    assert stale(all_mutants) == []
    assert len(stale([])) == len(EQUIVALENTS)


def test_each_window_of_a_query_is_changed_by_itself() -> None:
    query = 'sum(rate(x{a="b"}[1h])) / sum(rate(x{a="b"}[1h] offset 1h))'
    assert queries(query, "window") == {
        query.replace("[1h]))", "[30m]))"),
        query.replace("[1h]))", "[2h]))"),
        query.replace("[1h] o", "[30m] o"),
        query.replace("[1h] o", "[2h] o"),
    }
    assert queries(query, "offset") == {
        query.replace("offset 1h", "offset 30m"),
        query.replace("offset 1h", "offset 2h"),
    }


def test_a_text_that_stands_twice_is_one_thing() -> None:
    query = '(sum(x{a="b"}) or sum(y) * 0) and sum(x{a="b"}) > 5'
    assert queries(query, "label") == {query.replace('{a="b"}', "{}"), query.replace('"b"', '"bx"')}
    assert {each for each in queries(query, "aggregation") if "sum(y)" in each} == {query.replace("sum(x", "max(x")}


def test_a_subquery_of_a_week_moves_by_a_day() -> None:
    assert queries("avg_over_time((x)[7d:10m])", "window") == {
        "avg_over_time((x)[6d:10m])",
        "avg_over_time((x)[8d:10m])",
    }


def test_numbers_that_are_compared_move_to_both_sides() -> None:
    assert queries("x > 0.005 and y >= 100", "threshold") == {
        "x > 0.0049 and y >= 100",
        "x > 0.0051 and y >= 100",
        "x > 0.005 and y >= 99",
        "x > 0.005 and y >= 101",
    }
    assert queries("x > 0.005 and y >= 100", "comparator") == {"x >= 0.005 and y >= 100", "x > 0.005 and y > 100"}
    assert queries("x / 0.05 * 0", "threshold") == {"x / 0.049 * 0", "x / 0.051 * 0"}


def test_logql_loses_and_changes_its_filters() -> None:
    query = 'sum(count_over_time({app="a"} | json | event="login" | outcome="failed" [15m]))'
    assert queries(query, "label", Source.LOKI) == {
        query.replace('"a"', '"ax"'),  # a stream selector cannot be empty
        query.replace(' | event="login"', ""),
        query.replace('"login"', '"loginx"'),
        query.replace(' | outcome="failed"', ""),
        query.replace('"failed"', '"failedx"'),
    }
    assert query.replace("count_over_time", "bytes_over_time") in queries(query, "aggregation", Source.LOKI)


def test_sql_loses_and_turns_round_its_conditions() -> None:
    query = (
        "SELECT now() AS time, max(age) AS value FROM jobs WHERE status = 'done' AND at > now() - interval '1 hour'"
    )
    assert queries(query, "label", Source.POSTGRES) == {
        query.replace("status = 'done'", "true"),
        query.replace("status = 'done'", "NOT (status = 'done')"),
    }
    assert queries(query, "window", Source.POSTGRES) == {
        query.replace("1 hour", "2 hour"),
        query.replace("1 hour", "0.5 hour"),
    }
    assert queries(query, "aggregation", Source.POSTGRES) == {query.replace("max(", "min(")}


def test_a_pending_period_moves_by_an_evaluation() -> None:
    waiting = rule(Source.PROMETHEUS, "x").mutated(for_=timedelta(minutes=30))
    moved = {mutant.rule.for_ for mutant in mutants(waiting, []) if mutant.rule.for_ != waiting.for_}
    assert moved == {timedelta(minutes=29), timedelta(minutes=31)}


def test_owners_and_hours_are_for_the_routes_to_tell() -> None:
    routed = [
        mutant for mutant in mutants(rule(Source.PROMETHEUS, "x"), ["on-call", "desk", "boss"]) if mutant.routed
    ]
    assert [(mutant.operator, mutant.rule.owner, mutant.rule.muted) for mutant in routed] == [
        ("owner", "desk", False),
        ("owner", "boss", False),
        ("hours", "on-call", True),
    ]
