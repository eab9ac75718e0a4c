"""What can go wrong in a rehearsal, said to people."""

from __future__ import annotations

import errno
import shutil
import sqlite3
from collections.abc import Sequence
from pathlib import Path

AGAIN = "run the same command again"
NEEDED_BYTES = 100_000_000  # two stacks and two plays were seen to take 53 MB
_NOTHING = 1_000_000
_FULL = "no space left on device"


class RehearsalError(Exception):
    """The rehearsal cannot go on, or did not come out as it must. The text is for people."""


class Stopped(Exception):
    """Somebody asked to stop, so no further command is started."""


def from_system(error: OSError | sqlite3.Error, folder: Path) -> RehearsalError:
    """What the system refused, or what the store of the clouds says of it, with the remedy. `folder`: where all is
    written, on whose disk nothing may be left."""
    if getattr(error, "errno", 0) in (errno.ENOSPC, errno.EDQUOT) or no_room(folder):
        return disk_full()
    if isinstance(error, sqlite3.Error):
        return RehearsalError(f"The store of the stand-in clouds cannot be used ({error}): mend that and {AGAIN}.")
    what = f"{error.filename}: {error.strerror}" if error.filename else str(error)
    return RehearsalError(f"The system refused something that the rehearsal needs ({what}): mend that and {AGAIN}.")


def disk_full() -> RehearsalError:
    needed = f"{NEEDED_BYTES // 1_000_000} MB"
    return RehearsalError(f"The disk is full, and the rehearsal needs some {needed}: make room and {AGAIN}.")


def no_room(folder: Path) -> bool:
    """Whether so little is left that something has just failed for it: neither the engine nor the store always says
    so (seen, 3.258)."""
    there = next(each for each in (folder, *folder.parents) if each.exists())
    return shutil.disk_usage(there).free < _NOTHING


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
