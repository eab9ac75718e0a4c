from __future__ import annotations

import json
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from script.engine import environment
from script.engine.places import places
from tests.setup.checkouts import Checkout, program


def test_a_finished_environment_counts(with_venv: Checkout) -> None:
    assert environment.fresh(with_venv.here)


@pytest.mark.parametrize(("key", "other"), [("lock", "0" * 64), ("python", "3.10.0"), ("place", "/elsewhere/.venv")])
def test_an_environment_for_something_else_does_not_count(with_venv: Checkout, key: str, other: str) -> None:
    stamp = with_venv.here.venv / "setup.json"
    stamp.write_text(json.dumps(json.loads(stamp.read_text(encoding="utf-8")) | {key: other}), encoding="utf-8")
    assert not environment.fresh(with_venv.here)


def test_a_changed_lock_asks_for_a_new_environment(with_venv: Checkout) -> None:
    with with_venv.here.lock.open("a") as lock:
        lock.write("\n")
    assert not environment.fresh(with_venv.here)


@pytest.mark.parametrize("stamp", [None, "", "{", "[]"])
def test_a_half_made_environment_does_not_count(with_venv: Checkout, stamp: str | None) -> None:
    path = with_venv.here.venv / "setup.json"
    path.unlink()
    if stamp is not None:
        path.write_text(stamp, encoding="utf-8")
    assert not environment.fresh(with_venv.here)


def test_an_environment_whose_python_went_away_does_not_count(with_venv: Checkout) -> None:
    with_venv.here.python.unlink()
    assert not environment.fresh(with_venv.here)
    with_venv.here.python.symlink_to("/absent/python3")
    assert not environment.fresh(with_venv.here)
    with_venv.here.python.unlink()
    program(with_venv.here.python, "echo 3.10.0")
    assert not environment.fresh(with_venv.here)


def test_the_cache_is_where_the_user_keeps_caches(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", "/home/ana")
    default = Path("/home/ana/.cache/operations-runbook")
    assert places(tmp_path, {}).cache == default
    assert places(tmp_path, {"XDG_CACHE_HOME": ""}).cache == default
    assert places(tmp_path, {"XDG_CACHE_HOME": "relative"}).cache == default
    assert places(tmp_path, {"XDG_CACHE_HOME": "/caches"}).cache == Path("/caches/operations-runbook")


def test_the_packages_here_fit_together() -> None:
    # They are installed with --no-deps, because the lock is complete; this is what would notice if it were not.
    checked = subprocess.run([sys.executable, "-m", "pip", "check"], capture_output=True, text=True, check=False)
    assert checked.stdout == "No broken requirements found.\n"


def test_the_byte_code_of_the_packages_is_there() -> None:
    packages = Path(sysconfig.get_path("purelib"))
    sources = sum(1 for _ in packages.rglob("*.py"))
    compiled = sum(1 for _ in packages.rglob("__pycache__/*.pyc"))
    assert sources > 3_000
    # Some packages ship templates and samples that no Python can compile.
    assert compiled > 0.99 * sources, "every start would compile the rest again where byte code is not written"
