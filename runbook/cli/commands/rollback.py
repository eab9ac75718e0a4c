"""`rollback`: traffic goes back at once; who and why is asked afterwards."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from runbook.cli.options import Excludes, Json, Practice, Stack, Targets

if TYPE_CHECKING:
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
    from runbook.cli import edits
    from runbook.cli.codes import Code
    from runbook.cli.following import after_update
    from runbook.cli.out import Out
    from runbook.cli.stack import Here
    from runbook.cli.updating import update

    out, here = Out(json), Here.of(stack, practice)
    if target or exclude:
        out.fail("A way back leaves nothing out.", "Run it without --target and --exclude.", Code.REFUSED)
    again = here.command(f"rollback --to {to}" if to else "rollback")
    if lock := here.engine.lock():
        raise lock.error(here.stack, again)
    before = here.file.read_text(encoding="utf-8")
    wanted = _earlier(out, here, to) if to else _back(out, here, before)
    if wanted is None:
        out.data({"stack": here.stack, "changed": 0})
        return
    lines = edits.diff(before, wanted, here.file.name)
    if lines:
        edits.write(here.file, wanted)
        out.diff(lines)
    done = update(here, out, again, "way-back")
    what = f"crossing {done.tag} is complete" if done.tag else "nothing had to move"
    out.say(f"{here.stack}: {len(done.changes)} resources changed; {what}.", "bold")
    signed = _signature(out, here, done.tag, by, why) if done.tag else ""
    for line in after_update(here, done.tag):
        out.say(line)
    diff = [line.rstrip("\n") for line in lines]
    out.data(
        {"stack": here.stack, "crossing": done.tag, "changed": len(done.changes), "diff": diff, "signature": signed}
    )


def _back(out: Out, here: Here, text: str) -> str | None:
    """The file that asks for rolled-back; None where there is nothing to go back from."""
    from runbook.cli import edits
    from runbook.cli.errors import CliError
    from runbook.model.cutover.phases import Direction, Phase

    try:
        memory = here.memory
    except CliError as error:  # going back does not wait for what it can do without
        out.note(f"The state could not be read, and the way back goes on. {error.text}", "yellow")
        return edits.with_phase(text, Phase.ROLLED_BACK, here.file.name)
    ledger = memory.ledger
    going = memory.open and ledger is not None and ledger.direction is Direction.BACK
    if ledger is None or (ledger.before is None and not going):
        back = ledger is not None and ledger.phase is Phase.ROLLED_BACK
        where = f"is back since crossing {ledger.tag}" if ledger and back else "serves what it did before any flip"
        out.say(f"{here.stack} {where}: there is nothing to go back from.")
        out.say(f"Where it stands: {here.command('status')}")
        return None
    if edits.phase_of(text, here.file.name) in (Phase.STEADY, Phase.PREPARED):
        return text  # the file from before the flip is as good as the word
    return edits.with_phase(text, Phase.ROLLED_BACK, here.file.name)


def _earlier(out: Out, here: Here, tag: str) -> str:
    """The stack file of an earlier crossing. Raises: CliError where it would be a crossing forward."""
    from runbook.cli import earlier
    from runbook.cli.codes import Code
    from runbook.model.cutover.ledger import Change, change

    text, said = earlier.stack_file(here, tag)
    kind = change(earlier.settings_of(text, here.file.name), here.memory.ledger)
    if kind not in (Change.BACK, Change.NONE):
        out.fail(
            f"The stack file of {tag} asks for something that is no way back from what serves now.",
            f"A crossing forward is planned and approved: restore the file, then {here.command('plan')}.",
            Code.REFUSED,
        )
    out.say(said)
    return text


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
        except (typer.Abort, EOFError, KeyboardInterrupt):
            by = why = None
    if why:
        file = evidence.sign(here, tag, by or person.name, why, person)
        out.say(f"Signed: {file}")
        return file
    out.say(f"Not signed yet: {here.command(f'evidence {tag} --by NAME --why REASON')}")
    return ""
