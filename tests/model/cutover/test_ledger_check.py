"""The second refusal, in the ledger's own check: another update may have come between."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from runbook.model.cutover.ledger import Ledger, check
from runbook.model.cutover.phases import Phase
from tests.model.cutover.examples import IN_WINDOW, configured
from tests.model.cutover.test_ledger import WAYS, ledger

S, P, F, T, R = Phase.STEADY, Phase.PREPARED, Phase.FLIPPED, Phase.SETTLED, Phase.ROLLED_BACK


def checked(old: Ledger | None, new: Ledger, now: Any = IN_WINDOW) -> list[str]:
    olds = None if old is None else {key: value for key, value in old.as_json().items() if value is not None}
    return check(olds, new.as_json(), now)


@pytest.mark.parametrize("way", [way for way in WAYS if way])
def test_every_move_that_the_program_makes_passes(way: tuple[Phase, ...]) -> None:
    for stack in ("prod", "easymo-prod"):
        for number in range(len(way)):
            old = ledger(*way[:number], stack=stack)
            assert checked(old, ledger(*way[: number + 1], stack=stack)) == []


def test_a_new_stack_begins_steady_or_prepared() -> None:
    assert checked(None, ledger()) == []
    assert checked(None, replace(ledger(), phase=P)) == []
    for phase in (F, T, R):
        assert checked(None, replace(ledger(), phase=phase)) == ["A new stack begins steady."]


def test_a_record_that_did_not_change_passes_at_any_time() -> None:
    assert checked(ledger(P, F), ledger(P, F), IN_WINDOW - timedelta(days=1)) == []


AGAIN = "Run the command again: the program then reads what the state holds."


def test_another_update_came_between() -> None:
    late = replace(ledger(P), phase=S)
    assert checked(ledger(P, F), late) == [f"The state is at crossing 1, and this update is number 0. {AGAIN}"]
    ahead = replace(ledger(P, F), crossing=3)
    assert checked(ledger(P), ahead) == [f"The state is at crossing 0, and this update is number 3. {AGAIN}"]


def test_a_generation_never_gets_less() -> None:
    less = replace(ledger(P, F, R), generation=1, attempt=2)
    assert checked(ledger(P, F, R), less) == [
        f"The state holds generation 2 of the secrets, which never gets less. {AGAIN}"
    ]


def test_what_serves_does_not_change_without_a_crossing() -> None:
    then = configured("prod").next
    assert then is not None
    assert checked(ledger(P), replace(ledger(P), side=then)) == [
        f"What serves would change without a crossing. {AGAIN}"
    ]
    released = then.model_copy(update={"release": "v9"})
    assert checked(ledger(P, F), replace(ledger(P, F), side=released)) == [], "a release alone is daily work"


def test_a_flip_does_not_begin_before_it_opens() -> None:
    flip = replace(ledger(P, F), opened=IN_WINDOW)
    second = timedelta(seconds=1)
    assert checked(ledger(P), flip, IN_WINDOW) == []
    assert checked(ledger(P), flip, IN_WINDOW - second) == ["The flip does not open before 2026-12-05 21:00 UTC."]
    assert checked(ledger(P), replace(flip, opened=None), IN_WINDOW) == ["The flip is not open."]


def test_a_way_back_passes_at_any_time() -> None:
    assert checked(ledger(P, F), ledger(P, F, R), IN_WINDOW - timedelta(days=9)) == []
