"""No option of the command gets round a refusal, neither in preview nor in `up`."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest

from tests.engine.cutover.play import NEXT_TARGET, STACK, Play

At = Callable[[str], Play]
PREVIEW, UP = ("preview",), ("up", "--yes", "--skip-preview")
RECORD = ("--target", "**::dns-staff")
STEP = ("--target", "**::step-promote-staff")
ALL_BUT_THE_LEDGER = ("--target", "**::dns-**", "--target", "**::step-**", "--target", "**::web-**")
WITHOUT_THE_LEDGER = ("--exclude", "**::ledger")


def by_hand(play: Play) -> None:
    """An edit of current alone, while it is prepared."""
    current = play.config.section("current")
    play.config.write(current={**current, "targets": {**current["targets"], "staff": NEXT_TARGET}})


def too_early(play: Play) -> None:
    """In the window, but the low TTL has not been served for long enough."""
    opened = play.block.with_window(play.clouds.clock.now() - timedelta(minutes=5))
    play.config.write(cutover=opened.section("flipped"))


def outside_the_window(play: Play) -> None:
    """Resolvers would be ready."""
    play.clouds.clock.set(play.block.opens - timedelta(hours=2))
    play.ask("flipped")


def held(play: Play) -> object:
    """By the clouds, but for messages that are due meanwhile, and of ledger and steps by the state."""
    return [one for one in play.clouds.store.objects() if one.cloud != "slack"], play.kept()


@pytest.mark.parametrize(
    ("mistake", "rule", "commands"),
    [
        (by_hand, "none that could be overridden", ((*UP, *RECORD), (*PREVIEW, *STEP), (*UP, *WITHOUT_THE_LEDGER))),
        (too_early, "opens-at", ((*UP, *STEP), (*PREVIEW, *WITHOUT_THE_LEDGER), (*UP, *ALL_BUT_THE_LEDGER))),
        (outside_the_window, "window", ((*PREVIEW, *RECORD), (*PREVIEW, *ALL_BUT_THE_LEDGER), (*UP, *RECORD))),
    ],
    ids=["edit of current", "too early", "outside the window"],
)
def test_nothing_gets_round_it(
    at: At, mistake: Callable[[Play], None], rule: str, commands: tuple[tuple[str, ...], ...]
) -> None:
    play = at("prepared")
    mistake(play)
    before = held(play)

    for command, *options in commands:
        outcome = play.engine.run(STACK, command, *options)
        assert outcome.code != 0, (command, options)
        assert re.findall(r"^ +rule: +(.+)$", "\n".join(outcome.events.errors), re.MULTILINE) == [rule]
        assert outcome.events.changes == ()
    assert held(play) == before
