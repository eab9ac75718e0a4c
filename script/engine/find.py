"""The Pulumi CLI on PATH: only one that works, is new enough and has its Python host beside it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from script.engine.pins import sufficient
from script.engine.process import ask

PROGRAMS = ("pulumi", "pulumi-language-python")


def on_path(version: str, environ: Mapping[str, str], own: Path) -> Path | None:
    """The folder of the first usable Pulumi CLI on PATH. `own` is our link to one, which cannot answer for itself."""
    for entry in environ.get("PATH", "").split(os.pathsep):
        if not entry or Path(entry).resolve() == own.resolve():
            continue
        # A package manager may link only pulumi itself into a folder of PATH.
        for folder in (Path(entry), (Path(entry) / "pulumi").resolve().parent):
            if complete(folder) and usable(folder, version, environ):
                return folder
    return None


def complete(folder: Path) -> bool:
    """Whether the CLI and the Python host are there and may be run."""
    return all(os.access(folder / name, os.X_OK) for name in PROGRAMS)


def usable(folder: Path, version: str, environ: Mapping[str, str]) -> bool:
    """Whether the CLI in `folder` runs, and says that it is `version` or a later one of the same major."""
    said = ask([folder / "pulumi", "version"], {**environ, "PULUMI_SKIP_UPDATE_CHECK": "1"})
    return said is not None and sufficient(said, version)
