"""A plan is read from the engine's events, and no secret gets into it."""

from __future__ import annotations

from typing import Any

import pytest

from runbook.model.cutover.phases import Phase
from runbook.model.plans.operation import LEDGER, SECRET, STEP, UNKNOWN, Operation, plan_of
from runbook.model.plans.places import RECORD
from tests.model.cutover.examples import IN_WINDOW, configured
from tests.model.cutover.playing import played
from tests.model.plans.previews import MARK, Declared, event, hidden, planned

NAME = {"name": "staff.ibimina.rw", "type": "CNAME", "content": "cname.vercel-dns.com", "ttl": 1.0}


def test_update_has_path_and_inputs() -> None:
    old, new = Declared(RECORD, NAME, True), Declared(RECORD, {**NAME, "ttl": 60.0}, True)
    (found,) = plan_of([event("prod", "dns-staff", old, new)]).operations
    urn = f"urn:pulumi:prod::runbook::{RECORD}::dns-staff"
    assert found == Operation(urn, RECORD, "dns-staff", "update", ("ttl",), NAME, {**NAME, "ttl": 60}, True)


def test_whole_numbers_are_whole() -> None:
    """The engine makes every number a float; 60.0 and 60 are one TTL."""
    (found,) = plan_of([event("prod", "dns-staff", None, Declared(RECORD, NAME))]).operations
    assert repr(found.new["ttl"]) == "1"


@pytest.mark.parametrize(
    "value",
    [
        hidden(),
        {MARK: hidden()[MARK], "value": "in the clear"},
        {MARK: "d0e6a833031e9bbcd3f4e8bde6ca49a4", "value": "in the clear", "secret": True},
    ],
)
def test_whatever_is_marked_secret_is_hidden(value: dict[str, Any]) -> None:
    inputs = {**NAME, "deep": [{"token": value}]}
    (found,) = plan_of([event("prod", "dns-staff", None, Declared(RECORD, inputs))]).operations
    assert found.new["deep"] == [{"token": SECRET}]


def test_secrets_of_a_step_are_hidden_though_nothing_marks_them() -> None:
    inputs = {"name": "purge", "kind": "purge", "trigger": "1-flip", "secrets": '{"TOKEN": "in the clear"}'}
    (found,) = plan_of([event("prod", "step-purge", None, Declared(STEP, inputs))]).operations
    assert found.new["secrets"] == SECRET
    assert found.step == "purge"


def test_the_config_that_the_engine_gives_to_a_provider_is_left_out() -> None:
    inputs = {"runbook:zone": "ibimina.rw", "runbook:secrets": "in the clear"}
    declared = Declared("pulumi:providers:pulumi-python", inputs)
    (found,) = plan_of([event("prod", "default", None, declared)]).operations
    assert found.new == {}


def test_unknown_is_said_so() -> None:
    inputs = {**NAME, "zoneId": "04da6b54-80e4-46f7-96ec-b56ff0331ba9"}
    (found,) = plan_of([event("prod", "dns-staff", None, Declared(RECORD, inputs))]).operations
    assert found.new["zoneId"] == UNKNOWN


@pytest.mark.parametrize(
    "ops",
    [
        ["create-replacement", "replace", "delete-replaced"],
        ["delete-replaced", "replace", "create-replacement"],
        ["delete", "create"],
    ],
)
def test_a_replacement_is_one_operation(ops: list[str]) -> None:
    old, new = Declared(RECORD, NAME, True), Declared(RECORD, {**NAME, "type": "A"})
    found = plan_of([event("prod", "dns-staff", old, new, op) for op in ops]).operations
    assert [(each.op, each.old["type"], each.new["type"], each.protect) for each in found] == [
        ("replace", "CNAME", "A", True)
    ]


def test_a_delete_has_what_is_deleted_and_nothing_new() -> None:
    (found,) = plan_of([event("prod", "dns-staff", Declared(RECORD, NAME), None)]).operations
    assert (found.op, found.old, found.new) == ("delete", NAME, {})


def test_what_a_refresh_found_is_read_from_its_end() -> None:
    """The engine says refresh when it begins, and only at the end what it found."""
    old, new = Declared(RECORD, NAME), Declared(RECORD, {**NAME, "ttl": 300.0})
    begun = event("prod", "dns-staff", old, new, "refresh")
    ended = {"resOutputsEvent": event("prod", "dns-staff", old, new)["resourcePreEvent"]}
    (found,) = plan_of([begun, ended]).operations
    assert (found.op, found.diff) == ("update", ("ttl",))


def test_a_dynamic_resource_differs_where_its_inputs_do() -> None:
    """It has no diff of its own in the events."""
    old = Declared(STEP, {"name": "purge", "trigger": ""})
    new = Declared(STEP, {"name": "purge", "trigger": "1-flip"})
    (found,) = plan_of([event("prod", "step-purge", old, new)]).operations
    assert found.diff == ("trigger",)


def test_a_refusal_is_told_once_and_without_the_engines_echo() -> None:
    said = [
        {"diagnosticEvent": {"severity": "error", "message": "2 reasons against this update of prod.\n"}},
        {"diagnosticEvent": {"severity": "error", "message": "2 reasons against this update of prod.\n"}},
        {"diagnosticEvent": {"severity": "warning", "message": "This is only told."}},
        {"diagnosticEvent": {"severity": "error", "message": "preview failed"}},
    ]
    found = plan_of(said)
    assert found.refused == "2 reasons against this update of prod."
    assert (found.stack, found.phase, found.operations) == ("", "", ())


def test_a_crossing_is_named_while_it_goes_on() -> None:
    memory = played("prod", Phase.PREPARED)
    flipped = configured("prod", "flipped")
    found = planned("prod", configured("prod"), flipped, memory, IN_WINDOW)
    assert (found.stack, found.phase_was, found.phase, found.tag) == ("prod", "prepared", "flipped", "1-flip")

    stopped = played("prod", Phase.PREPARED, Phase.FLIPPED, complete=False)
    again = planned("prod", flipped, flipped, stopped, IN_WINDOW)
    assert (again.phase_was, again.phase, again.tag) == ("flipped", "flipped", "1-flip")

    done = planned("prod", flipped, flipped, played("prod", Phase.PREPARED, Phase.FLIPPED), IN_WINDOW)
    assert (done.phase, done.tag) == ("flipped", "")
    assert [each.name for each in done.changes] == ["default"]


def test_the_first_update_has_no_phase_before() -> None:
    ledger = Declared(LEDGER, {"phase": "steady", "crossing": 0.0, "attempt": 0.0})
    found = plan_of([event("prod", "ledger", None, ledger)])
    assert (found.phase_was, found.phase, found.tag) == ("", "steady", "")
