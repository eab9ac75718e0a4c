"""Who holds Pulumi's lock."""

from __future__ import annotations

import json
import os
import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import unquote, urlsplit

from runbook.cli.codes import Code
from runbook.cli.errors import CliError

PROJECT = "runbook"  # as Pulumi.yaml names it: other projects in the same folder have locks of their own
# diy backends: "…: created by root@host (pid 123) at 2026-11-22T06:00:00Z" (pkg/backend/diy/lock.go)
_DIY = re.compile(r"created by (?P<user>\S+)@(?P<host>\S+) \(pid (?P<pid>\d+)\) at (?P<at>\S+)")
_CLOUD = re.compile(r"(Another update is currently in progress|\[409\] Conflict[^\n]*)")


@dataclass(frozen=True)
class Lock:
    """`who`: user@host, or what Pulumi Cloud says of it. `pid` 0 where it is not known. `at`: ISO 8601, or ""."""

    who: str
    pid: int = 0
    at: str = ""

    @property
    def here(self) -> bool:
        return self.pid > 0 and self.who.rsplit("@", 1)[-1] == socket.gethostname()

    @property
    def dead(self) -> bool:
        """Whether its holder certainly runs no more: a lock that was left behind."""
        return self.here and not _alive(self.pid)

    @property
    def text(self) -> str:
        process = f" (process {self.pid})" if self.pid else ""
        since = f" since {self.at}" if self.at else ""
        return f"{self.who}{process} holds Pulumi's lock{since}"

    def error(self, free: str, again: str) -> CliError:
        """`free`: the command that frees it; `again`: the one to run afterwards."""
        if self.dead:
            return CliError(
                f"{self.text}, and that process runs no more.", f"Free it: {free}\nThen: {again}", Code.LOCKED
            )
        return CliError(
            f"{self.text}.",
            f"Wait for it, or end it there with one Ctrl-C, then: {again}\n"
            f"Only when nobody runs it any more, free it first: {free}",
            Code.LOCKED,
        )


def seen(backend: str) -> bool:
    """Whether a lock can be seen without asking for it."""
    return urlsplit(backend).scheme == "file"


def held(backend: str, stack: str) -> Lock | None:
    """The lock of a stack whose state is in a local folder; None where there is none, and for other backends, which
    only say it when somebody wants the lock."""
    if not seen(backend):
        return None
    url = urlsplit(backend)
    # file:///folder, file://~, file://~/folder, file://./folder
    folder = Path(unquote(url.netloc + url.path)).expanduser() / ".pulumi" / "locks"
    for file in sorted(folder.glob(f"organization/{PROJECT}/{stack}/*.json")) if folder.is_dir() else ():
        try:
            found = json.loads(file.read_text())
            at = datetime.fromisoformat(found["timestamp"]).isoformat(timespec="seconds")
            return Lock(f"{found['username']}@{found['hostname']}", int(found["pid"]), at)
        except (OSError, ValueError, KeyError):
            return Lock("Somebody")
    return None


def said(output: str) -> Lock | None:
    """The lock that a command of the engine met, from what it said."""
    if found := _DIY.search(output):
        return Lock(f"{found['user']}@{found['host']}", int(found["pid"]), found["at"])
    if found := _CLOUD.search(output):
        return Lock(f"Somebody ({found[0]})")
    return None


def logged_in(environment: Mapping[str, str]) -> str:
    """The backend that `pulumi login` chose; empty where it did not."""
    home = Path(environment.get("PULUMI_HOME") or Path(environment.get("HOME", "~")).expanduser() / ".pulumi")
    try:
        return str(json.loads((home / "credentials.json").read_text()).get("current", ""))
    except (OSError, ValueError):
        return ""


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
