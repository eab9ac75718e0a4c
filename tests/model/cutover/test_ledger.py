"""What the state remembers of crossings, and how each update moves it on."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from runbook.model.cutover.advancing import advance, prepares
from runbook.model.cutover.ledger import Change, Ledger, Memory, change, check, left_behind, next_digest, to_observe
from runbook.model.cutover.observed import Observed
from runbook.model.cutover.phases import Direction, Phase, Rule
from runbook.model.cutover.refusals import decide
from runbook.model.cutover.sections import Side
from runbook.model.settings import Settings
from tests.model.cutover.examples import APPS, IN_WINDOW, NEW_HOST, configured
from tests.model.cutover.playing import NOTHING, PREPARED_AT, kept, observed, played, ready
from tests.stacks import platform, raw

S, P, F, T, R = Phase.STEADY, Phase.PREPARED, Phase.FLIPPED, Phase.SETTLED, Phase.ROLLED_BACK
WAYS = [(), (P,), (P, F), (P, F, T), (P, F, R), (P, F, R, P), (P, F, R, P, F), (P, F, R, S), (P, F, T, R)]


def ledger(*phases: Phase, stack: str = "prod", complete: bool = True) -> Ledger:
    found = played(stack, *phases, complete=complete).ledger
    assert found is not None
    return found


def going_on(memory: Memory, settings: Settings, seen: Observed | None = None, opened: Any = None) -> Ledger:
    return advance(platform("prod"), settings, memory, seen or Observed(), IN_WINDOW, opened)


@pytest.mark.parametrize("way", WAYS, ids=lambda way: "-".join(("new", *way)))
@pytest.mark.parametrize("stack", ["prod", "staging", "easymo-prod"])
def test_it_comes_back_from_the_state_as_it_was(way: tuple[Phase, ...], stack: str) -> None:
    found = ledger(*way, stack=stack)
    assert kept(found) == found
    assert Ledger.of(found.as_json()) == found


def test_every_field_comes_back() -> None:
    full = replace(ledger(P, F, complete=False), leaving=configured("prod").next, commits={"1-flip": "0" * 40})
    full = replace(full, overridden={Rule.WINDOW: "agreed by telephone"})
    assert [each.name for each in fields(full) if getattr(full, each.name) in (None, 0, "", {})] == []
    back = kept(full)
    assert back == full
    assert all(type(getattr(back, each.name)) is type(getattr(full, each.name)) for each in fields(full))


def test_texts_that_look_like_numbers_stay_texts() -> None:
    base = {**raw("prod")["current"], "release": "2", "env": {"staff": {"LEVEL": "3"}}}
    found = ledger(P)
    side = configured("prod", None, current=base).current
    assert kept(replace(found, side=side)).side == side


def test_what_is_not_a_record_is_told() -> None:
    with pytest.raises(ValidationError):
        Ledger.of({"phase": "flipped"})


def test_it_holds_no_secret() -> None:
    settings = configured("prod", "flipped")
    text = str(ledger(P, F).as_json())
    assert not [name for name, value in settings.secrets.items() if value.get_secret_value() in text]


# Crossings


@pytest.mark.parametrize(
    ("way", "tag", "attempt"),
    [
        ((), "", 0),
        ((P,), "", 0),
        ((P, F), "1-flip", 1),
        ((P, F, F), "1-flip", 1),
        ((P, F, T), "1-flip", 1),
        ((P, F, R), "2-back", 1),
        ((P, F, T, R), "2-back", 1),
        ((P, F, R, P), "2-back", 1),
        ((P, F, R, P, F), "3-flip", 1),
        ((P, F, R, P, F, R), "4-back", 1),
    ],
)
def test_crossings_are_counted(way: tuple[Phase, ...], tag: str, attempt: int) -> None:
    found = ledger(*way)
    assert (found.tag, found.attempt) == (tag, attempt)


@pytest.mark.parametrize("phase", [F, R])
def test_an_update_that_goes_on_with_a_crossing_counts_attempts(phase: Phase) -> None:
    way = (P, F) if phase is F else (P, F, R)
    memory = played("prod", *way, complete=False)
    assert memory.open
    assert memory.ledger is not None
    settings = configured("prod", phase.value)
    again = going_on(memory, settings)
    assert (again.tag, again.attempt, again.begun) == (memory.ledger.tag, 2, memory.ledger.begun)
    assert (again.before, again.leaving, again.builds) == (
        memory.ledger.before,
        memory.ledger.leaving,
        memory.ledger.builds,
    )


def test_a_flip_keeps_what_serves_as_the_way_back() -> None:
    found = ledger(P, F)
    assert found.before == configured("prod").current
    assert found.side == configured("prod").next
    assert found.builds == {"staff": "dpl_staff_old", "member": "dpl_member_old"}
    assert (found.begun, found.direction, found.leaving) == (IN_WINDOW, Direction.FLIP, None)


def test_a_second_attempt_of_a_flip_does_not_take_nexts_build_for_the_one_before() -> None:
    memory = played("prod", P, F, complete=False)
    seen = observed("prod", configured("prod", "flipped"), memory)
    assert seen.serving["staff"].id == "dpl_staff_prepare-1"
    assert going_on(memory, configured("prod", "flipped"), seen).builds["staff"] == "dpl_staff_old"


def test_a_flip_that_could_not_see_what_serves_goes_back_to_what_did_when_next_was_made() -> None:
    """By an override of the rule observation; without a build a way back would leave next's in place."""
    memory = played("prod", P)
    found = going_on(memory, configured("prod", "flipped"), Observed(), IN_WINDOW)
    assert found.builds == {"staff": "dpl_staff_old", "member": "dpl_member_old"}


