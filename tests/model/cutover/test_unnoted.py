"""Names that the state does not know, because an update was killed while it made them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from runbook.model.cutover.phases import Phase
from runbook.model.cutover.unnoted import records
from tests.model.cutover.examples import configured
from tests.model.cutover.playing import played
from tests.stacks import platform

P, F, R = Phase.PREPARED, Phase.FLIPPED, Phase.ROLLED_BACK
AUTH, NEXT_AUTH = "auth.ibimina.rw", "signin.ibimina.rw"


def named(phase: Phase, *played_phases: Phase, known: frozenset[str] | None) -> set[str]:
    memory = replace(played("prod", *played_phases), names=known)
    assert memory.ledger is not None
    return {each.name for each in records(platform("prod"), configured("prod", phase), memory.ledger, memory)}


def test_a_way_back_makes_no_name_that_the_state_does_not_know() -> None:
    assert NEXT_AUTH not in named(R, P, F, R, known=frozenset({AUTH}))
    assert NEXT_AUTH in named(R, P, F, R, known=frozenset({AUTH, NEXT_AUTH}))


def test_what_serves_is_declared_whatever_the_state_knows() -> None:
    """A record that Pulumi lost must come back with traffic."""
    assert AUTH in named(R, P, F, R, known=frozenset())


@pytest.mark.parametrize("known", [None, frozenset({AUTH})])
def test_forward_every_name_is_declared(known: frozenset[str] | None) -> None:
    assert {AUTH, NEXT_AUTH} <= named(P, P, known=known)
    assert {AUTH, NEXT_AUTH} <= named(F, P, F, known=known)
