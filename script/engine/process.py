"""Runs pip, go and the installer: logged, shown, limited in time, and ended with us."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from script.engine.progress import Progress

GRACE_SECONDS = 5
TICK_SECONDS = 0.2


class CommandFailed(Exception):
    """A command ended with another code than 0 or ran out of its time; `output` is what it printed."""

    def __init__(self, output: str) -> None:
        super().__init__(output)
        self.output = output


class Runner:
    """Runs commands one after the other and keeps what they print in one log."""

    def __init__(self, log: Path, progress: Progress) -> None:
        self._log = log
        self.progress = progress

    def run(
        self,
        command: Sequence[str | Path],
        *,
        env: Mapping[str, str],
        cwd: Path | None = None,
        on_line: Callable[[str], None] = lambda _line: None,
        limit: float | None = None,
    ) -> str:
        """What the command printed on both streams. `limit` is in seconds. Raises CommandFailed."""
        lines: list[str] = []
        with self._log.open("a", encoding="utf-8") as log:
            log.write(f"$ {' '.join(map(str, command))}\n")
            log.flush()
            child = _start(command, env, cwd)
            reader = threading.Thread(target=_read, args=(child, log.write, lines, on_line))
            reader.start()
            try:
                in_time = self._wait(child, limit)
            finally:
                _end(child)
                reader.join()
        output = "".join(lines)
        if child.returncode or not in_time:
            raise CommandFailed(output if in_time else f"{output}\ntimed out after {limit:.0f} s")
        return output

    def _wait(self, child: subprocess.Popen[str], limit: float | None) -> bool:
        began = time.monotonic()
        while child.poll() is None:
            if limit is not None and time.monotonic() - began > limit:
                return False
            self.progress.tick()
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(TICK_SECONDS)
        return True


def _read(
    child: subprocess.Popen[str],
    write: Callable[[str], object],
    lines: list[str],
    on_line: Callable[[str], None],
) -> None:
    assert child.stdout is not None
    with child.stdout:
        for line in child.stdout:
            write(line)
            lines.append(line)
            on_line(line.rstrip("\n"))


def _start(command: Sequence[str | Path], env: Mapping[str, str], cwd: Path | None) -> subprocess.Popen[str]:
    # A session of its own, so that the child's whole family can be ended, however we leave.
    return subprocess.Popen(
        command,
        env=env,
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
    )


def _end(child: subprocess.Popen[str]) -> None:
    """End what is left of the child's family: a compiler must not go on writing after us."""
    _signal(child, signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        child.wait(GRACE_SECONDS)
    _signal(child, signal.SIGKILL)
    child.wait()


def _signal(child: subprocess.Popen[str], number: signal.Signals) -> None:
    # PermissionError: what macOS says of a group that has only zombies left.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, number)


def ask(command: Sequence[str | Path], env: Mapping[str, str]) -> str | None:
    """What a program that answers at once prints on stdout; None when it cannot run, fails or hangs."""
    try:
        answer = subprocess.run(
            command, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20, check=True
        )
    except (OSError, subprocess.SubprocessError, UnicodeDecodeError):
        return None
    return answer.stdout
