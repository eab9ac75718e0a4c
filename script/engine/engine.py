"""The Pulumi CLI: found on PATH, else fetched, else built; and .venv/engine, which points at it."""

from __future__ import annotations

import json
import os
import platform
import shutil
from collections.abc import Mapping
from pathlib import Path

from script.engine import build, download, find, golang
from script.engine.guard import alone, replace_text, whole
from script.engine.pins import engine_version, fingerprint
from script.engine.places import Places
from script.engine.problems import AGAIN, SetupError
from script.engine.process import CommandFailed, Runner


def wanted(places: Places) -> str:
    """The name of the pinned engine: its version, and a fingerprint of all that the build depends on."""
    version = engine_version(places.lock.read_text(encoding="utf-8"))
    modules = [places.pins / module / name for module in build.MODULES for name in ("go.mod", "go.sum")]
    recipe = [build.FLAGS, *build.SCRIPTS, platform.system(), platform.machine()]
    parts = [*(path.read_bytes() for path in modules), *(text.encode() for text in recipe)]
    return f"{version}-{fingerprint(parts)}"


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
    # One lock for all versions: they share the Go that may have to be fetched.
    with alone(places.cache / "engine.lock", runner.progress):
        if not find.complete(final / "bin"):
            _into_cache(final, version, places, runner, environ)
        _point(places, final / "bin", (final / "way").read_text(encoding="utf-8"))


def _into_cache(final: Path, version: str, places: Places, runner: Runner, environ: Mapping[str, str]) -> None:
    try:
        with whole(final) as partial:
            download.fetch(partial, places, runner)
            (partial / "way").write_text("fetched", encoding="utf-8")
        return
    except CommandFailed:
        runner.progress.give_up("The official download is not to be had from here: building instead.")
    with whole(final) as partial:
        go = golang.get(places, runner, environ)
        build.build(partial, places, go, runner)
        if not find.usable(partial / "bin", version, environ):
            raise SetupError(f"The Pulumi CLI that was built does not run: install Pulumi {version} and {AGAIN}.")
        (partial / "way").write_text("built from Go modules", encoding="utf-8")
    golang.forget(places, go)


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
    program = (places.link / "pulumi").resolve(strict=True)
    state = os.stat(program)
    return {
        "way": how,
        "wanted": wanted(places),
        "program": [str(program), state.st_size, state.st_mtime_ns],
    }
