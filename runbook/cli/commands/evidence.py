"""`evidence`: the record of a crossing."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from runbook.cli.options import Json, Practice, Stack

Tag = Annotated[str | None, typer.Argument(help="Such as 1-flip; the latest without.", metavar="CROSSING")]
By = Annotated[str | None, typer.Option("--by", help="Sign it: who answers for it.", metavar="NAME")]
Why = Annotated[str | None, typer.Option("--why", help="Sign it: why it was done.", metavar="REASON")]


def command(
    crossing: Tag = None,
    stack: Stack = None,
    practice: Practice = False,
    json: Json = False,
    by: By = None,
    why: Why = None,
) -> None:
    """The record of a crossing as Markdown, or as JSON; with --by and --why it is signed."""
    from runbook.cli import evidence
    from runbook.cli.codes import Code
    from runbook.cli.out import Out
    from runbook.cli.stack import Here
    from runbook.cli.who import who

    out, here = Out(json), Here.of(stack, practice)
    if not (by and why) and (by is not None or why is not None):
        out.fail("A signature says who and why.", "Give both --by and --why.", Code.USAGE)
    record = evidence.load(here, crossing)
    if by and why:
        evidence.sign(here, str(record["crossing"]), by, why, who(os.environ))
        record = evidence.load(here, str(record["crossing"]))
    out.raw(evidence.markdown(record).rstrip("\n"))
    out.data(record)
