"""Beginning and ending a practice."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

from runbook.cli.codes import Code
from runbook.cli.errors import CliError
from runbook.cli.place import ENGINE, ROOT
from runbook.cli.practice.asking import STOP, Unanswered, ask, gone, silent
from runbook.cli.practice.ground import Ground, Held
from runbook.cli.running import left_behind
from runbook.rehearsal.child import kept

NEEDED_BYTES = 50_000_000  # one stack was seen to take 15 MB, and the engine tries for minutes on a full disk
ANSWERS_WITHIN = 30.0  # seconds from its start; the SDKs are imported in it
ENDS_WITHIN = 60.0  # seconds; the engine finishes its running step
_TICK = 0.2


def begin(ground: Ground, stack: str) -> bool:
    """Start the process of a practice of this stack; False when one of this stack is there already.

    Raises: CliError when another stack is practised in this checkout, or nothing can be started.
    """
    _check(ground, stack)
    try:
        lock = ground.hold()
    except Held:
        return _same(ground, stack)
    try:
        _end_leftovers(ground)
        _clear(ground)
        _spawn(ground, stack, lock)
    except OSError as error:
        raise CliError(
            f"The practice could not be started ({error}).", "Mend that and run the same command again."
        ) from None
    finally:
        os.close(lock)
    return True


def _check(ground: Ground, stack: str) -> None:
    from runbook.rehearsal import stack_files
    from runbook.rehearsal.problems import RehearsalError

    if not (ENGINE / "pulumi").exists():
        raise CliError("The Pulumi CLI is not there (.venv/engine).", "Run `make setup` and try again.")
    try:
        file = stack_files.load(ROOT, stack)
    except RehearsalError as error:
        raise CliError(str(error), "", Code.USAGE) from None
    if file.platform is None:
        platform = file.config.get("platform")
        raise CliError(
            f"Pulumi.{stack}.yaml names the platform {platform}, which is not known.", "Mend it there.", Code.USAGE
        )
    ground.folder.parent.mkdir(parents=True, exist_ok=True)
    if shutil.disk_usage(ground.folder.parent).free < NEEDED_BYTES:
        raise CliError("The disk is full: a practice needs some 50 MB.", "Make room and run the same command again.")


def _same(ground: Ground, stack: str) -> bool:
    """Never True: a practice is there already. Raises: CliError when it is one of another stack."""
    for _ in range(int(ANSWERS_WITHIN / _TICK)):
        note = ground.note()
        if note or not ground.running:
            break
        time.sleep(_TICK)
    if note and note["stack"] != stack:
        raise CliError(
            f"A practice of {note['stack']} is up in this checkout (process {ground.pid}, since {note['began']}), "
            "and there is one per checkout.",
            f"Go on with it, or end it first: {STOP}",
            Code.USAGE,
        )
    return False


def _clear(ground: Ground) -> None:
    """Remove what an earlier practice left; the lock that is held stays where others look for it."""
    for path in (*ground.folder.iterdir(), *ground.inner.iterdir()):
        if path in (ground.inner, ground.pid_file):
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def _end_leftovers(ground: Ground) -> None:
    """What an engine that was killed has left would go on writing where the next one works, or stay for ever: itself
    where its caller alone was killed, and its plugins. A number alone proves nothing: it may be another's by now."""
    leaders = {int(found["pid"]) for logs in ground.logs.glob("*") if (found := left_behind(logs))}
    with contextlib.suppress(OSError, ValueError):
        leaders.add(int(ground.engine_pid.read_text()))
    shown = subprocess.run(["ps", "-Aww", "-o", "pid=,command="], capture_output=True, text=True, check=False).stdout
    for line in shown.splitlines() if leaders else ():
        pid, _, command = line.strip().partition(" ")
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if str(ground.checkout) in command and os.getsid(int(pid)) in leaders:
                os.kill(int(pid), signal.SIGKILL)


def _spawn(ground: Ground, stack: str, lock: int) -> None:
    """A process in a session of its own, which no closed terminal ends; it inherits the lock."""
    with open(os.open(ground.log, os.O_WRONLY | os.O_CREAT, 0o600), "wb") as log:
        subprocess.Popen(
            [sys.executable, "-m", "runbook.cli.practice.daemon", str(ground.folder), stack, str(lock)],
            cwd=ROOT,
            env=kept(),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=(lock,),
            start_new_session=True,
        )


def following(ground: Ground) -> Iterator[dict[str, Any]]:
    """How the practice that was begun stands, several times a second, until it is ready.

    Raises: CliError when it ends before that, or never answers.
    """
    patience = time.monotonic() + ANSWERS_WITHIN
    while True:
        try:
            found = ask(ground, "status")
            patience = time.monotonic() + ANSWERS_WITHIN
            yield found
            if found["stage"] == "ready":
                return
        except Unanswered:
            if not ground.running:
                raise _failed(ground) from None
            if time.monotonic() > patience:
                raise silent(ground) from None
        time.sleep(_TICK)


def _failed(ground: Ground) -> CliError:
    if ground.ended() or not ground.inner.exists():
        return gone(ground)
    return CliError(
        "The practice ended while it was being made.", f"{ground.shown(ground.log)} may say why; {STOP} clears it up."
    )


def end(ground: Ground) -> bool:
    """End the practice and remove what it made; False when nothing was there.

    Raises: CliError when an update still runs on it, or it does not end.
    """
    there = ground.folder.exists()
    if ground.running:
        _refuse_while_busy(ground)
        with ground.watched() as ended:
            _tell(ground, ended)
    if ground.folder.exists():
        lock = ground.hold()  # so that nobody begins one meanwhile
        _end_leftovers(ground)
        ground.clear()
        os.close(lock)
    return there


def _tell(ground: Ground, ended: Callable[[], bool]) -> None:
    number = ground.pid
    try:
        ask(ground, "stop")
    except Unanswered:
        _signal(ground, signal.SIGTERM)
    if not _within(ENDS_WITHIN, ended):
        _signal(ground, signal.SIGKILL)
        if not _within(ENDS_WITHIN, ended):
            raise CliError(f"The practice (process {number}) does not end.", f"Try: kill -9 {number}")


def _refuse_while_busy(ground: Ground) -> None:
    note = ground.note() or {}
    busy = left_behind(ground.logs / note.get("stack", ""))
    if busy and busy["alive"]:
        raise CliError(
            f"`pulumi {busy['command']}` still runs on the practice ground (process {busy['pid']}).",
            f"Wait for it, or end it with Ctrl-C where it runs (kill -INT {busy['pid']}), then {STOP}",
            Code.LOCKED,
        )


def _signal(ground: Ground, number: signal.Signals) -> None:
    """Only while it holds the lock is the number really its."""
    if ground.running and ground.pid:
        with contextlib.suppress(ProcessLookupError):
            os.kill(ground.pid, number)


def _within(seconds: float, happened: Callable[[], bool]) -> bool:
    until = time.monotonic() + seconds
    while not happened():
        if time.monotonic() > until:
            return False
        time.sleep(_TICK)
    return True