def test_nexts_build_is_no_way_back_where_somebody_promoted_it_before_the_flip() -> None:
    memory = played("prod", P)
    made = {app: ready(f"dpl_{app}_prepare-1") for app in ("staff", "member")}
    seen = observed("prod", configured("prod"), memory, serving=made)
    assert going_on(memory, configured("prod", "flipped"), seen, IN_WINDOW).builds["staff"] == "dpl_staff_old"


def test_a_way_back_keeps_the_builds_and_what_is_left_until_it_is_complete() -> None:
    memory = played("prod", P, F, R, complete=False)
    then = configured("prod").next
    assert memory.ledger is not None
    assert (memory.ledger.leaving, memory.ledger.before) == (then, None)
    assert left_behind(going_on(memory, configured("prod", None)), memory) == then
    done = played("prod", P, F, R)
    assert left_behind(going_on(done, configured("prod", None)), done) is None


def test_a_way_back_begins_without_what_the_flip_let_pass() -> None:
    """Nothing refuses it, so its evidence has no override."""
    memory = played("prod", P, F)
    assert memory.ledger is not None
    let_pass = replace(memory, ledger=replace(memory.ledger, overridden={Rule.WINDOW: "agreed by telephone"}))
    assert going_on(let_pass, configured("prod", "flipped")).overridden == {Rule.WINDOW: "agreed by telephone"}
    assert going_on(let_pass, configured("prod", "rolled-back")).overridden == {}


def test_settled_still_knows_the_way_back_and_the_new_steady_does_not() -> None:
    then = configured("prod").next
    assert then is not None
    memory = played("prod", P, F, T)
    assert memory.ledger is not None
    assert memory.ledger.before == configured("prod").current
    current = then.model_dump(mode="json", by_alias=True, exclude_none=True)
    found = going_on(memory, configured("prod", None, current=current))
    assert (found.before, found.phase, found.side, found.crossing) == (None, S, then, 1)


def test_a_new_stack_begins_with_its_own_generation() -> None:
    current = {**raw("prod")["current"], "generation": 4}
    assert going_on(NOTHING, configured("prod", None, current=current)).generation_in_force == 4


