"""Each rule in each scenario, and each mutant of it, on the real data source."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from runbook.proving.emitted import Emitted, emitted
from runbook.proving.equivalents import reason
from runbook.proving.mutation import Mutant, mutants
from runbook.proving.problems import ProofError
from runbook.proving.prometheus import Table, Trial
from runbook.proving.result import Fate, RuleResult, Verdict
from runbook.proving.scenario import Broken, Evaluator, Outcome, QueryFailed, Scenario
from runbook.proving.scenarios.owners import REACHED
from runbook.proving.stacks import Stack
from runbook.proving.states import Found, found, outcome


@dataclass(frozen=True)
class Case:
    """A rule with all that is to be tried on it. `routed`: mutants that routes must tell from the rule, where the
    scenarios cannot."""

    stack: str
    rule: Emitted
    scenarios: Sequence[Scenario]
    mutants: Sequence[Mutant]
    routed: Sequence[Mutant]

    @property
    def variants(self) -> list[Emitted]:
        """The rule itself, then its mutants."""
        return [self.rule, *(mutant.rule for mutant in self.mutants)]


def cases(stack: Stack, scenarios: Sequence[Scenario]) -> list[Case]:
    """All rules of a stack. Raises: ProofError for scenarios of rules that there are not, and for rules of which
    nobody said whom they reach."""
    rules = emitted(stack.platform, stack.settings)
    unsaid = [rule.name for rule in rules if rule.name not in REACHED.get(stack.platform.name, {})]
    if unsaid:
        raise ProofError(
            f"Whom alerts of {stack.name} reach is not said in runbook/proving/scenarios/owners.py "
            f"({', '.join(unsaid)}): write it there, from the runbook."
        )
    unknown = sorted({scenario.rule for scenario in scenarios} - {rule.name for rule in rules})
    if unknown:
        raise ProofError(
            f"There are scenarios for alerts that {stack.name} does not have ({', '.join(unknown)}): take them out"
            " of runbook/proving/scenarios, or name the alert as it is."
        )
    owners = list(dict.fromkeys(rule.owner for rule in rules))
    return [_case(stack.name, rule, owners, scenarios) for rule in rules]


def _case(stack: str, rule: Emitted, owners: Iterable[str], scenarios: Iterable[Scenario]) -> Case:
    made = mutants(rule, owners)
    return Case(
        stack,
        rule,
        [scenario for scenario in scenarios if scenario.rule == rule.name],
        [mutant for mutant in made if not mutant.routed],
        [mutant for mutant in made if mutant.routed],
    )


def trial(case: Case) -> Trial:
    """What promtool is asked: a Prometheus that does not answer takes none."""
    asked = [scenario for scenario in case.scenarios if not isinstance(scenario.data, Broken)]
    return Trial(f"{case.stack}-{case.rule.name}", case.variants, asked)


def completed(case: Case, table: Table) -> Table:
    """promtool's table, and what comes of the scenarios that it was not asked."""
    rows = []
    for variant, answers in zip(case.variants, table, strict=True):
        left = iter(answers)
        rows.append(
            [
                outcome(variant, Found.ERROR, each.held) if isinstance(each.data, Broken) else next(left)
                for each in case.scenarios
            ]
        )
    return rows


def evaluated(case: Case, engine: Evaluator) -> Table:
    """The table of a rule whose data source is asked query by query; no query is asked twice of the same world."""
    table: Table = [[] for _ in case.variants]
    for scenario in case.scenarios:
        answers: dict[str, Found | float | None] = {}
        for variant, row in zip(case.variants, table, strict=True):
            if variant.expression not in answers:
                answers[variant.expression] = _asked(engine, variant, scenario)
            row.append(_judged(variant, scenario, answers[variant.expression]))
    return table


def _asked(engine: Evaluator, rule: Emitted, scenario: Scenario) -> Found | float | None:
    try:
        return engine.value(rule, scenario)
    except QueryFailed:
        return Found.ERROR


def _judged(rule: Emitted, scenario: Scenario, answer: Found | float | None) -> Outcome:
    return outcome(rule, answer if isinstance(answer, Found) else found(rule, answer), scenario.held)


def concluded(case: Case, table: Table, killed: Sequence[bool]) -> RuleResult:
    """What came of the rule. `killed`: of its routed mutants, in their order."""
    told = [row != table[0] for row in table[1:]]
    fates = zip([*case.mutants, *case.routed], [*told, *killed], strict=True)
    return RuleResult(
        case.stack,
        case.rule,
        [Verdict(each, got) for each, got in zip(case.scenarios, table[0], strict=True)],
        [Fate(mutant, dead, None if dead else reason(mutant)) for mutant, dead in fates],
        _missing(case.scenarios),
    )


def _missing(scenarios: Sequence[Scenario]) -> list[str]:
    """A rule must be seen to fire, to stay silent, and to do what was decided for it when nobody answers."""
    expected = {scenario.expect for scenario in scenarios}
    needed = {
        "in which it fires": "fires" in expected,
        "in which it stays silent": "silent" in expected,
        "in which its data source does not answer": any(isinstance(each.data, Broken) for each in scenarios),
    }
    return [kind for kind, there in needed.items() if not there]
