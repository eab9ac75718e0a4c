"""What a reviewer reads of each move, word for word; the comments stand beside this file, as GitHub gets them."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from runbook.model.cutover.phases import Phase
from runbook.model.cutover.refusals import decide
from runbook.model.cutover.texts import cannot_be_undone
from runbook.model.plans.horizon import horizon, span
from runbook.model.plans.markdown import markdown
from runbook.model.plans.operation import Operation
from runbook.model.plans.places import Place, in_order, place
from runbook.model.plans.summary import as_json
from tests.model.cutover.examples import IN_WINDOW, configured
from tests.model.cutover.playing import NOTHING, observed, played, steps
from tests.model.plans.previews import planned
from tests.model.plans.told import ALL, COMMENTS, HASH, back, flip, flip_in_place, flip_of_apps, prepare, settle
from tests.stacks import STACKS, platform

PASTED = ("   urn:     ", "   pulumi ")  # the only lines that may be longer than a terminal is wide


@pytest.mark.parametrize("name", ALL)
def test_the_whole_comment(name: str) -> None:
    text = markdown(ALL[name]())
    assert text == (COMMENTS / f"{name}.md").read_text(encoding="utf-8")
    assert [line for line in text.splitlines() if len(line) > 80 and not line.startswith(PASTED)] == []


def test_every_comment_is_of_a_move() -> None:
    assert {file.stem for file in COMMENTS.iterdir()} == ALL.keys()


def test_what_cannot_be_undone_stands_before_a_flip_and_nowhere_else() -> None:
    assert flip().undone == cannot_be_undone(platform("staging"))
    assert {each().undone for each in (prepare, settle, back)} == {()}


def test_how_long_a_way_back_takes() -> None:
    """The TTL in force and what browsers add; a name that is gone is remembered as missing."""
    assert flip().way_back_seconds == 60 + 120
    assert settle().way_back_seconds == 1800 + 120
    assert prepare().way_back_seconds is None
    assert horizon({"a.example": 60, "b.example": 3600}).seconds == 3600 + 120
    assert horizon({}).seconds == 0


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(45, "45 s"), (180, "3 min"), (3720, "62 min"), (7260, "2 h 1 min"), (7200, "2 h"), (180_000, "2 d 2 h")],
)
def test_spans(seconds: int, text: str) -> None:
    assert span(seconds) == text


def test_ibimina_is_told_of_sessions_and_easymo_is_not() -> None:
    assert "Everybody is signed out, and signs in again." in flip().notice
    assert not [text for text in flip_of_apps().notice if "sign" in text]


def test_steps_stand_in_the_order_of_the_runbook() -> None:
    titles = [part.title for part in flip().steps]
    assert titles == [place.value for place in Place if place.value in titles]
    assert titles.index(Place.GATES) < titles.index(Place.SESSIONS) < titles.index(Place.PURGE)
    assert titles.index(Place.PURGE) < titles.index(Place.SWITCH) < titles.index(Place.VERIFY)
    assert next(part.title for part in back().steps) == Place.PAGED


@pytest.mark.parametrize("stack", STACKS)
@pytest.mark.parametrize(
    ("before", "phase"),
    [
        ((), Phase.PREPARED),
        ((Phase.PREPARED,), Phase.FLIPPED),
        ((Phase.PREPARED, Phase.FLIPPED), Phase.ROLLED_BACK),
        ((Phase.PREPARED, Phase.FLIPPED, Phase.ROLLED_BACK), Phase.STEADY),
    ],
)
def test_every_step_that_acts_has_a_place(stack: str, before: tuple[Phase, ...], phase: Phase) -> None:
    """None is left to "beside the cutover", in any move of any stack."""
    memory = played(stack, *before)
    was = configured(stack, before[-1].value if before else None)
    plan = planned(stack, was, configured(stack, phase.value), memory, IN_WINDOW)
    assert in_order(plan)
    assert [each.step for each in in_order(plan) if place(each, plan) is Place.BESIDE] == []


def test_a_first_update_registers_steps_that_do_nothing() -> None:
    settings = configured("prod", None)
    decision = decide(platform("prod"), settings, NOTHING, observed("prod", settings), IN_WINDOW)
    plan = planned("prod", settings, settings, NOTHING, IN_WINDOW)
    assert len([each for each in plan.changes if each.step]) == len(steps("prod", settings, NOTHING, decision).steps)
    assert in_order(plan) == ()


def test_declared_operations_have_their_places_in_a_crossing() -> None:
    memory = played("prod", Phase.PREPARED)
    plan = planned("prod", configured("prod"), configured("prod", "flipped"), memory, IN_WINDOW)
    found = {each.name: place(each, plan) for each in plan.changes}
    assert found["ledger"] is Place.RECORDED
    assert found["dns-cache"] is Place.PURGE
    assert found["web-staff-env-TRUSTED_COOKIE_SECRET"] is Place.SWITCH
    assert found["alerts-auth-availability"] is Place.BESIDE
    low = planned("prod", configured("prod", None), configured("prod"), played("prod"), IN_WINDOW)
    assert place(_named(low.changes, "dns-auth.ibimina.rw"), low) is Place.SCHEDULE
    returned = replace(plan, tag="2-back")
    assert place(_named(plan.changes, "dns-cache"), returned) is Place.BACK


def _named(operations: tuple[Operation, ...], name: str) -> Operation:
    return next(each for each in operations if each.name == name)


def test_as_json() -> None:
    plain = json.loads(json.dumps(as_json(flip_in_place())))
    assert (plain["digest"], plain["short"], plain["crossing"]) == (HASH, HASH[:12], "1-flip")
    assert plain["move"] == "prepared to flipped"
    assert plain["way_back_seconds"] == 180
    assert plain["steps"][1]["title"] == Place.GATES
    assert plain["against"] == [
        {
            "rule": "crossing-alone",
            "operation": "delete dns-txt-_acme-challenge.auth.ibimina-staging.example",
            "urn": "urn:pulumi:staging::runbook::cloudflare:index/dnsRecord:DnsRecord::"
            "dns-txt-_acme-challenge.auth.ibimina-staging.example",
            "allowed": "The cutover window is open until 2026-12-06 02:00 Africa/Kigali: of names, builds and env "
            "only what the crossing itself changes. Alerts and dashboards may always change.",
            "edit": "Take the change of runbook:records back, and make it when the crossing is complete and its "
            "window over.",
        }
    ]
