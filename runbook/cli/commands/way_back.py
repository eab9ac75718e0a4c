"""`way-back`: the page that needs no Pulumi."""

from __future__ import annotations

from runbook.cli.options import Json, Practice, Stack


def command(stack: Stack = None, practice: Practice = False, json: Json = False) -> None:
    """The way back with curl alone, for the stack as it is now; no secret stands in it."""
    from runbook.cli.out import Out
    from runbook.cli.paper import paper
    from runbook.cli.stack import Here

    out, here = Out(json), Here.of(stack, practice).begin()
    text, remarks = paper(here)
    for each in remarks:
        out.note(each, "yellow")
    out.raw(text.rstrip("\n"))
    out.data({"stack": here.stack, "page": text, "remarks": remarks})