def test_generations_only_grow() -> None:
    ways: list[tuple[Phase, ...]] = [(), (P,), (P, F), (P, F, R), (P, F, R, S), (P, F, R, P), (P, F, T)]
    assert [ledger(*way).generation_in_force for way in ways] == [1, 1, 2, 2, 2, 2, 2]
    memory = played("prod", P, F, T)
    then = configured("prod").next
    assert then is not None
    current = then.model_dump(mode="json", by_alias=True, exclude_none=True) | {"generation": 1}
    assert going_on(memory, configured("prod", None, current=current)).generation_in_force == 2
    grown = configured("prod", None, current=current | {"generation": 7})
    assert going_on(memory, grown).generation_in_force == 7


def test_a_second_flip_renews_the_secrets_again() -> None:
    """A flip that was taken back has used a generation up: its build, and env since, have had it."""
    flipped = ledger(P, F, R, P, F)
    assert (ledger(P, F).generation_in_force, flipped.next_generation, flipped.generation_in_force) == (2, 3, 3)
    assert ledger(P, F, R, P).generation_in_force == 2


def test_a_flip_that_stopped_before_the_switch_has_renewed_no_secret() -> None:
    """Env waits for the purge before the switch."""
    for failed, in_force in (("purge", 1), ("promote-staff", 2)):
        memory = played("prod", P, F, complete=False)
        memory = replace(memory, acted={key: acted for key, acted in memory.acted.items() if key != failed})
        back = going_on(memory, configured("prod", None))
        assert (back.tag, back.generation_in_force) == ("2-back", in_force)


# Making next ready


def ready_again(memory: Memory, settings: Settings, **seen: Any) -> bool:
    was = configured("prod")
    return prepares(platform("prod"), settings, memory, observed("prod", was, memory, **seen))


def test_next_is_made_ready_once() -> None:
    assert ready_again(played("prod"), configured("prod"))
    assert not ready_again(played("prod", P), configured("prod"))
    assert ledger(P).preparation == ledger(P, P).preparation == 1
    assert not ready_again(played("prod", P), configured("prod", "flipped"))
    assert not ready_again(NOTHING, configured("prod"))
    for phase in (S, R):
        assert not ready_again(played("prod", P), configured("prod", phase.value))


def test_next_is_made_ready_again_beside_a_release_made_outside() -> None:
    serving = {"staff": ready("dpl_hotfix"), "member": ready("dpl_member_old")}
    assert ready_again(played("prod", P), configured("prod"), serving=serving)
    memory = played("prod", P)
    seen = observed("prod", configured("prod"), memory, serving=serving)
    found = going_on(memory, configured("prod"), seen)
    assert (found.preparation, found.base["staff"]) == (2, "dpl_hotfix")


@pytest.mark.parametrize(
    "then",
    [
        {**NEW_HOST, "release": "v1.2.0"},
        {**NEW_HOST, "env": {"staff": {"LEVEL": "b"}}},
        {**NEW_HOST, "generation": 5},
    ],
)
def test_next_is_made_ready_again_when_it_is_another(then: dict[str, Any]) -> None:
    assert ready_again(played("prod", P), configured("prod", changes={"next": then}))


def test_next_is_the_same_in_whatever_order_its_parts_stand() -> None:
    then = {**APPS, "env": {"admin": {"LEVEL": "a", "BANNER": "b"}}}

    def backwards(part: Any) -> Any:
        return {key: backwards(each) for key, each in reversed(part.items())} if isinstance(part, dict) else part

    one = configured("easymo-prod", changes={"next": then})
    current = backwards(raw("easymo-prod")["current"])
    other = configured("easymo-prod", changes={"next": backwards(then)}, current=current)
    assert next_digest(one) == next_digest(other)


def test_next_is_made_ready_again_after_a_way_back() -> None:
    assert ledger(P, F, R, P).preparation == 2
    assert ledger(P, S, P).preparation == 2


def test_next_is_made_ready_again_once_it_is_known_what_serves() -> None:
    """Vercel did not answer while next was made ready: a release made outside would not be noticed."""
    settings = configured("prod")
    memory = played("prod")
    blind = observed("prod", configured("prod", None), memory, serving={})
    once = advance(platform("prod"), settings, memory, blind, PREPARED_AT)
    assert (once.preparation, once.base) == (1, {})
    assert ready_again(replace(memory, ledger=once), settings)


