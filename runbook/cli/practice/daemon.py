"""The practice ground's process: `python -m runbook.cli.practice.daemon FOLDER STACK LOCK`, LOCK being an open file
that holds the ground. Begun by `./cutover practice start`; it ends when it is told to, after an hour in which nobody
asked for anything, or when its folder is removed, and leaves nothing behind."""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from runbook.cli.errors import CliError
from runbook.cli.place import ROOT
from runbook.cli.practice.answering import Port
from runbook.cli.practice.asking import START
from runbook.cli.practice.ground import Ground
from runbook.cli.practice.making import Making
from runbook.cli.practice.playing import Playing
from runbook.rehearsal import stack_files
from runbook.rehearsal.clouds import CloudError, Clouds, Store
from runbook.rehearsal.problems import RehearsalError

IDLE = 3600.0  # seconds
LOOK = 1.0  # seconds between two looks at whether it is time to end


class Quiet:
    """How long nobody has asked for anything: neither a command nor, of the clouds, the engine or a step."""

    def __init__(self, store: Store, now: Callable[[], float] = time.monotonic) -> None:
        self._store, self._now = store, now
        self._calls, self._last = 0, now()

    def asked(self) -> None:
        self._last = self._now()

    def seconds(self) -> float:
        calls = self._store.calls().total()
        if calls != self._calls:
            self._calls = calls
            self.asked()
        return self._now() - self._last


class Daemon:
    """One practice, from `serve` to its end."""

    def __init__(self, ground: Ground, stack: str, lock: int) -> None:
        self.ground, self.stack, self._lock = ground, stack, lock
        self.over = threading.Event()
        self._failed: CliError | None = None
        self._idle = False

    def serve(self) -> None:
        """Returns at the end. Raises: CliError when the practice could not be made."""
        file = stack_files.load(ROOT, self.stack)
        with Clouds(self.ground.store, zones=[str(file.config.get("zone"))]) as clouds:
            making = Making(self.ground, file, clouds)
            quiet = Quiet(clouds.store)
            playing = Playing(making, quiet.asked, self.over.set)
            with contextlib.closing(Port(playing.answers())) as port:
                self._note(port, clouds)
                maker = threading.Thread(target=self._make, args=(making, playing))
                maker.start()
                self._wait(quiet)
                making.interrupt()
                maker.join()
        if self._failed:
            raise self._failed

    def _note(self, port: Port, clouds: Clouds) -> None:
        began = datetime.now(UTC).isoformat(timespec="seconds")
        self.ground.write_note(
            {"stack": self.stack, "began": began, "port": port.number, "token": port.token, "clouds": clouds.env()}
        )

    def _make(self, making: Making, playing: Playing) -> None:
        try:
            making.make()
            playing.begin()
        except Exception as error:
            self._failed = told(error)
            self.over.set()

    def _wait(self, quiet: Quiet) -> None:
        while not self.over.wait(LOOK):
            self._idle = quiet.seconds() > IDLE
            if self._idle or not self.ground.is_ours(self._lock):
                return

    def end(self) -> None:
        """Leave nothing behind, or no more than a sentence for whoever comes back to a practice that is gone."""
        if not self.ground.is_ours(self._lock):
            return
        if not self._idle:
            self.ground.clear()
            return
        self.ground.clear()
        self.ground.inner.mkdir(parents=True)
        at = f"{datetime.now():%Y-%m-%d %H:%M}"
        minutes = f"{IDLE / 60:.0f} minutes"
        self.ground.write_ended(f"The practice ended by itself at {at}, after {minutes} without a command.", _AGAIN)


_AGAIN = f"Begin a new one: {START}"


def told(error: Exception) -> CliError:
    """What broke while the ground was made, with a remedy."""
    if isinstance(error, CliError):
        return error
    if isinstance(error, RehearsalError | CloudError):
        return CliError(str(error), _AGAIN)
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return CliError("The disk is full, and a practice needs some 50 MB.", f"Make room and begin again: {START}")
    if isinstance(error, OSError | RuntimeError):  # gRPC raises the latter where it cannot listen
        return CliError(f"The system refused something that a practice needs ({error}).", f"Mend that, then: {START}")
    traceback.print_exception(error)
    return CliError(
        f"The practice met something that this program did not expect ({type(error).__name__}).",
        "Its log in out/practice/ground/log.txt says where.",
    )


def main(folder: str, stack: str, lock: str) -> int:
    ground, held = Ground(Path(folder)), int(lock)
    os.ftruncate(held, 0)
    os.pwrite(held, str(os.getpid()).encode(), 0)
    daemon = Daemon(ground, stack, held)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: daemon.over.set())
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        daemon.serve()
    except Exception as error:
        failed = told(error)
        said = f"{failed.sentence}\n\n{failed.details}" if failed.details else failed.sentence
        with contextlib.suppress(OSError):  # a full disk; whoever waits then finds it ended without a word
            ground.write_ended(said, failed.remedy)
        return 1
    daemon.end()
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
