"""The Pulumi CLI: found on PATH, else fetched, else built; and .venv/engine, which points at it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path

from script.engine import build, download, find, golang
from script.engine.golang import Purpose
from script.engine.guard import alone, replace_text
from script.engine.module import ingredients
from script.engine.pins import engine_version, fingerprint
from script.engine.places import Places
from script.engine.process import Runner
from script.engine.supply import Fetching, Supply, identity, into_cache, lock
from script.engine.supply import way as way_of


def wanted(places: Places) -> str:
    """The name of the pinned engine: its version, and a fingerprint of all that the build depends on."""
    version = engine_version(places.lock.read_text(encoding="utf-8"))
    recipe = [build.FLAGS, *build.SCRIPTS]
    return f"{version}-{fingerprint(ingredients([build.CLI, build.HOST], places, recipe))}"


def purpose(places: Places) -> Purpose:
    """What a Go is wanted for when the engine has to be built."""
    version = engine_version(places.lock.read_text(encoding="utf-8"))
    return Purpose("The Pulumi CLI", f"Pulumi {version}", build.CLI.least_go(places))


def fresh(places: Places) -> bool:
    """Whether .venv/engine points at the wanted engine, and at the very file that was found to work."""
    try:
        record = json.loads((places.link / "setup.json").read_text(encoding="utf-8"))
        return bool(record == _record(places, record["way"]))
    except (OSError, ValueError, KeyError):
        return False


def way(places: Places) -> str:
    """How the engine of a finished set-up came here: "found on PATH", "fetched" or "built from Go modules"."""
    return str(json.loads((places.link / "setup.json").read_text(encoding="utf-8"))["way"])


def make(places: Places, runner: Runner, environ: Mapping[str, str]) -> None:
    """Find, fetch or build the engine and point .venv/engine at it. Raises SetupError."""
    version = engine_version(places.lock.read_text(encoding="utf-8"))
    found = find.on_path(version, environ, places.link)
    if found:
        _point(places, found, "found on PATH")
        return
    final = places.cache / "engine" / wanted(places)
    with alone(lock(places), runner.progress):
        if not find.complete(final / "bin"):
            go = into_cache(final, _supply(version, places, runner, environ), places, runner, environ)
            if go:
                golang.forget(places, go)
        _point(places, final / "bin", way_of(final))


def _supply(version: str, places: Places, runner: Runner, environ: Mapping[str, str]) -> Supply:
    return Supply(
        purpose(places),
        Fetching(
            lambda into: download.fetch(into, places, runner),
            way="fetched",
            refused="The official download is not to be had from here: building instead.",
        ),
        build=lambda into, go: build.build(into, places, go, runner),
        usable=lambda folder: find.usable(folder, version, environ),
    )


def _point(places: Places, folder: Path, how: str) -> None:
    """Make .venv/engine a folder of links to the programs in `folder`.

    Not one link to the folder: that may be /usr/bin, and going first on PATH it would hide other programs.
    """
    shutil.rmtree(places.link, ignore_errors=True)
    places.link.mkdir()
    for program in sorted(folder.glob("pulumi*")):
        (places.link / program.name).symlink_to(program)
    # The Python host that we build is too old for the engine's way of naming the virtual environment and takes
    # the first python3 on PATH (seen with host 3.70 under engine 3.258).
    for name in ("python", "python3"):
        (places.link / name).symlink_to(places.python)
    replace_text(places.link / "setup.json", json.dumps(_record(places, how)))


def _record(places: Places, how: str) -> dict[str, object]:
    return {"way": how, "wanted": wanted(places), "program": identity(places.link / "pulumi")}
