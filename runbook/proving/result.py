"""What the proof found, for people in the report and for programs in out/alerts/result.json."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from runbook.proving.emitted import Emitted
from runbook.proving.mutation import Mutant
from runbook.proving.routes import NOTES, Route
from runbook.proving.scenario import Outcome, Scenario

CLAIM = (
    "The emitted queries and thresholds are proven on Prometheus, Loki and PostgreSQL; Grafana's state handling is "
    "modelled after its documents and no Grafana was asked."
)


@dataclass(frozen=True)
class Verdict:
    """One scenario: what came of it."""

    scenario: Scenario
    outcome: Outcome

    @property
    def holds(self) -> bool:
        return self.outcome == self.scenario.expect


@dataclass(frozen=True)
class Fate:
    """One mutant: whether something told it from its rule; `reason`: why nothing can."""

    mutant: Mutant
    killed: bool
    reason: str | None

    @property
    def survived(self) -> bool:
        return not self.killed and self.reason is None


@dataclass(frozen=True)
class RuleResult:
    """All about one rule. `missing`: kinds of scenarios that it still needs."""

    stack: str
    rule: Emitted
    verdicts: Sequence[Verdict]
    fates: Sequence[Fate]
    missing: Sequence[str]


@dataclass(frozen=True)
class Result:
    """`linted`: how many PromQL queries of rules and panels promtool checked, `lint` what it said against any.
    `wrong_minutes`: minutes of a week in which a stack's mute timing and its business hours disagree.
    `stale`: reasons for mutants that there are not. `engines`: versions by name."""

    rules: Sequence[RuleResult]
    routes: Sequence[Route]
    wrong_minutes: Mapping[str, int]
    linted: int
    lint: str | None
    stale: Sequence[str]
    engines: Mapping[str, str]
    assumed: int
    seconds: float

    @property
    def fates(self) -> list[Fate]:
        return [fate for rule in self.rules for fate in rule.fates]

    @property
    def verdicts(self) -> list[Verdict]:
        return [verdict for rule in self.rules for verdict in rule.verdicts]

    @property
    def failures(self) -> list[str]:
        """A sentence for each thing that does not hold."""
        return [
            *(each for rule in self.rules for each in _failures(rule)),
            *(_astray(route) for route in self.routes if not route.proven),
            *(
                f"{stack}: mute timing and business hours disagree in {minutes} minutes of a week."
                for stack, minutes in self.wrong_minutes.items()
                if minutes
            ),
            *([f"promtool refuses a query: {self.lint}"] if self.lint else []),
            *(f"equivalents.py has a reason for mutants that there are not: {each}." for each in self.stale),
        ]

    def as_json(self) -> str:
        equivalent = [fate for fate in self.fates if fate.reason]
        killed = sum(fate.killed for fate in self.fates)
        return (
            json.dumps(
                {
                    "claim": CLAIM,
                    "routing": list(NOTES),
                    "failures": self.failures,
                    "rules": len(self.rules),
                    "scenarios": [_scenario(rule, verdict) for rule in self.rules for verdict in rule.verdicts],
                    "mutants": len(self.fates) - len(equivalent),
                    "mutants_killed": killed,
                    "mutants_equivalent": [_mutant(fate) for fate in equivalent],
                    "mutants_survived": [_mutant(fate) for fate in self.fates if fate.survived],
                    "routes": len(self.routes),
                    "routes_proven": sum(route.proven for route in self.routes),
                    "queries_linted": self.linted,
                    "engines": dict(self.engines),
                    "assumed": self.assumed,
                    "assumed_tables": "runbook/proving/schema.sql",
                    "seconds": round(self.seconds, 1),
                },
                indent=2,
                ensure_ascii=False,
            )
            + "\n"
        )


def _failures(result: RuleResult) -> list[str]:
    name = f"{result.stack} {result.rule.name}"
    return [
        *(f"{name} has no scenario {each}." for each in result.missing),
        *(
            f"{name}: {verdict.scenario.title}: expected {verdict.scenario.expect}, got {verdict.outcome}."
            for verdict in result.verdicts
            if not verdict.holds
        ),
        *(
            f"{name}: nothing tells it from a mutant ({fate.mutant.operator}: {fate.mutant.change})."
            for fate in result.fates
            if fate.survived
        ),
    ]


def _astray(route: Route) -> str:
    to, reached = ", ".join(route.expected) or "nobody", ", ".join(route.arrived) or "nobody"
    where = f"{route.stack} {route.rule}, {route.alert}, {route.moment}, by {route.mode}, asked of {route.by}"
    return f"{where}: was to reach {to} and reached {reached}."


def _scenario(rule: RuleResult, verdict: Verdict) -> dict[str, Any]:
    return {
        "stack": rule.stack,
        "rule": rule.rule.name,
        "source": rule.rule.source.name.lower(),
        "scenario": verdict.scenario.title,
        "expectation": verdict.scenario.expect,
        "outcome": verdict.outcome,
    }


def _mutant(fate: Fate) -> dict[str, Any]:
    mutant = fate.mutant
    reason = {"reason": fate.reason} if fate.reason else {}
    return {"rule": mutant.rule.name, "operator": mutant.operator, "change": mutant.change, **reason}
