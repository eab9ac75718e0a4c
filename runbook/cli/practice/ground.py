"""The practice ground of a checkout: where its files are, and whether its process runs.

out/practice/ is a company's own checkout in small: Pulumi.yaml, the stack file, the program (linked), and out/ for
evidence and pages. out/practice/ground/ holds what a person need not see: state, stand-in clouds, passphrase.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runbook.cli.place import ENGINE, QUIET, ROOT
from runbook.rehearsal.child import kept

_TRIES = 20


class Held(Exception):
    """Another process holds the practice ground."""


@dataclass(frozen=True)
class Ground:
    """`folder` is where the engine works. There is one per checkout."""

    folder: Path

    @property
    def inner(self) -> Path:
        return self.folder / "ground"

    @property
    def pid_file(self) -> Path:
        """Locked by the process whose number it holds for as long as that lives: the number alone proves nothing,
        since the system gives it to others later."""
        return self.inner / "pid"

    @property
    def store(self) -> Path:
        return self.inner / "clouds.db"

    @property
    def passphrase(self) -> Path:
        return self.inner / "passphrase"

    @property
    def log(self) -> Path:
        """What the process had to say, which is nothing unless something broke."""
        return self.inner / "log.txt"

    @property
    def engine_log(self) -> Path:
        """What the engine said when the stack was brought up."""
        return self.inner / "up.txt"

    @property
    def engine_pid(self) -> Path:
        """The number of the engine that brings the stack up."""
        return self.inner / "engine.pid"

    @property
    def logs(self) -> Path:
        """What commands on the ground said, a folder for each stack."""
        return self.folder / "out" / "cutover"

    @property
    def checkout(self) -> Path:
        """The one that the ground is in."""
        return self.folder.parents[1]

    def shown(self, path: Path) -> str:
        """A path as it is written from the checkout."""
        return str(path.relative_to(self.checkout))

    def hold(self) -> int:
        """Take the lock: an open file, which holds it until the last process that has it closes it. Raises: Held"""
        for _ in range(_TRIES):
            self.inner.mkdir(mode=0o700, parents=True, exist_ok=True)
            file = os.open(self.pid_file, os.O_RDWR | os.O_CREAT, 0o600)
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(file)
                break
            if self.is_ours(file):
                return file
            os.close(file)  # whoever held it until now has removed the folder
        raise Held

    def is_ours(self, file: int) -> bool:
        """Whether the lock that was taken is still the one that others look at."""
        with contextlib.suppress(FileNotFoundError):
            return os.path.samestat(os.stat(self.pid_file), os.fstat(file))
        return False

    @property
    def running(self) -> bool:
        with self.watched() as ended:
            return not ended()

    @contextlib.contextmanager
    def watched(self) -> Iterator[Callable[[], bool]]:
        """Whether the process that holds the ground now has ended, also once it has removed the ground."""
        try:
            file = os.open(self.pid_file, os.O_RDONLY)
        except FileNotFoundError:
            yield lambda: True
            return

        def ended() -> bool:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            fcntl.flock(file, fcntl.LOCK_UN)
            return True

        try:
            yield ended
        finally:
            os.close(file)

    @property
    def pid(self) -> int:
        """The process that holds the ground, 0 when its number is not written yet."""
        with contextlib.suppress(OSError, ValueError):
            return int(self.pid_file.read_text())
        return 0

    def write_note(self, note: Mapping[str, Any]) -> None:
        """What the commands need to find the process: stack, began (ISO), port, token, clouds (environment)."""
        write_private(self.inner / "note.json", json.dumps(note))

    def note(self) -> dict[str, Any] | None:
        """None while there is none yet."""
        return _json(self.inner / "note.json")

    def write_ended(self, sentence: str, remedy: str) -> None:
        """Why there is a practice no more, for whoever comes next."""
        write_private(self.inner / "ended.json", json.dumps({"sentence": sentence, "remedy": remedy}))

    def ended(self) -> dict[str, str] | None:
        return _json(self.inner / "ended.json")

    def environment(self, clouds: Mapping[str, str]) -> dict[str, str]:
        """All of what the engine sees of an environment; `clouds` attaches it to the stand-ins."""
        seen = kept()
        return {
            **seen,
            **QUIET,
            **clouds,
            "PATH": os.pathsep.join([str(ENGINE), seen.get("PATH", os.defpath)]),
            "PULUMI_BACKEND_URL": (self.inner / "state").as_uri(),
            "PULUMI_HOME": str(self.inner / "home"),
            "PULUMI_CONFIG_PASSPHRASE_FILE": str(self.passphrase),
        }

    def clear(self) -> None:
        """Remove everything."""
        shutil.rmtree(self.folder, ignore_errors=True)


def write_private(path: Path, text: str) -> None:
    """Whole or not at all, and for the owner alone."""
    made = path.with_suffix(".new")
    with open(os.open(made, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    made.replace(path)


def _json(path: Path) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found


GROUND = Ground(ROOT / "out" / "practice")
