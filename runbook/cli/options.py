"""Options that commands share."""

from __future__ import annotations

from typing import Annotated

import typer

Stack = Annotated[
    str | None,
    typer.Option("--stack", "-s", envvar="PULUMI_STACK", help="The stack, such as prod.", show_default=False),
]
Practice = Annotated[bool, typer.Option("--practice", help="On stand-in clouds, see `practice`.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON object on stdout, for programs.")]
Markdown = Annotated[bool, typer.Option("--markdown", help="Markdown, for a comment.")]
Targets = Annotated[list[str] | None, typer.Option("--target", help="Only this resource; refused in a crossing.")]
Excludes = Annotated[list[str] | None, typer.Option("--exclude", help="Not this resource; refused in a crossing.")]
Refresh = Annotated[bool, typer.Option("--refresh", help="Look at the clouds first, to undo what `drift` found.")]
