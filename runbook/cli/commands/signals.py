"""`signals`: whether every rule and panel has something to read."""

from __future__ import annotations

import typer

from runbook.cli.options import Json, Practice, Stack


def command(stack: Stack = None, practice: Practice = False, json: Json = False) -> None:
    """Run every query of rules and dashboards on the data sources, and list those without data."""
    from runbook.cli.codes import Code
    from runbook.cli.out import Out
    from runbook.cli.signals import look, show
    from runbook.cli.sources import doors
    from runbook.cli.stack import Here

    out, here = Out(json), Here.of(stack, practice)
    if here.place.practice:
        out.fail(
            "A practice has no data sources to ask.",
            "The proof of every rule on made-up data is `make alerts`; without --practice the real ones are asked.",
            Code.USAGE,
        )
    found = look(here.platform, here.settings, doors(here.settings))
    show(out, here.stack, here.platform, found)
    out.data({"stack": here.stack, **found.as_json()})
    if not found.well:
        raise typer.Exit(Code.FAILED.value)
