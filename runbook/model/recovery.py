"""What a runbook asks of a way back beside traffic, as a type."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Recovery:
    """What the runbook asks of a way back beside traffic: Supabase functions to deploy again, the command that
    reverts a migration (shown, never run), whom to call outside and what they want to know."""

    functions: tuple[str, ...] = ()
    revert: str = ""
    support: tuple[str, ...] = ()


NOTHING_ELSE = Recovery()
