from __future__ import annotations

import hashlib
import json
import platform
import shutil
import sys
from pathlib import Path

import pytest

from script.engine.places import places
from tests.setup.checkouts import ROOT, Checkout


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    root = tmp_path.resolve() / "checkout"
    shutil.copytree(ROOT / "script", root / "script", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "requirements.lock", root)
    path = root.parent / "path"
    path.mkdir()
    for tool in ("sh", "dirname", "sleep", "cat", "mkdir", "chmod"):
        found = shutil.which(tool)
        assert found
        (path / tool).symlink_to(found)
    here = places(root, {"XDG_CACHE_HOME": str(root.parent / "cache")})
    return Checkout(here, path)


@pytest.fixture
def with_venv(checkout: Checkout) -> Checkout:
    """A checkout whose environment counts as finished, though no package is in it."""
    here = checkout.here
    base = Path(getattr(sys, "_base_executable", sys.executable)).resolve()
    here.python.parent.mkdir(parents=True)
    here.python.symlink_to(base)
    (here.venv / "pyvenv.cfg").write_text(f"home = {base.parent}\n", encoding="utf-8")
    stamp = {
        "lock": hashlib.sha256(here.lock.read_bytes()).hexdigest(),
        "python": platform.python_version(),
        "place": str(here.venv),
    }
    (here.venv / "setup.json").write_text(json.dumps(stamp), encoding="utf-8")
    return checkout
