"""What proves alerts: on PATH, else out of a Debian package, else built; and .venv/provers, which points at it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path

from script.engine import disk, golang, package
from script.engine.golang import Go, Purpose
from script.engine.guard import alone, replace_text
from script.engine.module import ingredients
from script.engine.pins import fingerprint
from script.engine.places import Places
from script.engine.process import CommandFailed, Runner
from script.engine.prover import PROVERS, Prover
from script.engine.supply import Fetching, Supply, identity, into_cache, lock, way

ON_PATH = "found on PATH"


def wanted(prover: Prover, places: Places) -> str:
    """The name of the pinned programs: their version, and a fingerprint of all that the build depends on."""
    module = prover.module
    recipe = [module.flags, *prover.programs, *prover.least, prover.package or ""]
    return f"{module.folder}-{module.version(places)}-{fingerprint(ingredients([module], places, recipe))}"


def fresh(places: Places) -> bool:
    """Whether .venv/provers points at the wanted programs, and at the very files that were found to work."""
    try:
        record = json.loads(_stamp(places).read_text(encoding="utf-8"))
        return bool(record == _record(places, record["programs"]))
    except (OSError, ValueError, KeyError):
        return False


def at_hand(places: Places, environ: Mapping[str, str]) -> bool:
    """Whether making .venv/provers would neither fetch nor build anything."""
    return fresh(places) or all(
        prover.in_folder(_final(prover, places) / "bin", environ) or prover.on_path(environ) for prover in PROVERS
    )


def summary(places: Places) -> str:
    """What a finished set-up has: "promtool 2.42.0 from a Debian package, ..."."""
    programs = json.loads(_stamp(places).read_text(encoding="utf-8"))["programs"]
    return ", ".join(f"{name} {found['version']} {found['way']}" for name, found in programs.items())


def make(places: Places, runner: Runner, environ: Mapping[str, str]) -> None:
    """Find, fetch or build every program and point .venv/provers at it. Raises SetupError."""
    shutil.rmtree(places.provers, ignore_errors=True)
    places.provers.mkdir()
    found: dict[str, dict[str, str]] = {}
    used: Go | None = None
    with alone(lock(places), runner.progress):
        for prover in PROVERS:
            programs, how = prover.on_path(environ), ON_PATH
            if not programs:
                final = _final(prover, places)
                if not prover.in_folder(final / "bin", environ):
                    supply = _supply(prover, places, runner, environ)
                    used = into_cache(final, supply, places, runner, environ) or used
                programs, how = {name: final / "bin" / name for name in prover.programs}, way(final)
            for name, program in programs.items():
                (places.provers / name).symlink_to(program.resolve())
                found[name] = {"version": prover.version(program, environ) or "", "way": how}
        if used:
            golang.forget(places, used)
    replace_text(_stamp(places), json.dumps(_record(places, found)))


def _supply(prover: Prover, places: Places, runner: Runner, environ: Mapping[str, str]) -> Supply:
    name = prover.package

    def fetch(into: Path) -> None:
        assert name is not None
        package.fetch(name, prover.programs, into, runner)
        if not prover.in_folder(into / "bin", environ):
            raise CommandFailed("the package's version is too old")

    def build(into: Path, go: Go) -> None:
        disk.check({go.folder(cache): count for cache, count in prover.needed.items()} | {into: prover.size})
        (into / "bin").mkdir()
        prover.module.build(into / "bin", places, go, runner)

    return Supply(
        Purpose(prover.title, prover.instead(), prover.module.least_go(places)),
        Fetching(fetch, "from a Debian package", f"No Debian package of {prover.title} from here: building instead.")
        if name and package.at_hand(environ)
        else None,
        build,
        lambda folder: prover.in_folder(folder, environ) is not None,
    )


def _final(prover: Prover, places: Places) -> Path:
    return places.cache / "provers" / wanted(prover, places)


def _stamp(places: Places) -> Path:
    return places.provers / "setup.json"


def _record(places: Places, programs: Mapping[str, Mapping[str, str]]) -> dict[str, object]:
    return {
        "wanted": [wanted(prover, places) for prover in PROVERS],
        "programs": dict(programs),
        "files": {name: identity(places.provers / name) for prover in PROVERS for name in prover.programs},
    }
