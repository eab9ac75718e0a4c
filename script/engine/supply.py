"""How a program comes into the cache that all checkouts share: fetched, else built from its Go modules."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from script.engine import golang
from script.engine.golang import Go, Purpose
from script.engine.guard import whole
from script.engine.places import Places
from script.engine.problems import AGAIN, SetupError
from script.engine.process import CommandFailed, Runner

BUILT = "built from Go modules"


@dataclass(frozen=True)
class Fetching:
    """A way that may not be open from here. `run` puts the programs into a folder's bin; raises CommandFailed."""

    run: Callable[[Path], None]
    way: str  # how the program came when it worked
    refused: str  # the line that people see when it did not


@dataclass(frozen=True)
class Supply:
    """One program, or some that come together. `build` and `usable` are given the folder with and the one in bin."""

    purpose: Purpose
    fetching: Fetching | None
    build: Callable[[Path, Go], None]
    usable: Callable[[Path], bool]


def lock(places: Places) -> Path:
    """One lock for all programs and versions: they share the Go that may have to be fetched."""
    return places.cache / "engine.lock"


def into_cache(final: Path, supply: Supply, places: Places, runner: Runner, environ: Mapping[str, str]) -> Go | None:
    """Make the folder `final`: programs in bin, and how they came in `way`. Returns the Go that was used, for the
    caller to forget. Raises SetupError."""
    if supply.fetching and _fetched(final, supply.fetching, runner):
        return None
    with whole(final) as partial:
        go = golang.get(places, runner, environ, supply.purpose)
        supply.build(partial, go)
        if not supply.usable(partial / "bin"):
            purpose = supply.purpose
            raise SetupError(f"{purpose.title} that was built does not run: install {purpose.instead} and {AGAIN}.")
        (partial / "way").write_text(BUILT, encoding="utf-8")
    return go


def way(final: Path) -> str:
    """How what is in `final` came there."""
    return (final / "way").read_text(encoding="utf-8")


def identity(program: Path) -> list[object]:
    """What changes when a program is replaced. Raises OSError when it is gone."""
    real = program.resolve(strict=True)
    state = os.stat(real)
    return [str(real), state.st_size, state.st_mtime_ns]


def _fetched(final: Path, fetching: Fetching, runner: Runner) -> bool:
    try:
        with whole(final) as partial:
            fetching.run(partial)
            (partial / "way").write_text(fetching.way, encoding="utf-8")
    except CommandFailed:
        runner.progress.give_up(fetching.refused)
        return False
    return True
