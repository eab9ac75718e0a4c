"""A child that no terminal can reach: what is counted is what the child itself got."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

CHILD = """\
import pathlib, signal, sys, time
got, here = [], pathlib.Path(sys.argv[1])
for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
    signal.signal(number, lambda number, _: got.append(number))
(here / "ready").touch()
end = time.monotonic() + 20
while not (here / "end").exists() and time.monotonic() < end:
    time.sleep(0.02)
(here / "got").write_text(" ".join(map(str, got)))
"""
PARENT = """\
import os, pathlib, sys
from runbook.cli.running import run
here = pathlib.Path(sys.argv[1])
command = [sys.executable, str(here / "child.py"), str(here)]
ran = run(command, here, os.environ, here / "logs" / "1-up.txt", lambda event: None, lambda: None)
(here / "ran").write_text(f"{ran.code} {ran.interrupted}")
"""


def test_ctrl_c_reaches_it_once_and_a_hang_up_not_at_all(tmp_path: Path) -> None:
    (tmp_path / "child.py").write_text(CHILD)
    parent = subprocess.Popen([sys.executable, "-c", PARENT, str(tmp_path)], start_new_session=True)
    _wait(tmp_path / "ready")
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGINT, signal.SIGTERM):
        os.killpg(parent.pid, number)
        time.sleep(0.2)  # signals of one number that wait together are one
    assert parent.poll() is None  # it waits for what it has begun
    (tmp_path / "end").touch()
    assert parent.wait(timeout=30) == 0
    assert (tmp_path / "got").read_text() == str(signal.SIGINT.value)
    assert (tmp_path / "ran").read_text() == "0 True"
    assert not (tmp_path / "logs" / "running.json").exists()


def test_what_is_killed_leaves_a_note(tmp_path: Path) -> None:
    """The child goes on, and whoever comes next is told."""
    from runbook.cli.running import left_behind

    (tmp_path / "child.py").write_text(CHILD)
    parent = subprocess.Popen([sys.executable, "-c", PARENT, str(tmp_path)], start_new_session=True)
    _wait(tmp_path / "ready")
    parent.kill()
    parent.wait()
    found = left_behind(tmp_path / "logs")
    assert found is not None
    assert found["alive"] is True
    (tmp_path / "end").touch()
    _wait(tmp_path / "got")


def test_a_number_that_somebody_else_has_by_now_is_no_running_update(tmp_path: Path) -> None:
    """As after the machine was started anew."""
    from runbook.cli.running import left_behind, running_note

    other = subprocess.Popen(["sleep", "60"])
    try:
        running_note(tmp_path).write_text(json.dumps({"pid": other.pid, "command": "up", "began": "", "log": ""}))
        found = left_behind(tmp_path)
    finally:
        other.kill()
        other.wait()
    assert found is not None
    assert found["alive"] is False


def _wait(file: Path) -> None:
    end = time.monotonic() + 30
    while not file.exists():
        assert time.monotonic() < end, f"{file.name} did not come."
        time.sleep(0.02)
