"""Where set-up reads and writes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Places:
    """The folders and files of one checkout, and the cache that all checkouts share."""

    root: Path
    cache: Path

    @property
    def venv(self) -> Path:
        """The virtual environment."""
        return self.root / ".venv"

    @property
    def python(self) -> Path:
        """The virtual environment's Python."""
        return self.venv / "bin" / "python"

    @property
    def link(self) -> Path:
        """The folder that holds `pulumi`, whichever way it came: other programs put it in front of PATH."""
        return self.venv / "engine"

    @property
    def provers(self) -> Path:
        """The folder that holds the programs that prove alerts, whichever way they came."""
        return self.venv / "provers"

    @property
    def lock(self) -> Path:
        """The Python packages with their hashes."""
        return self.root / "requirements.lock"

    @property
    def pins(self) -> Path:
        """The folder of the Go modules and of the pinned Go."""
        return self.root / "script" / "engine"

    @property
    def out(self) -> Path:
        """What runs leave behind; ignored by git."""
        return self.root / "out"

    @property
    def log(self) -> Path:
        """What pip, go and the installer said."""
        return self.out / "setup.log"


def places(root: Path, environ: Mapping[str, str]) -> Places:
    """The places of the checkout at `root`. A relative XDG_CACHE_HOME counts as unset (XDG Base Directory)."""
    configured = Path(environ.get("XDG_CACHE_HOME", ""))
    base = configured if configured.is_absolute() else Path.home() / ".cache"
    return Places(root=root, cache=base / "operations-runbook")
