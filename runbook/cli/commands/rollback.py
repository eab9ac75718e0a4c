"""`rollback`: traffic goes back at once; who and why is asked afterwards."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from runbook.cli.options import Excludes, Json, Practice, Stack, Targets

if TYPE_CHECKING:
    from runbook.cli.errors import CliError
    from runbook.cli.out import Out
    from runbook.cli.stack import Here

To = Annotated[str | None, typer.Option("--to", help="Restore the stack file of this crossing.", metavar="CROSSING")]
By = Annotated[str | None, typer.Option("--by", help="The signature: who answers for it.", metavar="NAME")]
Why = Annotated[str | None, typer.Option("--why", help="The signature: why it was done.", metavar="REASON")]


def command(
    to: To = None,
    stack: Stack = None,
    practice: Practice = False,
    json: Json = False,
    by: By = None,
    why: Why = None,
    target: Targets = None,
    exclude: Excludes = None,
) -> None:
    """Return traffic at once: no hash, window, freeze or second person is in its way."""
    from runbook.cli.codes import Code
    from runbook.cli.errors import CliError
    from runbook.cli.following import after_update
    from runbook.cli.out import Out
    from runbook.cli.stack import Here
    from runbook.cli.updating import update

    out, here = Out(json), Here.of(stack, practice)
    if target or exclude:
        out.fail("A way back leaves nothing out.", "Run it without --target and --exclude.", Code.REFUSED)
    again = here.command(f"rollback --to {to}" if to else "rollback")
    if lock := here.engine.lock():
        raise lock.error(here.freeing, again)
    before = here.file.read_text(encoding="utf-8")
    try:
        found = _earlier(out, here, to) if to else _back(out, here, before)
        if found is None:
            _data(out, here)
            return
        lines = _written(out, here, before, *found)
        # Without it the engine begins nothing after a failure: one vendor that is down would keep others from it.
        done = update(here, out, again, "way-back", ("--continue-on-error",))
    except CliError as error:
        error.details = "\n\n".join(filter(None, [error.details, _page(here, error)]))
        raise
    what = f"crossing {done.tag} is complete" if done.tag else "nothing had to move"
    out.say(f"{here.stack}: {len(done.changes)} resources changed; {what}.", "bold")
    signed = _signature(out, here, done.tag, by, why) if done.tag else ""
    for line in after_update(here, done.tag):
        out.say(line)
    _data(out, here, done.tag, len(done.changes), lines, signed)


def _page(here: Here, error: CliError) -> str:
    """Where the way back stands that needs neither the engine nor its state; "" where nothing is wrong with those."""
    from runbook.cli.codes import Code

    page = here.out / "way-back" / f"{here.title}.md"
    where = here.shown(page) if page.is_file() else here.command("way-back")
    return f"The way back that needs no Pulumi: {where}" if error.code is Code.FAILED else ""


def _data(out: Out, here: Here, tag: str = "", changed: int = 0, lines: Sequence[str] = (), signed: str = "") -> None:
    diff = [line.rstrip("\n") for line in lines]
    out.data({"stack": here.stack, "crossing": tag, "changed": changed, "diff": diff, "signature": signed})


def _back(out: Out, here: Here, text: str) -> tuple[str, str] | None:
    """The file that goes back and where it is from; None where there is nothing to go back from."""
    from runbook.cli import edits, returning
    from runbook.cli.errors import CliError
    from runbook.model.cutover.phases import Phase

    try:
        _ = here.memory
    except CliError as error:  # going back does not wait for what it can do without
        try:
            wanted = edits.with_phase(text, Phase.ROLLED_BACK, here.file.name)
        except CliError:
            raise error from None
        out.note(f"The state could not be read, and the way back goes on. {error.text}", "yellow")
        return wanted, ""
    if nothing := returning.nothing_to_leave(here):
        out.say(nothing)
        out.say(f"Where it stands: {here.command('status')}")
        return None
    return returning.returning(here, text)


def _earlier(out: Out, here: Here, tag: str) -> tuple[str, str]:
    """The stack file of an earlier crossing. Raises: CliError where it would be a crossing forward."""
    from runbook.cli import earlier
    from runbook.cli.codes import Code
    from runbook.cli.returning import flipping
    from runbook.model.cutover.ledger import Change, change

    text, said = earlier.stack_file(here, tag)
    kind = change(earlier.settings_of(text, here.file.name), here.memory.ledger)
    if kind is not Change.BACK and (kind is not Change.NONE or flipping(here)):
        out.fail(
            f"The stack file of {tag} asks for something that is no way back from what serves now.",
            f"A crossing forward is planned and approved: restore the file, then {here.command('plan')}",
            Code.REFUSED,
        )
    return text, said


def _written(out: Out, here: Here, before: str, wanted: str, said: str) -> list[str]:
    """The diff of the stack file, once it is shown and written. `said`: where another file is from; what stood there
    is kept then, since nobody may have committed it."""
    from runbook.cli import edits

    lines = edits.diff(before, wanted, here.shown(here.file))
    if not lines:
        return lines
    if said:
        kept = here.engine.logs / f"{datetime.now(UTC):%Y%m%dT%H%M%S.%f}-{here.file.name}"
        kept.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        edits.write(kept, before)
        out.say(said)
        out.raw(f"What it held until now: {here.shown(kept)}")
    edits.write(here.file, wanted)
    out.diff(lines)
    return lines


def _signature(out: Out, here: Here, tag: str, by: str | None, why: str | None) -> str:
    """The name of the file that says who and why; "" where nobody could be asked."""
    from runbook.cli import evidence
    from runbook.cli.who import who

    person = who(os.environ)
    if by is None and why is None and sys.stdin.isatty() and sys.stderr.isatty() and not out.json:
        out.note(f"\nTraffic is back. Sign it: who answers for it, and why? (Return leaves it to {person.text}.)")
        try:
            by = typer.prompt("Who", default=person.name, err=True)
            why = typer.prompt("Why", default="", show_default=False, err=True)
        except (typer.Abort, OSError, KeyboardInterrupt):  # a terminal that is gone asks nobody
            by = why = None
    if why:
        file = evidence.sign(here, tag, by or person.name, why, person)
        out.say(f"Signed: {file}")
        return file
    out.say(f"Not signed yet: {here.command(f'evidence {tag} --by NAME --why REASON')}")
    return ""
