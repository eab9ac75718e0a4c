"""promtool answers what it is asked, and an answer that is none is not taken for silence."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from runbook.model.signals import Source
from runbook.proving.emitted import Emitted
from runbook.proving.engines import Engines
from runbook.proving.prometheus import Promtool, PromtoolFailed, Trial
from runbook.proving.scenario import Outcome, Scenario, Series
from tests.proving.rules import rule

MINUTE = timedelta(minutes=1)


def world(title: str, expect: Outcome, *values: str, at: int = 10, held: int = 0) -> Scenario:
    series = {f'x{{page="{number}"}}': samples for number, samples in enumerate(values)}
    return Scenario("rule", title, expect, Series(series, at * MINUTE), held * MINUTE)


WORLDS = [
    world("above", "fires", "2x20"),
    world("at the edge", "silent", "1x20"),
    world("not a number", "silent", "NaN " * 20),
    world("gone for long", "no data", "2x3 stale"),
    world("above since five minutes", "silent", "0x5 2x10", at=11),
    world("the largest of two", "fires", "0x20", "3x20"),
]
ABOVE = rule(Source.PROMETHEUS, "max(x)").mutated(threshold=Decimal(1))


def judged(programs: Engines, variants: list[Emitted], worlds: list[Scenario], folder: Path) -> list[list[Outcome]]:
    with Promtool(programs.promtool, folder) as promtool:
        (table,) = promtool.judge([Trial("rule", variants, worlds)])
    return table


def test_outcomes_of_a_rule_and_its_variants(programs: Engines, tmp_path: Path) -> None:
    variants = [
        ABOVE.mutated(for_=6 * MINUTE),
        ABOVE.mutated(for_=5 * MINUTE),
        ABOVE.mutated(comparator="gte"),
        ABOVE.mutated(no_data_state="Alerting"),
        ABOVE.mutated(expression="min(x)"),
        ABOVE.mutated(expression="absent(max(x))"),
    ]
    assert judged(programs, variants, WORLDS, tmp_path) == [
        ["fires", "silent", "silent", "silent", "silent", "fires"],
        ["fires", "silent", "silent", "silent", "fires", "fires"],
        ["fires", "fires", "silent", "no data", "fires", "fires"],
        ["fires", "silent", "silent", "fires", "fires", "fires"],
        ["fires", "silent", "silent", "no data", "fires", "silent"],
        ["no data", "no data", "no data", "silent", "no data", "no data"],
    ]


def test_no_data_waits_as_long_as_the_scenario_says(programs: Engines, tmp_path: Path) -> None:
    waiting = ABOVE.mutated(for_=6 * MINUTE)
    worlds = [world("gone", "silent", "2x3 stale", held=5), world("gone for longer", "no data", "2x3 stale", held=6)]
    assert judged(programs, [waiting], worlds, tmp_path) == [["silent", "no data"]]


def test_the_clock_starts_on_a_thursday_at_midnight(programs: Engines, tmp_path: Path) -> None:
    moment = ABOVE.mutated(expression="day_of_week(vector(time())) == 4 and hour(vector(time())) == 9")
    worlds = [world("nine", "fires", "0x600", at=540), world("a minute before", "no data", "0x600", at=539)]
    assert judged(programs, [moment], worlds, tmp_path) == [["fires", "no data"]]


def test_a_query_that_promtool_refuses_is_not_silent(programs: Engines, tmp_path: Path) -> None:
    with pytest.raises(PromtoolFailed, match=r"did not run rule, above: .*parse error"):
        judged(programs, [ABOVE.mutated(expression="max(x")], WORLDS[:1], tmp_path)


def test_samples_that_promtool_refuses_are_not_silent(programs: Engines, tmp_path: Path) -> None:
    with pytest.raises(PromtoolFailed, match=r"did not run rule, odd: .*parse error"):
        judged(programs, [ABOVE], [world("odd", "silent", "1+-2x3")], tmp_path)


def test_too_many_samples_are_not_silent(programs: Engines, tmp_path: Path) -> None:
    long = ABOVE.mutated(expression="sum_over_time(vector(1)[1d:5s])")
    with pytest.raises(PromtoolFailed, match="too many samples"):
        judged(programs, [long], WORLDS[:1], tmp_path)


def test_a_rule_judges_one_series(programs: Engines, tmp_path: Path) -> None:
    with pytest.raises(PromtoolFailed, match="rule returns several series in the largest of two"):
        judged(programs, [ABOVE.mutated(expression="x")], WORLDS[5:], tmp_path)


def test_queries_are_checked(programs: Engines, tmp_path: Path) -> None:
    with Promtool(programs.promtool, tmp_path) as promtool:
        assert promtool.lint({"good": "sum(rate(x[5m]))"}) is None
        said = promtool.lint({"good": "up", "the panel of requests": "sum(rate(x))"})
    assert said
    assert "the panel of requests" in said
    assert "good" not in said


def test_what_runs_is_ended_with_the_block(programs: Engines, tmp_path: Path) -> None:
    slow = Trial(
        "slow", [ABOVE.mutated(for_=MINUTE, expression="sum_over_time(vector(1)[3000s:1s])")], [WORLDS[0]] * 60
    )
    with ThreadPoolExecutor(1) as beside, Promtool(programs.promtool, tmp_path) as promtool:
        answer = beside.submit(promtool.judge, [slow, slow, slow])
        while not promtool._running:
            assert not answer.done()
            time.sleep(0.01)
    with pytest.raises(PromtoolFailed):
        answer.result()
    assert not promtool._running