# What has to be looked at


def test_nothing_is_looked_at_without_a_cutover() -> None:
    assert to_observe(platform("prod"), configured("prod", None), played("prod")) is None


def test_what_a_flip_looks_at() -> None:
    wanted = to_observe(platform("prod"), configured("prod", "flipped"), played("prod", P))
    assert wanted is not None
    assert wanted.zone == "ibimina.rw"
    assert wanted.names == ("auth.ibimina.rw", "signin.ibimina.rw")
    assert wanted.projects == {"staff": "ibimina-staff-prod", "member": "ibimina-member-prod"}
    assert wanted.builds == {"staff": "dpl_staff_prepare-1", "member": "dpl_member_prepare-1"}
    assert wanted.auth_ref is None


def test_jwt_exp_is_read_before_settling_from_the_project_that_served() -> None:
    """It made the tokens that outlive the flip."""
    wanted = to_observe(platform("prod"), configured("prod", "settled"), played("prod", P, F))
    assert wanted is not None
    assert wanted.auth_ref == raw("prod")["current"]["supabaseRef"]
    easymo = to_observe(platform("easymo-prod"), configured("easymo-prod", "settled"), played("easymo-prod", P, F))
    assert easymo is not None
    assert easymo.auth_ref is None, "EasyMO has no sign-in"


# What serves


def test_what_serves_is_told_by_targets_auth_host_and_project_alone() -> None:
    """Rotating a drain's URL, an env value or a release is daily work."""
    found = ledger()
    current = raw("prod")["current"]
    for key, value in {"release": "v9", "env": {"staff": {"LEVEL": "b"}}, "generation": 3}.items():
        assert change(configured("prod", None, current={**current, key: value}), found) is Change.NONE
    for key, value in {"authHost": "login.ibimina.rw", "supabaseRef": "q" * 20}.items():
        assert change(configured("prod", None, current={**current, key: value}), found) is Change.OTHER


@pytest.mark.parametrize("way", [(), (P,), (P, F), (P, F, T), (P, F, R)])
def test_an_app_that_is_new_to_the_platform_or_gone_changes_nothing_that_serves(way: tuple[Phase, ...]) -> None:
    """The state knows an app less, or one more, than the stack file."""
    memory = played("easymo-prod", *way)
    settings = configured("easymo-prod", way[-1].value if way else None)
    assert memory.ledger is not None

    def known(side: Side | None, targets: dict[str, str]) -> Side | None:
        return side and side.model_copy(update={"targets": targets})

    side = memory.ledger.side
    before = {} if memory.ledger.before is None else memory.ledger.before.targets
    for less, more in (({"admin"}, {}), ({"admin", "api"}, {"kiosk": "192.0.2.1"})):
        sides = [{**{app: each[app] for app in less & each.keys()}, **more} for each in (side.targets, before)]
        found = replace(memory.ledger, side=known(side, sides[0]), before=known(memory.ledger.before, sides[1]))  # type: ignore[arg-type]
        assert change(settings, found) is Change.NONE
        decision = decide(platform("easymo-prod"), settings, replace(memory, ledger=found), Observed(), IN_WINDOW)
        assert None not in {each.rule for each in decision.refusals}
        assert check(found.as_json(), decision.ledger.as_json(), IN_WINDOW) == []
        if F in way and R not in way:
            assert change(configured("easymo-prod", "rolled-back"), found) is Change.BACK


def test_the_ledger_of_a_decision_is_what_the_update_writes() -> None:
    memory = played("prod", P)
    seen = observed("prod", configured("prod"), memory, PREPARED_AT)
    found = decide(platform("prod"), configured("prod", "flipped"), memory, seen, IN_WINDOW).ledger
    assert found.opened == PREPARED_AT + timedelta(seconds=3900)
    assert found.projects == {"staff": "prj_staff", "member": "prj_member"}
