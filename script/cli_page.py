"""The parts of docs/cli.md that the command line itself gives: its commands and its exit codes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import typer

from runbook.cli import codes
from runbook.cli.app import build

HELD_BACK = {"--stack", "--practice", "--json", "--help"}  # every command has them


def filled(text: str) -> str:
    """The page with both parts as they are now."""
    for name, part in {"commands": commands(), "codes": codes.table()}.items():
        before, begin, rest = text.partition(f"<!-- {name} -->\n")
        _, end, after = rest.partition(f"<!-- /{name} -->")
        assert begin, f"docs/cli.md has no place for {name}"
        assert end, f"docs/cli.md has no end of {name}"
        text = f"{before}{begin}{part}\n{end}{after}"
    return text


def commands() -> str:
    """A Markdown table of every command, in the order of the help."""
    rows = [f"| `{usage}` | {help} |" for usage, help in _commands("./cutover", typer.main.get_command(build()))]
    return "\n".join(["| command | what it does |", "|---|---|", *rows])


def _commands(prefix: str, command: Any) -> Iterator[tuple[str, str]]:
    inner: Mapping[str, Any] = getattr(command, "commands", {})
    for name, each in inner.items():
        if hasattr(each, "commands"):
            yield from _commands(f"{prefix} {name}", each)
        else:
            yield " ".join([f"{prefix} {name}", *_parameters(each)]), str(each.help).strip().partition("\n\n")[0]


def _parameters(command: Any) -> Iterator[str]:
    for each in command.params:
        names = [name for name in each.opts if name.startswith("--")]
        if names and names[0] not in HELD_BACK and not each.hidden:
            value = "" if each.is_flag else f" {each.metavar or each.name.upper()}"
            yield f"{names[0]}{value}" if each.required else f"[{names[0]}{value}]"
        elif each.param_type_name == "argument":
            name = each.metavar or each.name.upper()
            yield name if each.required else f"[{name}]"
