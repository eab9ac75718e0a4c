"""The engines that prove alerts, as set-up left them in .venv/provers."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parents[2] / ".venv" / "provers"


class NoEngines(Exception):
    """An engine is missing; the text says what to do."""


@dataclass(frozen=True)
class Engines:
    """Programs that run. `versions`: of each by its name, for instance {"promtool": "2.42.0"}."""

    promtool: Path
    amtool: Path
    alertmanager: Path
    loki: Path
    versions: Mapping[str, str]


def engines(folder: Path = FOLDER) -> Engines:
    """Raises: NoEngines."""
    names = ("promtool", "amtool", "alertmanager", "loki")
    try:
        said = json.loads((folder / "setup.json").read_text(encoding="utf-8"))["programs"]
        versions = {name: str(said[name]["version"]) for name in names}
    except (OSError, ValueError, KeyError, TypeError):
        raise _missing("they are") from None
    for name in names:
        if not os.access(folder / name, os.X_OK):
            raise _missing(f"{name} is")
    promtool, amtool, alertmanager, loki = (folder / name for name in names)
    return Engines(promtool, amtool, alertmanager, loki, versions)


def _missing(what: str) -> NoEngines:
    return NoEngines(f"The engines that prove alerts have to be made ready ({what} missing): run make alerts.")
