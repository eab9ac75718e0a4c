"""Practice: the stand-in clouds as a process of its own, on which every command works with --practice."""

from __future__ import annotations

from runbook.cli.place import Place


def place() -> Place:
    """Where commands work in practice; says on stderr that it is no production. What was edited since the last
    command counts as merged.

    Raises: CliError when no practice is up.
    """
    from runbook.cli.out import Out
    from runbook.cli.practice import history
    from runbook.cli.practice.asking import ready
    from runbook.cli.practice.ground import GROUND

    ready(GROUND)
    note = GROUND.note()
    assert note is not None  # it has just answered
    history.merge(GROUND.folder, "Edited")
    Out().note(f"practice: {note['stack']} on stand-in clouds. Nothing real is reached.", "magenta")
    return Place(GROUND.folder, GROUND.environment(note["clouds"]), practice=True, stack=note["stack"])
