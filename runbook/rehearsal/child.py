"""What runs of the Pulumi CLI have in common: how much of an environment they see, commands that run no program, and
that nothing of a failed one stays behind."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from runbook.rehearsal.problems import RehearsalError

QUIETLY = ("--non-interactive", "--color", "never")
# All that a child gets to see of this process's environment: a token for a real cloud is not among it.
_KEPT = ("PATH", "HOME", "USER", "LOGNAME", "TMPDIR", "TZ", "LANG", "LC_ALL", "LC_CTYPE", "LD_LIBRARY_PATH")


def kept() -> dict[str, str]:
    """What of this process's environment children on stand-in clouds see."""
    return {name: os.environ[name] for name in _KEPT if name in os.environ}


@dataclass(frozen=True)
class Plain:
    """Commands that run no program, in the folder of a Pulumi.yaml and its stack files."""

    binary: Path
    folder: Path
    environment: Mapping[str, str] = field(repr=False)

    def run(self, *words: str, stdin: str = "") -> str:
        """What it prints. Raises: RehearsalError with what it said."""
        done = subprocess.run(
            ["pulumi", *words, *QUIETLY],
            executable=self.binary,
            cwd=self.folder,
            env=dict(self.environment),
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            start_new_session=True,
        )
        if done.returncode:
            command = " ".join(word for word in words if not word.startswith("-"))
            said = (done.stderr.strip() or done.stdout.strip()).removeprefix("error: ")
            raise RehearsalError(f"`pulumi {command}` failed: {said}")
        return done.stdout

    def make_stack(self, stack: str, secrets: Mapping[str, str]) -> None:
        """An empty stack, with these secrets encrypted in its file, which is there. Raises: RehearsalError"""
        self.run("stack", "init", stack)
        # By stdin: a command line can be read by everyone on the machine.
        self.run("config", "set", "--stack", stack, "--secret", "secrets", stdin=json.dumps(dict(secrets)))


def end_session(leader: int) -> None:
    """End what a command that failed left running: an engine that is told to stop while it starts the language host
    ends without it (seen, 3.258), and plugins are in process groups of their own. Only the session still holds them
    together."""
    listed = Path("/proc").glob("[0-9]*")
    names = [path.name for path in listed] or subprocess.check_output(["ps", "-A", "-o", "pid="], text=True).split()
    for pid in map(int, names):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if os.getsid(pid) == leader:
                os.kill(pid, signal.SIGKILL)
