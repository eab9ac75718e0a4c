"""Programs out of a Debian package, without installing it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from script.engine.process import CommandFailed, Runner

# It takes ten seconds; a mirror that does not answer must not hold up the build for long.
LIMIT_SECONDS = 120


def at_hand(environ: Mapping[str, str]) -> bool:
    """Whether this system has Debian's packages."""
    return all(shutil.which(name, path=environ.get("PATH", "")) for name in ("apt-get", "dpkg-deb"))


def fetch(package: str, programs: Mapping[str, tuple[str, ...]], into: Path, runner: Runner) -> None:
    """Put `programs`, each under its own name, into `into`/bin. Raises CommandFailed.

    Fetched and unpacked, not installed: installing starts services and needs root, this does neither. Package lists
    of our own: the system's may be old or not there at all, and only root may fetch them.
    """
    work = into / "package"
    for folder in ("lists/partial", "archives/partial", "files"):
        (work / folder).mkdir(parents=True)
    ours = {"Dir::State::lists": work / "lists", "Dir::Cache": work, "APT::Sandbox::User": "root"}
    options = [word for name, value in ours.items() for word in ("-o", f"{name}={value}")]
    runner.progress.start(f"Fetching the Debian package {package}")
    for command in ("update", "download"):
        what = [package] if command == "download" else []
        runner.run(
            ["apt-get", "-q", *options, command, *what], env=os.environ, cwd=work / "files", limit=LIMIT_SECONDS
        )
    unpacked = work / "unpacked"
    for file in (work / "files").glob("*.deb"):
        runner.run(["dpkg-deb", "-x", file, unpacked], env=os.environ, limit=LIMIT_SECONDS)
    _take(programs, unpacked / "usr" / "bin", into / "bin")
    shutil.rmtree(work)
    runner.progress.done(f"Debian package {package} fetched")


def _take(programs: Mapping[str, tuple[str, ...]], source: Path, target: Path) -> None:
    target.mkdir()
    for program, names in programs.items():
        found = [source / name for name in names if (source / name).exists()]
        if not found:
            raise CommandFailed(f"{program} is not in the package")
        found[0].rename(target / program)
