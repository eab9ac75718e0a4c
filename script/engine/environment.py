"""The virtual environment: made from the lock file, done when its stamp says so."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import platform
import sys

from script.engine import disk
from script.engine.guard import anew, replace_text
from script.engine.places import Places
from script.engine.problems import failed, no_venv_module
from script.engine.process import CommandFailed, Runner, ask

# Measured: the packages with their byte code take 0.3 GB, and pip holds the wheels beside them for a while.
NEEDED_BYTES = 600_000_000


def fresh(places: Places) -> bool:
    """Whether a finished environment is there, for this lock file, in this place, with a Python that runs."""
    running: str | None = platform.python_version()
    if sys.prefix != str(places.venv):  # the environment was not there when we started, or its Python is gone
        running = ask([places.python, "-c", "import platform; print(platform.python_version())"], os.environ)
    try:
        stamp: object = json.loads((places.venv / "setup.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return running is not None and stamp == _wanted(places, running.strip())


def make(places: Places, runner: Runner) -> None:
    """Make the environment anew; the stamp comes last, so one that was interrupted never counts.

    Raises SetupError; the environment from before then stands.
    """
    # Run from the old environment, sys.executable is about to vanish: take the Python that it was made from.
    base = getattr(sys, "_base_executable", sys.executable)
    if not all(importlib.util.find_spec(name) for name in ("venv", "ensurepip")):
        raise no_venv_module(base)
    with anew(places.venv, places.out / "venv.before"):
        disk.check({places.venv: NEEDED_BYTES})
        _make(base, places, runner)


def _make(base: str, places: Places, runner: Runner) -> None:
    progress = runner.progress
    progress.start("Making the virtual environment")
    try:
        runner.run([base, "-m", "venv", places.venv], env=os.environ)
        progress.detail("installing packages")
        # pip and not uv: from empty caches pip took 10 s where uv took 3 (2 cores), once per checkout, but uv
        # reads neither pip.conf nor PIP_*, which is where a company behind a mirror has named that mirror.
        # The lock is complete, so pip need not resolve it again (--no-deps, 4 s less), and a missing wheel is
        # an error and not a build of half an hour. Pulumi's Python host asks the environment's pip.
        runner.run(
            [
                *(places.python, "-m", "pip", "--no-input", "install", "--require-hashes", "--no-deps"),
                *("--only-binary", ":all:", "--no-compile", "--progress-bar", "off", "-r", places.lock),
            ],
            env=os.environ,
            on_line=lambda line: progress.detail(_package(line) or "installing packages"),
        )
        progress.detail("compiling byte code")
        # Without it every start costs up to 16 s, and where PYTHONDONTWRITEBYTECODE is set, for ever. compileall
        # writes in spite of that variable and uses every core. Its exit code also counts the templates
        # that some packages ship and nobody imports, hence -q -q and no check of what they say.
        compile_all = "import compileall, sys; compileall.compile_dir(sys.argv[1], quiet=2, workers=0)"
        runner.run([places.python, "-c", compile_all, places.venv / "lib"], env=os.environ)
    except CommandFailed as error:
        raise failed("Making the virtual environment", error.output) from None
    replace_text(places.venv / "setup.json", json.dumps(_wanted(places, platform.python_version())))
    progress.done("Virtual environment made")


def _wanted(places: Places, python: str) -> dict[str, str]:
    # The place, because the programs in bin/ name it: a moved checkout needs a new environment.
    return {
        "lock": hashlib.sha256(places.lock.read_bytes()).hexdigest(),
        "python": python,
        "place": str(places.venv),
    }


def _package(line: str) -> str | None:
    words = line.split()
    return f"fetching {words[1].split('==')[0]}" if line.startswith("Collecting ") else None
