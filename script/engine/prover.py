"""The programs that prove alerts: which they are, where they come from, and which versions are enough."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from script.engine.module import Module
from script.engine.pins import parse, sufficient
from script.engine.process import ask

_COMMON = "-s -w -X github.com/prometheus/common/version.Version="
_LOKI = "-s -w -X github.com/grafana/loki/v3/pkg/util/build.Version="


@dataclass(frozen=True)
class Prover:
    """Programs of one Go module. `programs`: each with the names that it goes by elsewhere, its own first."""

    module: Module
    title: str  # begins a sentence
    programs: Mapping[str, tuple[str, ...]]
    least: tuple[str, ...]  # the least version of each major that is known to work
    package: str | None  # Debian's
    needed: Mapping[str, int]  # bytes that a build from empty caches takes at most, by Go's cache
    size: int  # bytes that the programs take

    def instead(self) -> str:
        """What people may install themselves."""
        return f"{' and '.join(self.programs)} {parse_text(self.least[0])} or newer"

    def version(self, program: Path, environ: Mapping[str, str]) -> str | None:
        """What the program says of itself, "2.42.0"; None when it does not run or is not a version that will do."""
        said = ask([program, "--version"], environ)
        line = said.splitlines()[0] if said else ""
        if not any(sufficient(line, least) for least in self.least):
            return None
        return parse_text(line)

    def in_folder(self, folder: Path, environ: Mapping[str, str]) -> dict[str, Path] | None:
        """The programs in the folder of a finished build; None unless all are there and run."""
        return self._usable({name: folder / name for name in self.programs}, environ)

    def on_path(self, environ: Mapping[str, str]) -> dict[str, Path] | None:
        """The programs on PATH, under whichever name; None unless all are there, run and are new enough."""
        path = environ.get("PATH", "")
        found = {
            name: next((Path(at) for known in names if (at := shutil.which(known, path=path))), None)
            for name, names in self.programs.items()
        }
        return self._usable({name: at for name, at in found.items() if at}, environ)

    def _usable(self, found: Mapping[str, Path], environ: Mapping[str, str]) -> dict[str, Path] | None:
        whole = all(name in found and os.access(found[name], os.X_OK) for name in self.programs)
        return dict(found) if whole and all(self.version(at, environ) for at in found.values()) else None


def parse_text(text: str) -> str:
    """The first version in the text, as "2.42.0"."""
    return ".".join(map(str, parse(text) or ()))


PROVERS = (
    Prover(
        Module("prometheus", "promtool", _COMMON, 1280),
        "promtool",
        {"promtool": ("promtool",)},
        # Built here it has its module's version: Prometheus 3.11.0 is the module 0.311.0.
        least=("2.42.0", "3.0.0", "0.311.0"),
        package="prometheus",
        needed={"GOMODCACHE": 1_200_000_000, "GOCACHE": 1_600_000_000},
        size=200_000_000,
    ),
    Prover(
        Module("alertmanager", "Alertmanager and amtool", _COMMON, 710),
        "Alertmanager with amtool",
        {"alertmanager": ("alertmanager", "prometheus-alertmanager"), "amtool": ("amtool",)},
        least=("0.25.0",),
        package=None,  # Debian's reads its templates from /usr/share, so it runs only where it is installed
        needed={"GOMODCACHE": 300_000_000, "GOCACHE": 500_000_000},
        size=100_000_000,
    ),
    Prover(
        Module("loki", "Loki", _LOKI, 2160),
        "Loki",
        {"loki": ("loki",)},
        least=("3.0.0",),
        package=None,  # Debian has none
        needed={"GOMODCACHE": 2_500_000_000, "GOCACHE": 3_500_000_000},
        size=200_000_000,
    ),
)
