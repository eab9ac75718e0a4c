"""Set-up. Run by script/setup and script/alerts; all that people see is here or in problems.py and progress.py."""

from __future__ import annotations

import contextlib
import errno
import os
import platform
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

from script.engine import engine, environment, provers
from script.engine.guard import alone
from script.engine.pins import engine_version
from script.engine.places import Places, places
from script.engine.problems import AGAIN, INTERRUPTED, SetupError, failed
from script.engine.process import Runner
from script.engine.progress import Progress

STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def main(part: str) -> int:
    """Make ready what `part` names: "" the environment and the engine, "provers" what proves alerts beside them;
    "at-hand" only asks whether the provers are to be had without fetching or building.

    The exit code: 0 when everything is there, 1 with one sentence when it cannot be, 130 when stopped.
    """
    for number in STOPS:
        if signal.getsignal(number) is not signal.SIG_IGN:  # as nohup leaves it
            signal.signal(number, _stop)
    here = places(Path.cwd(), os.environ)
    if part == "at-hand":
        return 0 if provers.at_hand(here, os.environ) else 1
    progress = Progress(sys.stderr, os.environ)
    try:
        ready = PARTS[part](here, progress)
    except KeyboardInterrupt:
        return _say(progress, INTERRUPTED, 130)
    except SetupError as error:
        return _say(progress, str(error), 1)
    except OSError as error:
        return _say(progress, str(_system(error)), 1)
    print(f"Ready: {ready}.", file=sys.stderr)
    return 0


def _base(here: Places, progress: Progress) -> str:
    if not (environment.fresh(here) and engine.fresh(here)):
        with _working(here, progress) as runner:
            if not environment.fresh(here):
                environment.make(here, runner)
            if not engine.fresh(here):
                engine.make(here, runner, os.environ)
    version = engine_version(here.lock.read_text(encoding="utf-8"))
    return f"Python {platform.python_version()} in .venv, Pulumi {version} {engine.way(here)}"


def _provers(here: Places, progress: Progress) -> str:
    if not provers.fresh(here):
        with _working(here, progress) as runner:
            if not provers.fresh(here):
                provers.make(here, runner, os.environ)
    return provers.summary(here)


@contextlib.contextmanager
def _working(here: Places, progress: Progress) -> Iterator[Runner]:
    here.out.mkdir(exist_ok=True)
    with alone(here.out / "setup.lock", progress):
        here.log.unlink(missing_ok=True)
        yield Runner(here.log, progress)


def _stop(_number: int, _frame: object) -> None:
    for number in STOPS:
        signal.signal(number, signal.SIG_IGN)  # a second Ctrl-C must not cut the tidying short
    raise KeyboardInterrupt


def _say(progress: Progress, sentence: str, code: int) -> int:
    progress.clear()
    print(sentence, file=sys.stderr)
    return code


def _system(error: OSError) -> SetupError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return failed("Set-up", "no space left on device")
    what = f"{error.filename}: {error.strerror}" if error.filename else str(error)
    return SetupError(f"Set-up cannot go on, because the system refused something ({what}): mend that and {AGAIN}.")


PARTS = {"": _base, "provers": _provers}

if __name__ == "__main__":
    sys.exit(main("".join(sys.argv[1:])))
