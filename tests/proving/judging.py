"""Scenarios and mutants judged one by one, as the proof judges them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from runbook.proving.emitted import Emitted, emitted
from runbook.proving.equivalents import reason
from runbook.proving.mutation import Mutant, mutants
from runbook.proving.scenario import Evaluator, Outcome, QueryFailed, Scenario
from runbook.proving.states import Found, found, outcome
from tests.stacks import platform, settings


def rules(stack: str) -> dict[str, Emitted]:
    return {rule.name: rule for rule in emitted(platform(stack), settings(stack))}


def judged(engine: Evaluator, rule: Emitted, scenario: Scenario) -> Outcome:
    try:
        seen = found(rule, engine.value(rule, scenario))
    except QueryFailed:
        seen = Found.ERROR
    return outcome(rule, seen, scenario.held)


def wrong(engine: Evaluator, known: Mapping[str, Emitted], scenarios: Iterable[Scenario]) -> list[str]:
    """Scenarios whose outcome is another than the one expected."""
    outcomes = ((each, judged(engine, known[each.rule], each)) for each in scenarios)
    return [f"{each.rule}: {each.title}: {got}" for each, got in outcomes if got != each.expect]


def survivors(engine: Evaluator, rule: Emitted, scenarios: Sequence[Scenario]) -> list[Mutant]:
    """Mutants of a rule that all its scenarios hold for."""
    return [
        mutant
        for mutant in mutants(rule, [])
        if not mutant.routed
        if all(judged(engine, mutant.rule, each) == each.expect for each in scenarios if each.rule == rule.name)
    ]


def unexplained(found: Iterable[Mutant]) -> list[str]:
    return [f"{each.rule.name}: {each.change}" for each in found if reason(each) is None]
