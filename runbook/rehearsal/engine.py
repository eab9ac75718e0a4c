"""Runs the real Pulumi CLI in a folder of its own, on a file backend, with nothing inherited that it could leak.

engine = Engine(root, out, clouds.env())
engine.add_stack(stack_file)
outcome = engine.run("prod", "up", "--yes")
"""

from __future__ import annotations

import itertools
import os
import secrets
import signal
import subprocess
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from runbook.rehearsal import events
from runbook.rehearsal.child import QUIETLY, Plain, end_session, kept
from runbook.rehearsal.events import Events
from runbook.rehearsal.problems import RehearsalError, Stopped
from runbook.rehearsal.stack_files import StackFile

STOPWATCH = Path(__file__).parent / "stopwatch"


@dataclass(frozen=True)
class Outcome:
    """What one command did. `output` is both streams, `log` the file that keeps them; `began` is in seconds since
    1970; `stopwatch` holds the program's own times, and is only there when a program ran to its end."""

    code: int
    output: str
    log: Path
    stopwatch: Path
    began: float
    seconds: float
    events: Events


class Run:
    """One command that was started."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path) -> None:
        self.process, self.log = process, log
        self.began, self._start = time.time(), time.monotonic()

    def age(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self._start

    def steps(self) -> int:
        """How many resources the command has dealt with so far."""
        return events.steps_done(_events(self.log))

    def wait(self) -> Outcome:
        """Wait for the command's end. A code other than 0 is no exception here."""
        code = self.process.wait()
        if code != 0:
            end_session(self.process.pid)
        return Outcome(
            code=code,
            output=self.log.read_text(encoding="utf-8", errors="replace"),
            log=self.log,
            stopwatch=_stopwatch(self.log),
            began=self.began,
            seconds=self.age(),
            events=events.read(_events(self.log)),
        )


class Engine:
    """The CLI, its state and its home, all below `out`, which must hold none yet. `root` is the checkout, which is
    only read; `clouds` is the environment that attaches the engine to the stand-ins.

    Safe to use from several threads on different stacks. Raises: RehearsalError where the CLI is missing.
    """

    def __init__(self, root: Path, out: Path, clouds: Mapping[str, str]) -> None:
        self.root, self.out = root.resolve(), out.resolve()
        self.folder = self.root / ".venv" / "engine"
        if not (self.folder / "pulumi").exists():
            raise RehearsalError("The Pulumi CLI is not there (.venv/engine): run `make setup` and try again.")
        self.config, self.state = self.out / "config", self.out / "state"
        for folder in (self.config, self.state):
            folder.mkdir(parents=True)
        # Copied, because making a stack writes a salt into its file, and setting a secret writes all of it anew.
        (self.config / "Pulumi.yaml").write_bytes((self.root / "Pulumi.yaml").read_bytes())
        self.environment = self._environment(clouds)
        self._plain = Plain(self.folder / "pulumi", self.config, self.environment)
        self._lock = threading.Lock()
        self._stopped = False
        self._runs: list[Run] = []
        self._numbers: dict[str, itertools.count[int]] = {}

    def _environment(self, clouds: Mapping[str, str]) -> dict[str, str]:
        seen = kept()
        return {
            **seen,
            **clouds,
            "PATH": os.pathsep.join([str(self.folder), seen.get("PATH", os.defpath)]),
            "PYTHONPATH": str(STOPWATCH),
            "PULUMI_BACKEND_URL": self.state.as_uri(),
            "PULUMI_HOME": str(self.out / "home"),
            # Gone with this process: what state and stack files hold of secrets can then be opened by nobody.
            "PULUMI_CONFIG_PASSPHRASE": secrets.token_urlsafe(32),
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_DEBUG_COMMANDS": "true",  # --event-log is hidden behind it; the Automation API sets it too
        }

    @property
    def python(self) -> Path:
        """The Python that runs the program."""
        return self.root / ".venv" / "bin" / "python"

    @property
    def stopped(self) -> bool:
        """Whether somebody asked to stop: nothing more is started."""
        return self._stopped

    def version(self) -> str:
        """The CLI's version, without its "v"."""
        return self._plain.run("version").strip().removeprefix("v")

    def add_stack(self, file: StackFile) -> None:
        """Make an empty stack, with a copy of its stack file and, encrypted in it, the made-up secrets."""
        self.config_of(file.stack).write_text(file.without_secrets(), encoding="utf-8")
        self._plain.make_stack(file.stack, file.secrets)

    def config_of(self, stack: str) -> Path:
        """The copy of a stack file that the engine works with."""
        return self.config / f"Pulumi.{stack}.yaml"

    def export(self, stack: str) -> str:
        """The stack's state as JSON, its secrets encrypted."""
        return self._plain.run("stack", "export", "--stack", stack)

    def start(self, stack: str, command: str, *arguments: str) -> Run:
        """Begin preview, up, refresh or destroy. Raises: Stopped after `interrupt` or `kill`."""
        number = next(self._numbers.setdefault(stack, itertools.count(1)))
        log = self.out / "log" / stack / f"{number}-{command}.txt"
        log.parent.mkdir(parents=True, exist_ok=True)
        whole = [
            *("pulumi", command, "--stack", stack, "--config-file", str(self.config_of(stack))),
            *(*QUIETLY, "--event-log", str(_events(log)), *arguments),
        ]
        with self._lock, log.open("wb") as output:
            if self._stopped:
                raise Stopped
            process = subprocess.Popen(
                whole,
                executable=self.folder / "pulumi",
                cwd=self.root,
                env={**self.environment, "STOPWATCH_FILE": str(_stopwatch(log))},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # a Ctrl-C in the terminal reaches it through `interrupt`, and once
            )
            run = Run(process, log)
            self._runs.append(run)
        return run

    def run(self, stack: str, command: str, *arguments: str) -> Outcome:
        """`start`, and wait for the end."""
        return self.start(stack, command, *arguments).wait()

    def interrupt(self) -> None:
        """Tell what runs to stop: the engine ends its running step, keeps its state whole and starts no other."""
        for run in self._stop():
            run.process.send_signal(signal.SIGINT)

    def kill(self) -> None:
        """End what runs at once, the program with it."""
        for run in self._stop():
            os.killpg(run.process.pid, signal.SIGKILL)

    def _stop(self) -> list[Run]:
        with self._lock:
            self._stopped = True
            return [run for run in self._runs if run.process.poll() is None]


def _events(log: Path) -> Path:
    return log.with_suffix(".events.jsonl")


def _stopwatch(log: Path) -> Path:
    return log.with_suffix(".program.json")
