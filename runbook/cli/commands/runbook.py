"""`runbook`: the operations runbook for the stack as it is now."""

from __future__ import annotations

from runbook.cli.options import Json, Practice, Stack


def command(stack: Stack = None, practice: Practice = False, json: Json = False) -> None:
    """The operations runbook for the stack as it is now, with live values and the exact commands."""
    from runbook.cli.manual import manual
    from runbook.cli.out import Out
    from runbook.cli.stack import Here

    out, here = Out(json), Here.of(stack, practice)
    text, unseen = manual(here)
    out.raw(text.rstrip("\n"))
    out.data({"stack": here.stack, "page": text, "unseen": unseen})
