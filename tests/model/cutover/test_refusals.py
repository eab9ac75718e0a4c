"""What is refused, with the whole text, and how it is overridden. `UPDATE=1 pytest tests/model` writes texts anew."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from runbook.model.cutover.ledger import Change, check
from runbook.model.cutover.phases import Phase, Rule
from runbook.model.problems import WIDTH, ConfigError
from tests.model.cutover.examples import IN_WINDOW, configured
from tests.model.cutover.playing import PREPARED_AT, kept, observed, played, remembered, rules, steps
from tests.model.cutover.refused import FREEZE, Update, emergency, flip, settle, updates

FILE = Path(__file__).parent / "refused.txt"
UPDATES = updates()
if os.environ.get("UPDATE"):
    texts = [f"## {title}\n\n{update.message}\n" for title, update in UPDATES.items()]
    FILE.write_text("\n".join(texts), encoding="utf-8")
MESSAGES = {
    title: text.strip("\n")
    for title, _, text in (
        each.partition("\n") for each in re.split(r"^## ", FILE.read_text(encoding="utf-8"), flags=re.M)[1:]
    )
}


@pytest.mark.parametrize("title", UPDATES)
def test_message(title: str) -> None:
    said = UPDATES[title].message
    assert said == MESSAGES[title]
    assert [line for line in said.splitlines() if len(line) > WIDTH and "reason:" not in line] == []


def test_messages_are_of_updates_that_are_there() -> None:
    assert MESSAGES.keys() == UPDATES.keys()


def test_every_rule_refuses_something() -> None:
    assert {rule for update in UPDATES.values() for rule in rules(update.decision)} == {None, *Rule}


@pytest.mark.parametrize("title", UPDATES)
def test_a_refused_update_is_refused_whole_and_begins_nothing_for_the_next(title: str) -> None:
    update = UPDATES[title]
    assert update.decision == update.decision
    assert update.decision.refusals


def test_a_flip_that_nothing_refuses() -> None:
    assert flip().message == "Nothing refuses it."
    assert (flip().decision.change, flip().decision.overridden) == (Change.FLIP, {})


# Overrides


def pasted(update: Update, reason: str = "sign-in is broken") -> Update:
    """The update with the block of its message written into the config, with a reason where there is none."""
    block = update.message.rpartition("\n\n")[2]
    overrides = yaml.safe_load(block)["overrides"]
    for each in overrides:
        each["reason"] = each["reason"] or reason
    return overridden(update, overrides)


def overridden(update: Update, overrides: Any) -> Update:
    assert update.settings.cutover is not None
    section = {**update.settings.cutover.model_dump(mode="json", by_alias=True, exclude_unset=True)}
    moments = [("window", "start"), ("window", "end")]
    for key, part in moments:
        section[key][part] = f"{datetime.fromisoformat(section[key][part]):%Y-%m-%d %H:%M}"
    freeze = [
        {**each.model_dump(mode="json"), "start": f"{each.start:%Y-%m-%d %H:%M}", "end": f"{each.end:%Y-%m-%d %H:%M}"}
        for each in update.settings.freeze
    ]
    changes = {**section, "overrides": overrides}
    phase = changes.pop("phase")
    current = update.settings.current.model_dump(mode="json", by_alias=True, exclude_none=True)
    return replace(update, settings=configured(update.stack, phase, changes, freeze=freeze, current=current))


OVERRIDABLE = [
    title
    for title, update in UPDATES.items()
    if update.settings.cutover and None not in rules(update.decision) and update.memory.ledger
]


@pytest.mark.parametrize("title", OVERRIDABLE)
def test_the_block_of_the_message_overrides_exactly_what_refused(title: str) -> None:
    update = UPDATES[title]
    refused = rules(update.decision)
    decision = pasted(update).decision
    assert decision.refusals == ()
    assert decision.overridden.keys() == refused
    assert set(decision.overridden.values()) <= {"sign-in is broken", "the hotfix is in next as well"}


@pytest.mark.parametrize("title", OVERRIDABLE)
def test_the_block_cannot_be_taken_as_it_is(title: str) -> None:
    with pytest.raises(ConfigError) as error:
        pasted(UPDATES[title], reason="")
    assert {problem.path.rpartition(".")[2] for problem in error.value.problems} == {"reason"}


@pytest.mark.parametrize("title", [title for title in UPDATES if title not in OVERRIDABLE])
def test_what_nobody_can_override_gets_no_rule_for_it(title: str) -> None:
    update = UPDATES[title]
    if update.memory.ledger:
        assert "rule:    none that could be overridden" in update.message
        if update.settings.cutover:
            assert None in rules(pasted(update).decision if "overrides:" in update.message else update.decision)


def test_an_override_is_of_one_rule() -> None:
    update = UPDATES["Everything at once"]
    for rule in rules(update.decision):
        one = [{"rule": str(rule), "reason": "sign-in is broken", "until": "2026-12-06 02:00"}]
        assert rules(overridden(update, one).decision) == rules(update.decision) - {rule}


def test_an_override_ends_to_the_second() -> None:
    """Its end is in the window's zone, two hours before UTC."""
    late = replace(flip(), now=IN_WINDOW + timedelta(hours=3))
    update = overridden(late, [{"rule": "window", "reason": "agreed by telephone", "until": "2026-12-06 02:30"}])
    end = datetime(2026, 12, 6, 0, 30, tzinfo=UTC)
    assert rules(replace(update, now=end - timedelta(seconds=1)).decision) == set()
    assert rules(replace(update, now=end).decision) == {Rule.WINDOW}


