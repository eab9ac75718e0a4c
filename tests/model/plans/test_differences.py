"""What changed since a plan was approved, in lines for a person."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from runbook.model.cutover.phases import Phase
from runbook.model.plans.differences import NOTHING_SEEN, differences
from runbook.model.plans.operation import Plan
from tests.model.cutover.examples import IN_WINDOW, configured
from tests.model.cutover.playing import played
from tests.model.plans.previews import planned
from tests.stacks import raw


def flip(**sections: Any) -> Plan:
    memory = played("prod", Phase.PREPARED)
    return planned("prod", configured("prod"), configured("prod", "flipped", **sections), memory, IN_WINDOW)


def test_the_same_operations_say_where_else_to_look() -> None:
    assert differences(flip(), flip()) == (NOTHING_SEEN,)


def test_operations_that_came_and_went() -> None:
    other = flip(records=[])
    line = "delete DNS record _acme-challenge.auth.ibimina.rw TXT"
    assert differences(flip(), other) == (f"new: {line}",)
    assert differences(other, flip()) == (f"gone: {line}",)


def test_another_value_shows_both() -> None:
    longer, short = ({**raw("prod")["vercel"], "retention": value} for value in ("6m", "1m"))
    name = "how long builds are kept web-{}-retention"
    assert differences(flip(vercel=longer), flip(vercel=short)) == tuple(
        f"other: update {name.format(app)} (expirationProduction 1y to 1m); "
        f"approved was update {name.format(app)} (expirationProduction 1y to 6m)"
        for app in ("staff", "member")
    )


def test_a_value_that_is_not_shown_is_named() -> None:
    was = flip(vercel={**raw("prod")["vercel"], "targets": ["production", "preview"]})
    assert [line for line in differences(flip(), was) if "TRUSTED_COOKIE_SECRET of staff" in line] == [
        "other: update env TRUSTED_COOKIE_SECRET of staff (targets, value, not shown); "
        "approved was update env TRUSTED_COOKIE_SECRET of staff (value, not shown)"
    ]


def test_another_phase_and_crossing_come_first() -> None:
    found = differences(flip(), replace(flip(), phase="prepared", tag=""))
    assert found == ("phase: prepared, approved was flipped", "crossing: none, approved was 1-flip")


def test_a_step_that_does_something_else() -> None:
    plan = flip()
    step = next(each for each in plan.operations if each.step == "end-sessions")
    other = replace(step, new={**step.new, "args": '{"ref": "another"}'})
    changed = replace(plan, operations=tuple(other if each is step else each for each in plan.operations))
    assert differences(plan, changed) == (
        "other: step end-sessions (End every session of another); "
        "approved was step end-sessions (End every session of ibiminaprodplacehold)",
    )


@pytest.mark.parametrize(("key", "value"), [("builds", {"staff": "dpl_new"}), ("preparation", 7)])
def test_another_record_of_the_crossing(key: str, value: Any) -> None:
    plan = flip()
    assert plan.ledger is not None
    ledger = replace(plan.ledger, new={**plan.ledger.new, key: value})
    changed = replace(plan, operations=tuple(ledger if each is plan.ledger else each for each in plan.operations))
    parts = {"builds": "member dpl_member_old, staff dpl_staff_old", "preparation": "preparation 1"}
    assert differences(plan, changed) == (f"other: update ledger; approved was another {parts[key]}",)
