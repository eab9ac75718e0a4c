"""`practice clock`: the time that commands work by, moved forward."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from runbook.cli.codes import Code
from runbook.cli.errors import CliError
from runbook.cli.out import Out
from runbook.cli.practice.asking import ask, ready
from runbook.cli.practice.ground import GROUND
from runbook.cli.practice.telling import MARK, STATUS, at, following_line

if TYPE_CHECKING:
    from runbook.cli.stack import Here

_SPAN = re.compile(r"\+?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?")
WORDS = ("opens", "window", "soak")
_SECOND = timedelta(seconds=1)  # so that a rule that asks for "later than" is met too


def clock(to: str, json: bool) -> None:
    """Raises: CliError for a time that is past, or cannot be said yet."""
    out = Out(json)
    found = ready(GROUND)
    now = datetime.fromisoformat(found["clock"])
    if to in WORDS:
        when = _when(to) + _SECOND
        found = ask(GROUND, "clock", to=when.isoformat()) if when > now else {**found, "moved": 0}
    else:
        found = ask(GROUND, "clock", by=span(to).total_seconds())
    if found["moved"]:
        out.say(f"{MARK} the clock was moved, and it is {at(found)}. For real you would have waited.")
    else:
        out.say(f"{MARK} it is past that already, and stays at {at(found)}.")
    following_line(out, STATUS)
    out.data({"clock": found["clock"], "moved": found["moved"]})


def span(text: str) -> timedelta:
    """From +2h, 90m, +1d12h. Raises: CliError"""
    found = _SPAN.fullmatch(text.strip())
    days, hours, minutes = (int(each or 0) for each in found.groups()) if found else (0, 0, 0)
    by = timedelta(days=days, hours=hours, minutes=minutes)
    if not by:
        raise CliError(
            f"{text} is no time that the clock can be moved by.",
            f"Write +2h, +90m or +1d, or one of {', '.join(WORDS)}.",
            Code.USAGE,
        )
    return by


def _when(word: str) -> datetime:
    """When that is. Raises: CliError while there is no such time."""
    from runbook.cli.practice import place
    from runbook.cli.stack import Here

    ground = place()
    here = Here(ground, ground.named(None)).begin()
    return {"opens": _opens, "window": _window, "soak": _soak}[word](here)


def _window(here: Here) -> datetime:
    cutover = here.settings.cutover
    if cutover is None:
        raise CliError("The stack file has no cutover, and so no window.", "Move it by a time: +2h.", Code.USAGE)
    if here.now >= cutover.window.closes:
        raise CliError(
            f"The window was until {cutover.window.end:%Y-%m-%d %H:%M} {cutover.window.zone}, which is past.",
            f"Write a later one in {GROUND.shown(here.file)}, or begin anew: ./cutover practice reset",
            Code.USAGE,
        )
    return cutover.window.opens.astimezone(UTC)


def _opens(here: Here) -> datetime:
    opening = here.decision.opening
    if opening is None or here.settings.cutover is None:
        raise CliError("No flip lies ahead.", "Move it by a time: +2h.", Code.USAGE)
    if opening.at is None:
        raise CliError(f"It cannot be said yet when the flip opens. {opening.why}", f"See {STATUS}", Code.USAGE)
    return opening.at


def _soak(here: Here) -> datetime:
    cutover, since = here.settings.cutover, here.memory.completed_at
    if cutover is None or since is None:
        raise CliError("Nothing soaks: no flip is complete.", "Move it by a time: +2h.", Code.USAGE)
    return since + max(cutover.soak, timedelta(seconds=here.observed.jwt_exp or 0))