def test_the_block_keeps_overrides_that_stand_there() -> None:
    kept_one = {"rule": "window", "reason": "agreed by telephone", "until": "2026-12-06 03:00"}
    update = overridden(UPDATES["A release made outside"], [kept_one])
    assert yaml.safe_load(update.message.rpartition("\n\n")[2]) == {
        "overrides": [kept_one, {"rule": "release", "reason": "", "until": "2026-12-06 00:00"}]
    }


def test_the_block_is_sound_in_the_night_in_which_clocks_are_put_back() -> None:
    """03:00 to 04:00 comes twice in Kyiv then; an override that ends in it would be refused."""
    window = {"start": "2027-10-30 22:00", "end": "2027-10-31 08:00", "zone": "Europe/Kyiv"}
    early = {**window, "start": "2027-10-31 07:00"}
    for minutes in range(0, 300, 10):
        now = datetime(2027, 10, 30, 22, tzinfo=UTC) + timedelta(minutes=minutes)
        decision = pasted(replace(flip(changes={"window": early}), now=now)).decision
        assert (decision.refusals, set(decision.overridden)) == ((), {Rule.WINDOW}), now


def test_a_reason_with_quotes_is_kept_as_it_is() -> None:
    kept_one = {"rule": "window", "reason": 'they said "now" \\ then: é 😀', "until": "2026-12-06 03:00"}
    update = overridden(UPDATES["A release made outside"], [kept_one])
    assert yaml.safe_load(update.message.rpartition("\n\n")[2])["overrides"][0] == kept_one


# Times, to the second


def test_the_window_is_open_from_its_start_until_just_before_its_end() -> None:
    start, end = datetime(2026, 12, 5, 20, tzinfo=UTC), datetime(2026, 12, 6, 0, tzinfo=UTC)
    second = timedelta(seconds=1)
    for now, refused in ((start - second, True), (start, False), (end - second, False), (end, True)):
        assert rules(replace(flip(), now=now).decision) == ({Rule.WINDOW} if refused else set())


def test_settled_from_the_second_at_which_the_soak_is_over() -> None:
    """jwt_exp where it is longer than the soak of the config."""
    second = timedelta(seconds=1)
    for seen, soak in (({}, 3600), ({"jwt_exp": 7200}, 7200), ({"jwt_exp": 60}, 3600)):
        over = IN_WINDOW + timedelta(seconds=soak)
        assert rules(settle(seen=seen, now=over - second).decision) == {Rule.SOAK}
        assert rules(settle(seen=seen, now=over).decision) == set()


def test_a_freeze_ends() -> None:
    frozen = flip(freeze=[{"start": "2026-12-05 00:00", "end": "2026-12-05 23:30", "zone": "Etc/UTC", "reason": "x"}])
    end = datetime(2026, 12, 5, 23, 30, tzinfo=UTC)
    assert rules(replace(frozen, now=end - timedelta(seconds=1)).decision) == {Rule.FREEZE}
    assert rules(replace(frozen, now=end).decision) == set()


