"""A checkout like this one in a folder of its own, so that a practice in this one is left alone."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from runbook.cli.practice.ground import Ground
from tests.stacks import ROOT

LINKED = ("__main__.py", "components", "runbook", "schema", "script", ".venv", "cutover", "Pulumi.yaml")


@dataclass(frozen=True)
class Checkout:
    """`./cutover` runs here as it runs for people; nothing of the tests' own environment gets in."""

    folder: Path

    @property
    def ground(self) -> Ground:
        return Ground(self.folder / "out" / "practice")

    def start(self, *words: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [str(self.folder / "cutover"), *words],
            cwd=self.folder,
            env=_environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def cutover(self, *words: str) -> subprocess.CompletedProcess[str]:
        child = self.start(*words)
        out, said = child.communicate(timeout=300)
        assert "Traceback" not in out + said, said
        return subprocess.CompletedProcess(words, child.returncode, out, said)

    def processes(self) -> list[str]:
        """Command lines of everything that runs with this checkout's path in it."""
        shown = subprocess.run(["ps", "-Aww", "-o", "command="], capture_output=True, text=True, check=True).stdout
        return [line for line in shown.splitlines() if str(self.folder) in line]


def _environment() -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    return {**kept, "COLUMNS": "200", "CLOUDFLARE_API_TOKEN": "a real one"}


@contextlib.contextmanager
def checkout(folder: Path) -> Iterator[Checkout]:
    """Gone at the end, with whatever was started in it."""
    for name in (*LINKED, *(path.name for path in ROOT.glob("Pulumi.*.yaml"))):
        (folder / name).symlink_to(ROOT / name)
    made = Checkout(folder)
    try:
        yield made
    finally:
        made.cutover("practice", "stop")
