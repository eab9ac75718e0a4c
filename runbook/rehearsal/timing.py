"""How long the program takes, told apart from the engine, from the files that the stopwatch writes."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from runbook.rehearsal.problems import RehearsalError
from runbook.rehearsal.stopwatch.sitecustomize import SDKS

_PLAIN = f"""
import time
before = time.perf_counter()
import {", ".join(sorted(SDKS))}
print(time.perf_counter() - before)
"""


@dataclass(frozen=True)
class ProgramTime:
    """One run of the program, in seconds.

    `total` goes from the start of Python to the last resource that the program asked for; of it, `sdk_import` went
    into importing the SDKs, and `own` is the rest. `waiting` is the part of `own` in which the process did not
    compute: it waited for the engine, or for a core. `start` is what the engine took before Python began,
    `finish` what it and the clouds took after the last resource was asked for.
    """

    total: float
    sdk_import: float
    own: float
    waiting: float
    start: float
    finish: float


def program_time(stopwatch: Path, began: float, seconds: float) -> ProgramTime:
    """The program's times in a command that began at `began` (seconds since 1970) and took `seconds`."""
    seen: Mapping[str, float] = json.loads(stopwatch.read_text(encoding="utf-8"))
    total, sdk_import = seen["last_registration"], seen["sdk_import"]
    own = total - sdk_import
    start = seen["began"] - began
    return ProgramTime(
        total=total,
        sdk_import=sdk_import,
        own=own,
        waiting=max(0.0, own - seen["own_cpu"]),
        start=start,
        finish=seconds - start - total,
    )


def spent(times: Sequence[ProgramTime]) -> dict[str, float]:
    """Where the seconds of several commands went, all together."""
    return {
        "before_program": sum(each.start for each in times),
        "sdk_import": sum(each.sdk_import for each in times),
        "own": sum(each.own for each in times),
        "after_program": sum(each.finish for each in times),
    }


def middle(times: Sequence[ProgramTime]) -> ProgramTime:
    """The run with the middle total: on a busy machine one of them may be far off."""
    return sorted(times, key=lambda time: time.total)[len(times) // 2]


def plain_import(python: Path, environment: Mapping[str, str]) -> float:
    """Seconds that a Python takes to import the SDKs and do nothing else."""
    done = subprocess.run([python, "-c", _PLAIN], env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RehearsalError(
            f"The SDKs cannot be imported ({done.stderr.strip().splitlines()[-1]}): run `make setup`."
        )
    return float(done.stdout)
