"""The stopwatch: started by name, active in one process alone, and right about what it counts."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from runbook.rehearsal import timing
from runbook.rehearsal.engine import STOPWATCH
from runbook.rehearsal.stopwatch.sitecustomize import HOST

PROGRAM = """
import time
import pulumi            # 0.2 s, and what it imports in its turn
import pulumi.resource   # again: it is there already
time.sleep(0.1)
pulumi.resource.register_resource("first")
time.sleep(0.1)
pulumi.resource.register_resource("last")
time.sleep(0.3)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A program, and an SDK that takes its time."""
    sdk = tmp_path / "pulumi"
    sdk.mkdir()
    (sdk / "__init__.py").write_text("import time, pulumi.resource\ntime.sleep(0.1)\n", encoding="utf-8")
    slow = "import time\ntime.sleep(0.1)\ndef register_resource(name): ...\n"
    (sdk / "resource.py").write_text(slow, encoding="utf-8")
    for name in (HOST, "other"):
        (tmp_path / name).write_text(PROGRAM, encoding="utf-8")
    return tmp_path


def run(folder: Path, program: str, **environment: str) -> Path:
    written = folder / "times.json"
    given = {**os.environ, "PYTHONPATH": str(STOPWATCH), "STOPWATCH_FILE": str(written), **environment}
    subprocess.run([sys.executable, folder / program], env=given, check=True)
    return written


def test_imports_of_the_sdks_and_the_last_registration_are_timed(folder: Path) -> None:
    time = timing.program_time(run(folder, HOST), 0.0, 10.0)

    assert 0.2 <= time.sdk_import < time.total
    assert time.total >= 0.4
    assert time.own == pytest.approx(time.total - time.sdk_import)
    assert time.own >= 0.2
    assert 0.15 <= time.waiting <= time.own  # it slept
    assert time.start + time.total + time.finish == pytest.approx(10.0)


def test_what_comes_after_the_last_registration_does_not_count(folder: Path) -> None:
    seen = json.loads(run(folder, HOST).read_text(encoding="utf-8"))
    program = PROGRAM.replace("time.sleep(0.3)", "time.sleep(0)")
    (folder / HOST).write_text(program, encoding="utf-8")
    short = json.loads(run(folder, HOST).read_text(encoding="utf-8"))

    assert abs(seen["last_registration"] - short["last_registration"]) < 0.25


def test_no_other_process_is_timed(folder: Path) -> None:
    assert not run(folder, "other").exists()


def test_the_run_with_the_middle_total_is_the_typical_one() -> None:
    times = [timing.ProgramTime(total, 1, total - 1, 0, 1, 1) for total in (9.0, 2.0, 3.0)]

    assert timing.middle(times).total == 3.0
    assert timing.spent(times) == {"before_program": 3, "sdk_import": 3, "own": 11.0, "after_program": 3}
