"""What can go wrong in a rehearsal, said to people."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Sequence
from pathlib import Path

AGAIN = "run the same command again"
NEEDED_BYTES = 100_000_000  # two stacks and two plays were seen to take 53 MB
_FULL = "no space left on device"


class RehearsalError(Exception):
    """The rehearsal cannot go on, or did not come out as it must. The text is for people."""


class Stopped(Exception):
    """Somebody asked to stop, so no further command is started."""


def from_system(error: OSError) -> RehearsalError:
    """What the system refused, with the remedy."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return disk_full()
    what = f"{error.filename}: {error.strerror}" if error.filename else str(error)
    return RehearsalError(f"The system refused something that the rehearsal needs ({what}): mend that and {AGAIN}.")


def disk_full() -> RehearsalError:
    needed = f"{NEEDED_BYTES // 1_000_000} MB"
    return RehearsalError(f"The disk is full, and the rehearsal needs some {needed}: make room and {AGAIN}.")


def check_disk(folder: Path) -> None:
    """Raises RehearsalError when there is too little room. On a full disk the engine tries again for minutes."""
    if shutil.disk_usage(folder).free < NEEDED_BYTES:
        raise disk_full()


def refused(stack: str, command: str, errors: Sequence[str], log: Path) -> RehearsalError:
    """A command that failed, with what the engine, the program or a cloud said."""
    if any(_FULL in error for error in errors):
        return disk_full()
    said = "\n\n".join(errors) or f"It said nothing that was marked as an error; see {near(log)}."
    return RehearsalError(f"`pulumi {command}` of {stack} failed; its whole output is in {near(log)}.\n\n{said}")


def near(path: Path) -> str:
    """A path as it is written from where the reader stands."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)
