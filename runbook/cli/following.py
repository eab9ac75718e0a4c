"""What comes after a command: the next one, so that nobody has to look it up at night."""

from __future__ import annotations

from runbook.cli.stack import Here


def after_update(here: Here, tag: str) -> list[str]:
    """Lines for the end of an update. They are made of the stack file alone: nothing is asked again."""
    from runbook.cli.edits import phase_of

    phase = phase_of(here.file.read_text(encoding="utf-8"), here.file.name)
    status, rollback = here.command("status"), here.command("rollback")
    lines = {
        "prepared": [f"When the flip opens: {status}"],
        "flipped": [f"How it goes: {status}", f"Back at once: {rollback}"],
        "settled": [f"Make next the new current: {here.command('phase steady')}", f"Back at once: {rollback}"],
        "rolled-back": [f"When the cause is known: {here.command('phase steady')}"],
    }.get(phase, [f"Where it stands: {status}"])
    return [*lines, *([f"Its record: {here.command(f'evidence {tag}')}"] if tag else [])]
