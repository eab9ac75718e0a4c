"""All commands. A command's module imports nothing heavy at its top: `--help` and a slip of the pen are answered at
once."""

from __future__ import annotations

import importlib

import typer

HELP = "What would happen, may I, when, and how do I get back: the questions of a cutover's night."

# In the order of the help; each is a module in runbook/cli/commands/ with a function `command`.
COMMANDS = ("status", "phase", "plan", "apply", "rollback", "drift", "evidence", "way-back", "runbook", "signals")
# Commands of commands: name to the module whose `app` has them.
GROUPS = {"practice": "runbook.cli.practice.app"}


def build() -> typer.Typer:
    """The application."""
    app = typer.Typer(
        name="cutover",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )
    app.callback(help=HELP)(_group)
    for name in COMMANDS:
        module = importlib.import_module(f"runbook.cli.commands.{name.replace('-', '_')}")
        app.command(name)(module.command)
    for name, path in GROUPS.items():
        app.add_typer(importlib.import_module(path).app, name=name)
    return app


def _group() -> None:
    """Makes it a group of commands, however few there are."""
