"""`phase`: the edit of a stack file that asks for another phase."""

from __future__ import annotations

from typing import Annotated

import typer

from runbook.cli.options import Json, Practice, Stack

To = Annotated[str, typer.Argument(help="steady, prepared, flipped, settled or rolled-back.", metavar="PHASE")]


def command(to: To, stack: Stack = None, practice: Practice = False, json: Json = False) -> None:
    """Write another phase into the stack file, and show the diff; nothing else happens."""
    from runbook.cli import edits
    from runbook.cli.codes import Code
    from runbook.cli.out import Out
    from runbook.cli.stack import Here
    from runbook.model.cutover.phases import Phase
    from runbook.model.problems import nearest

    out, here = Out(json), Here.of(stack, practice)
    if to not in list(Phase):
        near = nearest(to, list(Phase))
        out.fail(
            f"There is no phase {to}: the phases are {', '.join(Phase)}.",
            f"Did you mean {near}?" if near else "Name one of these.",
            Code.USAGE,
        )
    text, name = here.file.read_text(encoding="utf-8"), here.shown(here.file)
    was = edits.phase_of(text, name)
    if was == Phase.SETTLED and to == Phase.STEADY:
        new = edits.without_cutover(text, name)
    elif was == to:
        new = text
    else:
        new = edits.with_phase(text, to, name)
    lines = edits.diff(text, new, name)
    if lines:
        edits.write(here.file, new)
        out.diff(lines)
    else:
        out.say(f"{name} asks for {to} already.")
    out.raw(f"\nNothing has been changed but the file. Next: {here.command('plan')}")
    out.data({"stack": here.stack, "was": was, "phase": to, "diff": [line.rstrip("\n") for line in lines]})
