"""One run of the Pulumi CLI as a child that nothing which happens to this process's terminal can end.

The child is the leader of a session of its own, and writes into files: a Ctrl-C reaches it once and through here, a
closed terminal or a reader that went away does not reach it at all. (With the pipes of Pulumi's Automation API a
reader that dies takes a running `up` with it, and the lock stays: docs/decisions/0014.)
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Any

from runbook.rehearsal.child import end_session

OnEvent = Callable[[Mapping[str, Any]], None]
OnStop = Callable[[], None]
TICK = 0.1  # seconds between looks at the event log


@dataclass(frozen=True)
class Ran:
    """How a command of the engine ended. `events`: its event log, secrets in it are "[secret]"; `log`: the file with
    both of its streams; `interrupted`: somebody asked it to stop."""

    command: str
    code: int
    events: tuple[Mapping[str, Any], ...]
    log: Path
    interrupted: bool = False

    @property
    def output(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")


def run(
    command: Sequence[str], cwd: Path, environment: Mapping[str, str], log: Path, on_event: OnEvent, stopping: OnStop
) -> Ran:
    """Run to the end, whatever signals come. `log`: its name without ending gives the event log's, `.events.jsonl`.
    `stopping` is called once when an interrupt was passed on."""
    events = log.with_suffix(".events.jsonl")
    log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)  # a provider's refusal may show a secret
    with _interrupts(stopping) as interrupts:
        with log.open("wb") as output:
            child = subprocess.Popen(
                [*command, "--event-log", str(events)],
                cwd=cwd,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        interrupts.reach(child)
        with _noted(child, command, log):
            seen = list(_watched(child, events, on_event))
    if child.returncode:
        end_session(child.pid)
    return Ran(command[1], child.returncode, tuple(seen), log, interrupts.asked)


def _watched(child: subprocess.Popen[bytes], events: Path, on_event: OnEvent) -> Iterator[Mapping[str, Any]]:
    """The events as they come, until the child has ended and its log is read to the end."""
    while not events.exists():
        if child.poll() is not None and not events.exists():
            return
        time.sleep(TICK)
    with events.open(encoding="utf-8", errors="replace") as lines:
        rest = ""
        while True:
            ended = child.poll() is not None  # looked at before reading: what is written before the end is read
            for line in lines:
                rest += line
                if rest.endswith("\n"):
                    event = json.loads(rest)
                    rest = ""
                    with contextlib.suppress(Exception):  # a display that fails must not leave an `up` unwatched
                        on_event(event)
                    yield event
            if ended:
                return
            time.sleep(TICK)


class _Interrupts:
    """Passes one interrupt to the child. A second one would make the engine drop its running step and keep its lock,
    so there is none. One that comes before there is a child reaches it when there is."""

    def __init__(self, stopping: OnStop) -> None:
        self.asked = False
        self._stopping = stopping
        self._child: subprocess.Popen[bytes] | None = None

    def reach(self, child: subprocess.Popen[bytes]) -> None:
        self._child = child
        if self.asked:
            self._pass_on()

    def ask(self, _number: int, _frame: FrameType | None) -> None:
        if self.asked:
            return
        self.asked = True
        self._pass_on()
        with contextlib.suppress(Exception):
            self._stopping()

    def _pass_on(self) -> None:
        if self._child:
            with contextlib.suppress(ProcessLookupError):
                self._child.send_signal(signal.SIGINT)


@contextlib.contextmanager
def _interrupts(stopping: OnStop) -> Iterator[_Interrupts]:
    """Ctrl-C and SIGTERM go to the child. A closed terminal stops nothing: the rest is in the log."""
    made = _Interrupts(stopping)
    before = {number: signal.signal(number, made.ask) for number in (signal.SIGINT, signal.SIGTERM)}
    before[signal.SIGHUP] = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        yield made
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def _noted(child: subprocess.Popen[bytes], command: Sequence[str], log: Path) -> Iterator[None]:
    """While it runs a file says so, for whoever comes after a `kill -9` of this process."""
    note = running_note(log.parent)
    began = datetime.now(UTC).isoformat(timespec="seconds")
    with contextlib.suppress(OSError):  # a full disk: what runs is waited for all the same
        note.write_text(json.dumps({"pid": child.pid, "command": command[1], "began": began, "log": log.name}))
    try:
        yield
    finally:
        note.unlink(missing_ok=True)


def running_note(logs: Path) -> Path:
    return logs / "running.json"


def left_behind(logs: Path) -> Mapping[str, Any] | None:
    """What a process that was killed left: pid, command, began, log, and `alive`; None when there is nothing."""
    note = running_note(logs)
    try:
        found: dict[str, Any] = json.loads(note.read_text())
    except (OSError, ValueError):
        return None
    return {**found, "alive": _runs(int(found["pid"]))}


def _runs(pid: int) -> bool:
    """Whether it is the command that was begun, which leads a session: its number may be another's by now."""
    try:
        return os.getsid(pid) == pid
    except OSError:
        return False
