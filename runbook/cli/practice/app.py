"""`./cutover practice`: a ground on which every command can be tried, and nothing real is reached."""

from __future__ import annotations

from typing import Annotated

import typer

from runbook.cli.options import Json

app = typer.Typer(
    help="Stand-in clouds on this machine, to try every command on with --practice.",
    rich_markup_mode=None,
)
Stack = Annotated[str, typer.Option("--stack", "-s", help="The stack whose file is copied.")]


@app.command()
def start(stack: Stack = "prod", json: Json = False) -> None:
    """Begin a practice: a stack is brought up on stand-in clouds. They run in the background."""
    from runbook.cli.practice import telling

    telling.start(stack, json)


@app.command()
def status(json: Json = False) -> None:
    """Whether a practice is up, its clock, what is broken."""
    from runbook.cli.practice import telling

    telling.status(json)


@app.command()
def stop(json: Json = False) -> None:
    """End the practice and remove all that it made."""
    from runbook.cli.practice import telling

    telling.stop(json)


@app.command()
def reset(json: Json = False) -> None:
    """End the practice and begin one anew, of the same stack."""
    from runbook.cli.practice import telling

    telling.reset(json)


@app.command()
def clock(
    to: Annotated[str, typer.Argument(help="+2h, +90m, +1d; or opens, window, soak: when that is over or begins.")],
    json: Json = False,
) -> None:
    """Move the practice clock forward."""
    from runbook.cli.practice import moving

    moving.clock(to, json)


@app.command()
def release(app: Annotated[str, typer.Argument(help="An app at Vercel.")], json: Json = False) -> None:
    """Release an app by Vercel's own tools, outside the program."""
    from runbook.cli.practice import telling

    telling.release(app, json)


@app.command(name="break")
def break_(what: Annotated[str, typer.Argument(help="login, certificate, ...")], json: Json = False) -> None:
    """Break something on purpose. See what the program says, and practise the way back."""
    from runbook.cli.practice import telling

    telling.break_(what, json)


@app.command()
def mend(
    what: Annotated[str, typer.Argument(help="What was broken; without it all.")] = "", json: Json = False
) -> None:
    """Mend what was broken."""
    from runbook.cli.practice import telling

    telling.mend(what, json)