def test_a_flip_that_is_under_way_meets_window_freeze_and_gates_again() -> None:
    memory = played("prod", Phase.PREPARED, Phase.FLIPPED, complete=False)
    seen = observed("prod", configured("prod", "flipped"), memory, failures={"records": "Cloudflare answered 503."})
    update = Update("prod", configured("prod", "flipped", freeze=[FREEZE]), memory, seen)
    refused = {Rule.WINDOW, Rule.FREEZE, Rule.OBSERVATION}
    assert rules(replace(update, now=IN_WINDOW + timedelta(hours=3)).decision) == refused
    settled = replace(update, settings=configured("prod", "settled"), now=IN_WINDOW + timedelta(hours=3))
    assert rules(settled.decision) == {Rule.WINDOW, Rule.OBSERVATION, Rule.SOAK}
    assert "runbook:cutover.phase = 'flipped'" not in settled.message


def test_what_somebody_switched_ahead_is_drift_until_the_flip_itself_switches_it() -> None:
    switched = flip("easymo-prod")
    asked = configured("easymo-prod", "flipped")
    seen = observed("easymo-prod", asked, switched.memory, PREPARED_AT).records
    ahead = replace(switched, observed=replace(switched.observed, records=seen))
    assert rules(ahead.decision) == {Rule.DRIFT}
    half = played("easymo-prod", Phase.PREPARED, Phase.FLIPPED, complete=False)
    assert rules(replace(ahead, memory=half).decision) == set()


def test_a_listing_that_could_not_be_had_shows_no_record_that_is_gone() -> None:
    blind = flip(seen={"records": (), "failures": {"records": "Cloudflare answered 503 to GET /zones."}})
    assert rules(blind.decision) == {Rule.OBSERVATION, Rule.OPENS_AT}


# A flip straight from steady


@pytest.mark.parametrize("stack", ["prod", "staging", "easymo-prod"])
def test_an_emergency_flip_goes_by_overrides_and_makes_next_on_the_way(stack: str) -> None:
    update = pasted(emergency(stack))
    decision = update.decision
    assert (decision.change, decision.refusals) == (Change.FLIP, ())
    assert decision.overridden.keys() == {Rule.MOVE, Rule.OPENS_AT, Rule.BUILD}
    ledger = decision.ledger
    assert (ledger.tag, ledger.preparation, ledger.opened) == ("1-flip", 1, update.now)
    assert update.memory.ledger is not None
    assert check(update.memory.ledger.as_json(), ledger.as_json(), update.now) == []
    found = {step.name: step for step in steps(stack, update.settings, update.memory, decision).steps}
    for name, step in found.items():
        if name.startswith("build-"):
            assert step.trigger == "prepare-1"
            assert name in found[f"gate-{name}"].after
    assert found["gate-ttl"].trigger == "", "what is overridden is not looked at again by a gate"


def test_an_emergency_flip_that_a_gate_stopped_goes_on_with_what_it_made() -> None:
    update = pasted(emergency())
    failed = [each.name for each in steps("prod", update.settings, update.memory, update.decision).steps]
    failed = [name for name in failed if not name.startswith("build-")]
    memory = remembered("prod", update.settings, update.memory, update.decision, update.now, failed)
    again = replace(update, memory=memory).decision
    assert (again.change, again.refusals) == (Change.NONE, ())
    assert kept(again.ledger).attempt == 2
    found = {step.name: step for step in steps("prod", update.settings, memory, again).steps}
    assert found["build-staff"].trigger == memory.acted["build-staff"] == "prepare-1"
    assert found["gate-ttl"].trigger == "", "the TTL is as high as when it was let pass"
    evidence = found["complete"].args["record"]["overrides"]
    assert evidence.keys() == {"move", "opens-at", "build"}, "what was let pass at the first attempt is kept"


def test_what_an_override_let_begin_is_not_open_once_the_override_is_over() -> None:
    """Nothing has moved: resolvers hold what they are given for as long as before."""
    update = pasted(emergency())
    failed = [each.name for each in steps("prod", update.settings, update.memory, update.decision).steps]
    memory = remembered("prod", update.settings, update.memory, update.decision, update.now, failed)
    later = replace(update, memory=memory, now=update.now + timedelta(hours=2))
    assert rules(later.decision) == {Rule.OPENS_AT, Rule.BUILD}
    assert all("prepared" not in each.problem.edit for each in later.decision.refusals), "that would be a way back"
    again = pasted(later)
    assert again.decision.refusals == ()
    assert again.decision.ledger.overridden.keys() == {Rule.MOVE, Rule.OPENS_AT, Rule.BUILD}
