"""The command `make rehearsal`: the real engine, program and stack files, on stand-in clouds on this machine."""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import shutil
import signal
import sqlite3
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TextIO

from rich.console import Console

from runbook.rehearsal import stack_files
from runbook.rehearsal.clouds import stand_ins
from runbook.rehearsal.cutover.play import asked_by_steps, play
from runbook.rehearsal.engine import Engine
from runbook.rehearsal.problems import AGAIN, RehearsalError, check_disk, disk_full, from_system, no_room
from runbook.rehearsal.progress import Progress
from runbook.rehearsal.rehearse import rehearse, standing
from runbook.rehearsal.report import report
from runbook.rehearsal.result import Result, StandIn

ROOT = Path(__file__).parents[2]
OUT = ROOT / "out" / "rehearsal"
STACKS = ["prod", "easymo-prod"]
PLAYED = "prod"  # on which cutovers are played


def main(arguments: Sequence[str]) -> int:
    """The exit code: 0 when everything came out as it must, 1 with a sentence when something went wrong,
    130 when stopped by Ctrl-C, SIGTERM or SIGHUP; nothing is left running then."""
    parser = argparse.ArgumentParser(prog="make rehearsal", description=__doc__)
    parser.add_argument("STACK", nargs="*", default=STACKS, help="stack files to rehearse; prod and easymo-prod")
    stacks = list(dict.fromkeys(parser.parse_args(arguments).STACK))
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # as nohup leaves it
            signal.signal(number, signal.default_int_handler)
    try:
        return _rehearsal(stacks)
    except KeyboardInterrupt:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second Ctrl-C has nothing left to end
        kept = "out/rehearsal keeps what was done, and the next run starts from nothing"
        print(f"Stopped: no command is left running, {kept}.", file=sys.stderr)
        return 130
    except RehearsalError as error:
        print(f"\n{disk_full() if no_room(OUT.parent) else error}", file=sys.stderr)
    except (OSError, sqlite3.Error) as error:
        print(f"\n{from_system(error, OUT.parent)}", file=sys.stderr)
    return 1


def _rehearsal(stacks: list[str]) -> int:
    began = time.monotonic()
    files = [stack_files.load(ROOT, stack) for stack in stacks]
    with _alone(), standing(OUT / "clouds.db", files) as clouds, Progress(_console(sys.stderr), stacks) as progress:
        progress.say(f"{' and '.join(stacks)}: pulumi preview, up and preview again, on stand-in clouds.")
        engine = Engine(ROOT, OUT, clouds.env())
        version = engine.version()
        results = rehearse(engine, files, progress)
        played = None
        if PLAYED in results:
            progress.say(f"{PLAYED}: a cutover there and back, and an emergency, on a clock that moves.")
            before = time.monotonic() - began
            played = play(engine, clouds, next(file for file in files if file.stack == PLAYED), progress, before)
    facts = [StandIn(str(each["name"]), int(each["facts"]), int(each["unverified"])) for each in stand_ins()]
    facts += asked_by_steps() if played else []
    result = Result(version, facts, results, time.monotonic() - began, played)
    return conclude(result)


def conclude(result: Result) -> int:
    """Write result.json, print the page, and say by the exit code whether everything came out as it must."""
    (OUT / "result.json").write_text(result.as_json(), encoding="utf-8")
    report(_console(sys.stdout), result)
    for sentence in result.wrong:
        print(sentence, file=sys.stderr)
    return 1 if result.wrong else 0


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """Empties out/rehearsal, and holds it against a second rehearsal in the same checkout."""
    OUT.parent.mkdir(exist_ok=True)
    check_disk(OUT.parent)
    with OUT.with_suffix(".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RehearsalError(
                f"A rehearsal is running in this checkout already: wait for it and {AGAIN}."
            ) from None
        if OUT.exists():
            shutil.rmtree(OUT)
        yield


def _console(stream: TextIO) -> Console:
    """80 columns, or fewer where the terminal has fewer. Rich uses no colour off a terminal and under NO_COLOR, and
    where nobody reads on it ends the program quietly, with code 1."""
    console = Console(file=stream, highlight=False)
    console.width = min(console.width, 80)
    return console
