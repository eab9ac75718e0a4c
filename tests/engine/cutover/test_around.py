"""No option of the command gets round a refusal, neither in preview nor in `up`."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from runbook.model.cutover.phases import Rule
from runbook.rehearsal.clouds.cloudflare import NAME_SERVERS, RECORD
from runbook.rehearsal.clouds.web import release
from runbook.rehearsal.clouds.web.deployments import DEPLOYMENT
from runbook.rehearsal.cutover import edits
from tests.engine.cutover.hindrances import MEMBER
from tests.engine.cutover.play import NEXT_TARGET, STACK, Play

At = Callable[[str], Play]
PREVIEW, UP = ("preview",), ("up", "--yes", "--skip-preview")
A_RECORD = ("--target", "**::dns-staff")
A_STEP = ("--target", "**::step-promote-staff")
ALL_BUT_THE_LEDGER = ("--target", "**::dns-**", "--target", "**::step-**", "--target", "**::web-**")
WITHOUT_THE_LEDGER = ("--exclude", "**::ledger")


def by_hand(play: Play) -> None:
    """An edit of current alone, while it is prepared."""
    current = play.config.section("current")
    play.config.write(current={**current, "targets": {**current["targets"], "staff": NEXT_TARGET}})


def no_move(play: Play) -> None:
    """Rolled back from where nothing was flipped."""
    play.ask("rolled-back")


def too_soon(play: Play) -> None:
    play.ask("settled")


def too_much(play: Play) -> None:
    """Outside the window and in a freeze, before the wait is over, with a name that was changed by hand and name
    servers that do not answer, beside a release made outside, without next's build and without the function's
    source."""
    store, now = play.clouds.store, play.clouds.clock.now()
    play.config.write(
        cutover={**play.block.section("flipped"), "functions": {}},
        freeze=[{"start": _local(now), "end": _local(now + timedelta(days=1)), "zone": edits.ZONE, "reason": "fair"}],
    )
    (record,) = store.find("cloudflare", RECORD, name=MEMBER)
    store.change("cloudflare", RECORD, record.id, content="by-hand.example")
    release(store, "ibimina-staff-prod", "v1.0.1", now)
    made = play.kept().steps["build-member"]["evidence"]["deployment"]
    store.change("vercel", DEPLOYMENT, made, state="ERROR")
    for server in NAME_SERVERS:
        play.clouds.faults.fail(server, method="QUERY", times=10_000, message="SERVFAIL")


def _local(moment: datetime) -> str:
    return f"{moment.astimezone(ZoneInfo(edits.ZONE)):%Y-%m-%d %H:%M}"


AT_A_FLIP = {*Rule} - {Rule.MOVE, Rule.SOAK}
CASES: dict[str, tuple[str, Callable[[Play], None], set[str], tuple[tuple[str, ...], ...]]] = {
    "edit of current": (
        "prepared",
        by_hand,
        {"none that could be overridden"},
        ((*UP, *A_RECORD), (*PREVIEW, *A_STEP)),
    ),
    "no move": ("prepared", no_move, {Rule.MOVE}, ((*UP, *WITHOUT_THE_LEDGER),)),
    "all that a flip is refused for": (
        "prepared",
        too_much,
        AT_A_FLIP,
        (
            (*UP, *A_STEP),
            (*PREVIEW, *WITHOUT_THE_LEDGER),
            (*UP, *ALL_BUT_THE_LEDGER),
            (*PREVIEW, *A_RECORD),
        ),
    ),
    "settled too soon": ("flipped", too_soon, {Rule.SOAK}, ((*UP, *A_RECORD), (*PREVIEW, *WITHOUT_THE_LEDGER))),
}


def held(play: Play) -> object:
    """By the clouds, but for messages that are due meanwhile, and of ledger and steps by the state."""
    return [one for one in play.clouds.store.objects() if one.cloud != "slack"], play.kept()


@pytest.mark.parametrize(("point", "mistake", "rules", "commands"), CASES.values(), ids=CASES)
def test_nothing_gets_round_it(
    at: At, point: str, mistake: Callable[[Play], None], rules: set[str], commands: tuple[tuple[str, ...], ...]
) -> None:
    play = at(point)
    mistake(play)
    before = held(play)

    for command, *options in commands:
        outcome = play.engine.run(STACK, command, *options)
        assert outcome.code != 0, (command, options)
        assert {*re.findall(r"^ +rule: +(.+)$", "\n".join(outcome.events.errors), re.MULTILINE)} == rules
        assert outcome.events.changes == ()
    assert held(play) == before


def test_every_rule_that_refuses_is_tried() -> None:
    assert {rule for _, _, rules, _ in CASES.values() for rule in rules} - {"none that could be overridden"} == {
        *Rule
    }
