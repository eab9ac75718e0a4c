"""The command itself, in a checkout of its own: stopped in the middle, or with nobody reading what it says."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stacks import ROOT


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Everything of this one by link, and no folder out."""
    for path in ROOT.iterdir():
        if path.name not in ("out", ".git"):
            (tmp_path / path.name).symlink_to(path)
    return tmp_path


@pytest.fixture
def rehearsal(checkout: Path) -> Iterator[subprocess.Popen[str]]:
    """`make rehearsal STACK=easymo-staging`, once it has begun."""
    command = [str(checkout / ".venv" / "bin" / "python"), "-m", "runbook.rehearsal", "easymo-staging"]
    with subprocess.Popen(command, cwd=checkout, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            assert process.stderr.readline().startswith("easymo-staging: pulumi preview, up and preview again")
            yield process
        finally:
            process.kill()


def test_ctrl_c_during_up_ends_the_engine_and_says_what_is_left(
    rehearsal: subprocess.Popen[str], checkout: Path
) -> None:
    up = checkout / "out" / "rehearsal" / "log" / "easymo-staging" / "2-up.events.jsonl"
    while rehearsal.poll() is None and not up.exists():
        time.sleep(0.05)
    rehearsal.send_signal(signal.SIGINT)
    assert rehearsal.stderr is not None
    said = rehearsal.stderr.read().splitlines()

    assert rehearsal.wait(timeout=60) == 130
    assert said[0].startswith("easymo-staging  preview         ")
    assert said[1].startswith("easymo-staging  up              ended early, ")
    kept = "out/rehearsal keeps what was done, and the next run starts from nothing"
    assert said[2:] == [f"Stopped: no command is left running, {kept}."]
    assert _running(checkout) == []
    assert {path.name for path in checkout.iterdir() if not path.is_symlink()} <= {"out", "__pycache__"}


def test_a_closed_output_ends_the_engine(rehearsal: subprocess.Popen[str], checkout: Path) -> None:
    assert rehearsal.stderr is not None
    rehearsal.stderr.close()

    assert rehearsal.wait(timeout=60) == 1
    assert _running(checkout) == []


def _running(checkout: Path) -> list[str]:
    """Command lines of the processes that work in a checkout."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:  # it has just ended
            continue
        if str(checkout) in words and int(folder.name) != os.getpid():
            found.append(words)
    return found
