"""The practice ground's own git: what a stack file held at each crossing, as `rollback --to` looks for it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

_SELF = (
    *("-c", "user.name=Practice", "-c", "user.email=practice@made-up.example"),
    *("-c", "commit.gpgsign=false", "-c", "core.hooksPath=/dev/null"),
)
_IGNORED = "*\n!Pulumi*.yaml\n!.gitignore\n"


def begin(folder: Path) -> None:
    """A checkout of its own, so that nothing here is taken for a part of the one around it."""
    (folder / ".gitignore").write_text(_IGNORED, encoding="utf-8")
    _git(folder, "init", "-q")
    merge(folder, "Steady")


def merge(folder: Path, message: str) -> None:
    """What was edited counts as reviewed and merged. Where git is not at hand, crossings remember no commit."""
    _git(folder, "add", "-A")
    _git(folder, "commit", "-q", "-m", message)


def _git(folder: Path, *words: str) -> None:
    # Without what a hook of git leaves in the environment, which would lead to the checkout around this one.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    try:
        subprocess.run(["git", "-C", str(folder), *_SELF, *words], capture_output=True, check=False, env=environment)
    except FileNotFoundError:
        return
