"""An update and its end: what is said while it runs, and what to do when it failed or was stopped."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runbook.cli import locks
from runbook.cli.codes import Code
from runbook.cli.errors import CliError
from runbook.cli.planning import failure, without_traceback
from runbook.cli.progress import stepping
from runbook.cli.running import Ran
from runbook.cli.stack import Here
from runbook.cli.titles import Titled, titles

if TYPE_CHECKING:
    from runbook.cli.out import Out
    from runbook.model.plans.operation import Plan


def update(here: Here, out: Out, again: str, tag: str, options: tuple[str, ...] = ()) -> Plan:
    """`pulumi up`, to its end. `again`: the command that goes on; `tag`: the crossing that this is, "" for none.

    Raises: CliError when it failed or was stopped."""
    from runbook.model.plans.operation import plan_of

    titled = titles(tag)
    with stepping(out, titled) as steps:
        ran = here.engine.up(*options, on_event=steps.event, stopping=steps.stopping)
    done = plan_of(ran.events)
    if ran.code == 0:
        for warning in warnings(ran):
            out.note(warning, "yellow")
        return done
    crossing = f"Crossing {done.tag} is begun and not complete." if done.tag else "What was done stays done."
    ways = [f"Go on: {again}"]
    if "flip" in done.tag:
        ways.append(f"Go back: {here.command('rollback')}")
    ways.append(f"Where it stands: {here.command('status')}")
    after = "\n".join(
        [*([without_traceback(done.refused)] if done.refused and not ran.interrupted else []), crossing, *ways]
    )
    log = f"Its log: {here.shown(ran.log)}."
    if ran.interrupted:
        held = here.engine.lock()
        free = ", and no lock is held" if locks.seen(here.engine.backend) else ""
        lock = f" {held.text}." if held else f" Nothing of it runs any more{free}."
        raise CliError(f"The update of {here.stack} was stopped by Ctrl-C.{lock}", log, Code.INTERRUPTED, after)
    error = failure(here, ran, done.refused, again)
    if error.code is not Code.FAILED or not ran.events:
        raise error
    failed = ", ".join(_failed(ran, titled))
    raise CliError(f"The update of {here.stack} failed{f' at {failed}' if failed else ''}.", log, Code.FAILED, after)


def _failed(ran: Ran, titled: Titled) -> list[str]:
    """Titles of what failed, each once."""
    found = (each["resOpFailedEvent"] for each in ran.events if "resOpFailedEvent" in each)
    return list(dict.fromkeys(str(title) for each in found if (title := titled(each))))


def warnings(ran: Ran) -> list[str]:
    """What the program told that may not go unread, each once."""
    said = (each["diagnosticEvent"] for each in ran.events if "diagnosticEvent" in each)
    return list(dict.fromkeys(each["message"].strip() for each in said if each["severity"] == "warning"))
