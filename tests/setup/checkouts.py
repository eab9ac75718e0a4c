"""A copy of the checkout for set-up to work on."""

from __future__ import annotations

import io
import os
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path

from script.engine.places import Places
from script.engine.process import Runner
from script.engine.progress import Progress

ROOT = Path(__file__).parents[2]


def program(path: Path, text: str) -> Path:
    """A program at `path` that runs `text` with sh."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


@dataclass(frozen=True)
class Checkout:
    """A copy of what set-up needs, with an empty cache and a PATH that holds nothing but what a test puts there."""

    here: Places
    path: Path

    def environ(self, **more: str) -> dict[str, str]:
        home = str(self.here.root / "home")
        return {"PATH": str(self.path), "HOME": home, "XDG_CACHE_HOME": str(self.here.cache.parent), **more}

    def start(self, **more: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [self.here.root / "script" / "setup"],
            env=self.environ(**more),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def set_up(self, **more: str) -> tuple[int, str]:
        """The exit code of script/setup and what it printed, all of which goes to stderr."""
        child = self.start(**more)
        out, err = child.communicate(timeout=60)
        assert out == ""
        assert "Traceback" not in err
        return child.returncode, err

    def runner(self) -> Runner:
        self.here.out.mkdir(exist_ok=True)
        return Runner(self.here.log, Progress(io.StringIO(), {}))

    def engines(self) -> list[str]:
        folder = self.here.cache / "engine"
        return sorted(os.listdir(folder)) if folder.exists() else []
