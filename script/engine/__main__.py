"""Set-up. Run by script/setup; everything that people see of it is here or in problems.py and progress.py."""

from __future__ import annotations

import errno
import os
import platform
import signal
import sys
from pathlib import Path

from script.engine import engine, environment
from script.engine.guard import alone
from script.engine.pins import engine_version
from script.engine.places import Places, places
from script.engine.problems import AGAIN, INTERRUPTED, SetupError, failed
from script.engine.process import Runner
from script.engine.progress import Progress

STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def main() -> int:
    """The exit code: 0 when everything is there, 1 with one sentence when it cannot be, 130 when stopped."""
    for number in STOPS:
        if signal.getsignal(number) is not signal.SIG_IGN:  # as nohup leaves it
            signal.signal(number, _stop)
    here = places(Path.cwd(), os.environ)
    progress = Progress(sys.stderr, os.environ)
    try:
        _set_up(here, progress)
    except KeyboardInterrupt:
        return _say(progress, INTERRUPTED, 130)
    except SetupError as error:
        return _say(progress, str(error), 1)
    except OSError as error:
        return _say(progress, str(_system(error)), 1)
    version = engine_version(here.lock.read_text(encoding="utf-8"))
    how = engine.way(here)
    print(f"Ready: Python {platform.python_version()} in .venv, Pulumi {version} {how}.", file=sys.stderr)
    return 0


def _set_up(here: Places, progress: Progress) -> None:
    if environment.fresh(here) and engine.fresh(here):
        return
    here.out.mkdir(exist_ok=True)
    with alone(here.out / "setup.lock", progress):
        here.log.unlink(missing_ok=True)
        runner = Runner(here.log, progress)
        if not environment.fresh(here):
            environment.make(here, runner)
        if not engine.fresh(here):
            engine.make(here, runner, os.environ)


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


if __name__ == "__main__":
    sys.exit(main())
