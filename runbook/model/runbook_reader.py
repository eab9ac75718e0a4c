"""For whom a runbook's page is made, and what is known of the stack while it is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Live:
    """What is so now, in words. `at`: when it was looked at; `phase`: the phase that the state has; `rows`: label and
    text; `opens`: when the flip opens and why, empty where no flip is ahead; `next`: the command that is likely
    next, or a sentence."""

    at: str
    phase: str
    rows: tuple[tuple[str, str], ...]
    opens: str = ""
    next: str = ""


@dataclass(frozen=True)
class Reader:
    """Whom the page is for. `stack`: the stack's name; `command`: words of a command to what is typed; `people`: what
    the company's runbook leaves to people."""

    stack: str
    command: Callable[[str], str]
    people: Sequence[str]

    @property
    def apply(self) -> str:
        return self.command("apply --plan HASH")


def reader(stack: str, people: Sequence[str]) -> Reader:
    """Who works in a checkout."""
    return Reader(stack, lambda words: f"./cutover {words} --stack {stack}", people)
