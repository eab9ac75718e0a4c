"""The model of Grafana's states, against its documents' examples."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from runbook.model.signals import Source
from runbook.proving.states import Found, Handling, State, found, outcome, run
from tests.proving.rules import rule

MINUTE = timedelta(minutes=1)
PLAIN = Handling(for_=timedelta(), no_data_state="NoData", exec_err_state="Error")
WAITING = replace(PLAIN, for_=2 * MINUTE)
SIGNS = {"x": Found.BREACH, ".": Found.FINE, "-": Found.NO_DATA, "!": Found.ERROR, "?": Found.GONE}
LETTERS = {
    State.NORMAL: ".",
    State.PENDING: "p",
    State.ALERTING: "A",
    State.RECOVERING: "r",
    State.NO_DATA: "N",
    State.ERROR: "E",
}


def states(handling: Handling, signs: str) -> str:
    """One sign per evaluation, a minute apart, and one letter for each state."""
    return "".join(LETTERS[each] for each in run(handling, ((n * MINUTE, SIGNS[s]) for n, s in enumerate(signs))))


@pytest.mark.parametrize(
    ("handling", "signs", "expected"),
    [
        (PLAIN, ".x.x", ".A.A"),
        (WAITING, "xxx.x.xxx", "ppA.p.ppA"),
        (PLAIN, ".-.", ".N."),
        (PLAIN, ".!.", ".E."),
        # Since Grafana 13 both wait for the pending period too, and trouble of another kind does not start it anew.
        (WAITING, "---.", "ppN."),
        (WAITING, "!!!.", "ppE."),
        (WAITING, "x!-", "ppN"),
        (WAITING, "-!x", "ppA"),
        (WAITING, "xxx!-", "ppAEN"),
        (WAITING, "---xxx", "ppNppA"),
    ],
)
def test_what_was_found_becomes_a_state(handling: Handling, signs: str, expected: str) -> None:
    assert states(handling, signs) == expected


@pytest.mark.parametrize(
    ("state", "expected"),
    [("NoData", "ppNN."), ("Alerting", "ppAA."), ("OK", "....."), ("KeepLast", ".....")],
)
def test_no_data_is_handled_as_the_rule_says(state: str, expected: str) -> None:
    assert states(replace(WAITING, no_data_state=state), "----.") == expected


@pytest.mark.parametrize(
    ("state", "expected"), [("Error", "E."), ("Alerting", "A."), ("OK", ".."), ("KeepLast", "..")]
)
def test_an_error_is_handled_as_the_rule_says(state: str, expected: str) -> None:
    assert states(replace(PLAIN, exec_err_state=state), "!.") == expected


def test_the_last_state_is_kept() -> None:
    keeping = replace(WAITING, no_data_state="KeepLast", exec_err_state="KeepLast")
    assert states(keeping, "xxx-!.-") == "ppAAA.."
    assert states(keeping, "x--") == "ppA"


def test_an_alert_is_kept_firing() -> None:
    keeping = replace(PLAIN, keep_firing_for=2 * MINUTE)
    assert states(keeping, "x..x....") == "ArrArr.."


@pytest.mark.parametrize(("evaluations", "expected"), [(2, "AA.."), (3, "AAA.")])
def test_a_series_that_is_gone_resolves_after_some_evaluations(evaluations: int, expected: str) -> None:
    """Grafana's documents, Stale alert instances: the default is two."""
    assert states(replace(PLAIN, missing_series_evals_to_resolve=evaluations), "x???") == expected


def test_a_series_that_comes_back_counts_anew() -> None:
    assert states(PLAIN, "x?x?.") == "AAAA."


@pytest.mark.parametrize(
    ("value", "expected"),
    [(None, Found.NO_DATA), (1.0, Found.BREACH), (0.0, Found.FINE), (float("nan"), Found.FINE)],
)
def test_what_a_value_is(value: float | None, expected: Found) -> None:
    assert found(rule(Source.PROMETHEUS, "x"), value) is expected


def test_the_outcome_is_that_of_the_last_evaluation_while_it_lasts() -> None:
    waiting = rule(Source.PROMETHEUS, "x").mutated(for_=2 * MINUTE)
    outcomes = [outcome(waiting, Found.BREACH, held * MINUTE) for held in range(4)]
    assert outcomes == ["silent", "silent", "fires", "fires"]
    assert outcome(waiting, Found.NO_DATA, 2 * MINUTE) == "no data"
    assert outcome(waiting, Found.ERROR, 2 * MINUTE) == "error"
