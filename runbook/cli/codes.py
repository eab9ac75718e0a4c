"""The exit codes of every command. They are a contract with scripts and CI."""

from __future__ import annotations

from enum import IntEnum


class Code(IntEnum):
    """How a command ended; `meaning` is the row of docs/cli.md."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    REFUSED = 3
    OTHER_PLAN = 4
    DRIFT = 5
    LOCKED = 6
    INTERRUPTED = 130

    @property
    def meaning(self) -> str:
        return _MEANINGS[self]


_MEANINGS = {
    Code.DONE: "done, or nothing to do",
    Code.FAILED: "failed; the text says what and where the log is",
    Code.USAGE: "wrong usage: an unknown option, stack or file",
    Code.REFUSED: "refused by a rule of the program or of the plan; nothing was changed",
    Code.OTHER_PLAN: "the plan is no longer the approved one; nothing was changed",
    Code.DRIFT: "somebody changed what the program declares",
    Code.LOCKED: "somebody else holds Pulumi's lock; nothing was changed",
    Code.INTERRUPTED: "interrupted by Ctrl-C or SIGTERM; the text says what to do next",
}


def table() -> str:
    """The codes as a Markdown table, for docs/cli.md."""
    rows = [f"| {code.value} | {code.meaning} |" for code in Code]
    return "\n".join(["| code | meaning |", "|---|---|", *rows])
