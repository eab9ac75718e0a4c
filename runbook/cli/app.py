"""All commands. A command's module imports nothing heavy at its top: `--help` and a slip of the pen are answered at
once."""

from __future__ import annotations

import importlib

import typer

HELP = "What would happen, may I, when, and how do I get back: the questions of a cutover's night."
NEW_HERE = "New here? Begin with ./cutover practice start: it reaches nothing real, and each command names the next."

# In the order of the help, each with its line there: a module in runbook/cli/commands/ with a function `command`.
COMMANDS = {
    "status": "Phase, what serves, when the flip opens, how long back.",
    "phase": "Write another phase into the stack file.",
    "plan": "What would happen, and the hash that an approval is bound to.",
    "apply": "Do exactly what was approved.",
    "rollback": "Return traffic at once.",
    "drift": "What somebody changed by hand; exit code 5 for cron.",
    "evidence": "The record of a crossing.",
    "way-back": "The page that needs no Pulumi.",
    "runbook": "The runbook for the stack as it is now.",
    "signals": "Which queries of rules and dashboards find no data.",
}
# Commands of commands: name to its line, and the module whose `app` has them.
GROUPS = {"practice": ("Stand-in clouds to try every command on.", "runbook.cli.practice.app")}


def build() -> typer.Typer:
    """The application."""
    app = typer.Typer(
        name="cutover",
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )
    app.callback(help=HELP, epilog=NEW_HERE)(_group)
    for name, line in COMMANDS.items():
        module = importlib.import_module(f"runbook.cli.commands.{name.replace('-', '_')}")
        app.command(name, short_help=line)(module.command)
    for name, (line, path) in GROUPS.items():
        app.add_typer(importlib.import_module(path).app, name=name, short_help=line)
    return app


def _group() -> None:
    """Makes it a group of commands, however few there are."""
