"""The Pulumi CLI as the commands use it: one stack in one folder. Why not over the Automation API stands in
docs/decisions/0014."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from runbook.cli import locks
from runbook.cli.errors import CliError
from runbook.cli.locks import Lock
from runbook.cli.place import ENGINE, PULUMI, Place
from runbook.cli.running import OnEvent, OnStop, Ran, run
from runbook.rehearsal.child import QUIETLY

KEPT_LOGS = 60  # files of a stack; the oldest go
LIMIT = 60  # seconds for a command that runs no program


class Engine:
    """Raises: CliError where the CLI is missing."""

    def __init__(self, place: Place, stack: str) -> None:
        self.place, self.stack = place, stack
        self.binary = ENGINE / "pulumi"
        if not self.binary.exists():
            raise CliError("The Pulumi CLI is not there (.venv/engine).", "Run `make setup` and try again.")

    @property
    def logs(self) -> Path:
        """What each command of the engine said."""
        return self.place.folder / "out" / "cutover" / self.stack

    def preview(self, *arguments: str, on_event: OnEvent = lambda _: None, stopping: OnStop = lambda: None) -> Ran:
        """What an `up` would do. It takes no lock."""
        return self._run("preview", *arguments, on_event=on_event, stopping=stopping)

    def up(self, *arguments: str, on_event: OnEvent = lambda _: None, stopping: OnStop = lambda: None) -> Ran:
        """Without a preview of its own and without a question: both are the caller's."""
        return self._run("up", "--yes", "--skip-preview", *arguments, on_event=on_event, stopping=stopping)

    def refresh_preview(self, on_event: OnEvent = lambda _: None, stopping: OnStop = lambda: None) -> Ran:
        """What differs between the state and the clouds; nothing is written."""
        return self._run("refresh", "--preview-only", on_event=on_event, stopping=stopping)

    def begin_export(self) -> Pending:
        """The state as JSON, its secrets encrypted; the result can wait."""
        return self._begin("stack", "export")

    def begin_config(self) -> Pending:
        """The stack's config as JSON, decrypted; the result can wait, and must not be shown."""
        return self._begin("config", "--json", "--show-secrets")

    def history(self) -> list[dict[str, Any]]:
        """Updates, the latest first, each with the config it had; a section with a secret has no values."""
        found: list[dict[str, Any]] = json.loads(self._begin("stack", "history", "--json").result())
        return found

    def lock(self) -> Lock | None:
        """Who holds Pulumi's lock, as far as the backend lets it be seen without taking it."""
        return locks.held(self.backend, self.stack)

    @property
    def backend(self) -> str:
        """Where the state is, as a URL; "" where nobody has logged in."""
        given = self.place.environment.get("PULUMI_BACKEND_URL", "")
        return given or locks.logged_in(self.place.environment)

    def _run(self, command: str, *arguments: str, on_event: OnEvent, stopping: OnStop) -> Ran:
        self._tidy()
        log = self.logs / f"{datetime.now(UTC):%Y%m%dT%H%M%S.%f}-{command}.txt"
        words = [str(self.binary), command, "--stack", self.stack, *QUIETLY, *arguments]
        return run(words, self.place.folder, self.place.environment, log, on_event, stopping)

    def _tidy(self) -> None:
        files = sorted(self.logs.glob("*-*.*")) if self.logs.is_dir() else []
        for file in files[:-KEPT_LOGS]:
            file.unlink(missing_ok=True)

    def _begin(self, *words: str) -> Pending:
        process = subprocess.Popen(
            [str(self.binary), *words, "--stack", self.stack, *QUIETLY],
            cwd=self.place.folder,
            env=dict(self.place.environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        return Pending(process, f"pulumi {' '.join(word for word in words if word[:1] != '-')}", self.stack)


class Pending:
    """A command that was started, and runs no program."""

    def __init__(self, process: subprocess.Popen[str], words: str, stack: str) -> None:
        self._process, self._words, self._stack = process, words, stack

    def result(self) -> str:
        """What it printed. Raises: CliError with what it said."""
        with self._process:
            try:
                out, said = self._process.communicate(timeout=LIMIT)
            except subprocess.TimeoutExpired:
                self._process.kill()
                raise CliError(
                    f"`{self._words}` did not answer within {LIMIT} s.",
                    f"See whether the state backend answers: {PULUMI} whoami -v",
                ) from None
        if self._process.returncode:
            raise refused(self._words, said, self._stack)
        return out

    def json(self) -> dict[str, Any]:
        """Raises: CliError"""
        found: dict[str, Any] = json.loads(self.result())
        return found


# What the CLI says when it cannot begin, and what to do then. (Texts of engine 3.258.)
_REMEDIES: Mapping[str, str] = {
    "PULUMI_CONFIG_PASSPHRASE": "Set PULUMI_CONFIG_PASSPHRASE_FILE to the file that holds the stack's passphrase.",
    "incorrect passphrase": "Set PULUMI_CONFIG_PASSPHRASE_FILE to the file that holds this stack's passphrase.",
    "no stack named": f"Log in where its state is ({PULUMI} login), or make the stack: {PULUMI} stack init {{stack}}",
    "PULUMI_ACCESS_TOKEN": f"Log in to the state backend: {PULUMI} login",
    "not logged in": f"Log in to the state backend: {PULUMI} login",
    "unable to open bucket": f"Log in where the stack's state is ({PULUMI} login), or set PULUMI_BACKEND_URL.",
    "no such host": "See whether this machine's network reaches the state backend.",
}


def refused(words: str, said: str, stack: str) -> CliError:
    """A command of the CLI that failed before it ran the program."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    first = next((line.removeprefix("error: ") for line in lines if line.startswith("error: ")), "")
    why = (first or (lines[-1] if lines else "It said nothing.")).rstrip(".")
    known = (remedy.format(stack=stack) for text, remedy in _REMEDIES.items() if text in said)
    return CliError(f"`{words}` failed: {why}.", next(known, "Mend that and run the same command again."))
