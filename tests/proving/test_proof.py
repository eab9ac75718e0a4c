"""How outcomes become a proof: what holds, what is missing, what survives, and how it is said."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from runbook.model.signals import Source
from runbook.proving import proof, scenarios
from runbook.proving.mutation import Mutant
from runbook.proving.problems import ProofError
from runbook.proving.proof import Case, cases, completed, concluded, evaluated, trial
from runbook.proving.report import page
from runbook.proving.result import Result, RuleResult
from runbook.proving.routes import Route
from runbook.proving.scenario import Broken, QueryFailed, Rows, Scenario, Series
from runbook.proving.stacks import Stack, production
from tests.proving.rules import rule
from tests.stacks import ROOT, platform, settings

MINUTE = timedelta(minutes=1)
RULE = rule(Source.POSTGRES, "SELECT depth").mutated(labels={"platform": "shop"})
DEEPER, ALERTING, SOMEBODY = (
    Mutant("threshold", "threshold 0 becomes 1", RULE.mutated(threshold=1)),
    Mutant("state", "exec_err_state Error becomes Alerting", RULE.mutated(exec_err_state="Alerting")),
    Mutant("owner", "owner on-call becomes desk", RULE.mutated(owner="desk")),
)
WORLDS = [
    Scenario("rule", "one waits", "fires", Rows({"queue": ({"n": 1},)})),
    Scenario("rule", "none waits", "silent", Rows({"queue": ()})),
    Scenario("rule", "no answer", "error", Broken()),
]


@dataclass
class Depths:
    """A data source that knows how many rows a table has; it counts how often it is asked."""

    asked: list[tuple[str, str]] = field(default_factory=list)

    def value(self, rule: object, scenario: Scenario) -> float | None:
        self.asked.append((getattr(rule, "expression", ""), scenario.title))
        if isinstance(scenario.data, Broken):
            raise QueryFailed("no answer")
        assert isinstance(scenario.data, Rows)
        return float(len(scenario.data.tables["queue"]))


def case(*worlds: Scenario) -> Case:
    return Case("prod", RULE, worlds or WORLDS, [DEEPER, ALERTING], [SOMEBODY])


def test_rule_and_mutants_are_judged_in_each_scenario() -> None:
    assert evaluated(case(), Depths()) == [
        ["fires", "silent", "error"],
        ["silent", "silent", "error"],
        ["fires", "silent", "fires"],
    ]


def test_a_query_is_asked_once_in_a_world() -> None:
    source = Depths()
    evaluated(case(), source)
    assert source.asked == [("SELECT depth", world.title) for world in WORLDS]


def test_a_prometheus_that_does_not_answer_is_not_asked() -> None:
    worlds = [WORLDS[2], Scenario("rule", "a world", "fires", Series({}, MINUTE)), replace(WORLDS[2], title="again")]
    asked = trial(case(*worlds))
    assert [each.title for each in asked.scenarios] == ["a world"]
    assert asked.variants == [RULE, DEEPER.rule, ALERTING.rule]
    assert completed(case(*worlds), [["fires"], ["silent"], ["fires"]]) == [
        ["error", "fires", "error"],
        ["error", "silent", "error"],
        ["fires", "fires", "fires"],
    ]


def conclude(*killed: bool, worlds: tuple[Scenario, ...] = ()) -> RuleResult:
    tried = case(*worlds)
    return concluded(tried, evaluated(tried, Depths()), killed or (True,))


def test_a_mutant_is_killed_when_a_scenario_or_a_route_tells_it_from_the_rule() -> None:
    assert [fate.killed for fate in conclude(True).fates] == [True, True, True]
    assert [fate.killed for fate in conclude(False, worlds=(WORLDS[1],)).fates] == [False, False, False]


def test_kinds_of_scenarios_that_a_rule_needs() -> None:
    assert conclude().missing == []
    assert conclude(worlds=(WORLDS[1],)).missing == [
        "in which it fires",
        "in which its data source does not answer",
    ]


@pytest.mark.parametrize("stack", ["prod", "easymo-prod"])
def test_every_alert_has_its_scenarios_under_titles_of_their_own(stack: str) -> None:
    name = platform(stack).name
    for each in cases(Stack(stack, platform(stack), settings(stack)), scenarios.scenarios(name)):
        assert proof._missing(each.scenarios) == [], each.rule.name
        titles = [scenario.title for scenario in each.scenarios]
        assert len(titles) == len(set(titles)), each.rule.name


def test_scenarios_of_an_alert_that_is_not_there_are_refused() -> None:
    stack = Stack("prod", platform("prod"), settings("prod"))
    with pytest.raises(ProofError, match=r"There are scenarios for alerts that prod does not have \(rule\)"):
        cases(stack, WORLDS)


def test_alerts_of_which_nobody_said_whom_they_reach_are_refused() -> None:
    stack = Stack("shop-prod", replace(platform("easymo-prod"), name="shop"), settings("easymo-prod"))
    with pytest.raises(
        ProofError, match=r"Whom alerts of shop-prod reach is not said in .*owners\.py \(voice-error-rate"
    ):
        cases(stack, ())


def test_production_stacks_are_read_from_the_checkout() -> None:
    stacks = production(ROOT)
    assert [(stack.name, stack.platform.name) for stack in stacks] == [("easymo-prod", "easymo"), ("prod", "ibimina")]
    assert all(stack.settings.environment == "prod" for stack in stacks)


# What is said of it

GOOD = Route("prod", "settings of each rule", "rule", "firing", "now", "live", ("slack A",), ("slack A",))


def result(*rules: RuleResult, routes: tuple[Route, ...] = (GOOD,), **more: object) -> Result:
    plain: Mapping[str, object] = {
        "wrong_minutes": {"prod": 0},
        "linted": 3,
        "lint": None,
        "stale": [],
        "engines": {"promtool": "2.42.0"},
        "assumed": 4,
        "seconds": 61.4,
    }
    return Result(rules=rules or (conclude(),), routes=routes, **{**plain, **more})  # type: ignore[arg-type]


def test_nothing_fails_when_all_holds() -> None:
    assert result().failures == []
    assert list(page(result()))[-1] == "Everything is proven."


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (
            lambda: result(conclude(worlds=(*WORLDS, replace(WORLDS[0], title="more wait", expect="silent")))),
            r"prod rule: more wait: expected silent, got fires\.",
        ),
        (
            lambda: result(conclude(worlds=(WORLDS[0], WORLDS[2]))),
            r"prod rule has no scenario in which it stays silent\.",
        ),
        (
            lambda: result(conclude(False)),
            r"prod rule: nothing tells it from a mutant \(owner: owner on-call becomes desk\)\.",
        ),
        (
            lambda: result(routes=(replace(GOOD, arrived=()),)),
            r"firing, now, by settings of each rule, asked of live: was to reach slack A and reached nobody",
        ),
        (lambda: result(wrong_minutes={"prod": 2}), "disagree in 2 minutes of a week"),
        (lambda: result(lint="the panel: parse error"), "promtool refuses a query: the panel: parse error"),
        (lambda: result(stale=["prod rule label x"]), "mutants that there are not: prod rule label x"),
    ],
)
def test_what_does_not_hold_is_said(found: object, said: str) -> None:
    made = found()  # type: ignore[operator]
    (failure,) = made.failures
    assert re.search(said, failure)
    assert "Not proven, for one reason:" in list(page(made))


def test_the_file_for_programs() -> None:
    read = json.loads(result().as_json())
    assert (read["rules"], read["mutants"], read["mutants_killed"]) == (1, 3, 3)
    assert (read["routes"], read["routes_proven"], read["failures"]) == (1, 1, [])
    assert read["engines"] == {"promtool": "2.42.0"}
    assert read["scenarios"][0] == {
        "stack": "prod",
        "rule": "rule",
        "source": "postgres",
        "scenario": "one waits",
        "expectation": "fires",
        "outcome": "fires",
    }
    assert "no Grafana was asked" in read["claim"]
    assert any("translation" in note for note in read["routing"])


def test_a_mutant_that_survives_is_named_in_the_file() -> None:
    read = json.loads(result(conclude(False)).as_json())
    assert (read["mutants"], read["mutants_killed"]) == (3, 2)
    assert read["mutants_survived"] == [{"rule": "rule", "operator": "owner", "change": "owner on-call becomes desk"}]


def test_the_page_fits_a_narrow_terminal() -> None:
    assert max(map(len, page(result(conclude(False))))) <= 80
