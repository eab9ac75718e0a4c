from __future__ import annotations

import contextlib
import io
import os
import sys
import time
from pathlib import Path

import pytest

from script.engine.process import CommandFailed, Runner, ask
from script.engine.progress import Progress

# A parent that starts a child of its own, as go starts compilers, names it and waits. The child is stubborn.
FAMILY = """
import subprocess, sys
stubborn = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); time.sleep(30)"
child = subprocess.Popen([sys.executable, "-c", stubborn], stdout=subprocess.PIPE)
child.stdout.readline()
print(child.pid, flush=True)
child.wait()
"""


class Stopping(Progress):
    """Ctrl-C as soon as the first line has come."""

    def tick(self) -> None:
        if self.seen:
            raise KeyboardInterrupt

    seen: list[str]


def runner(tmp_path: Path) -> Runner:
    return Runner(tmp_path / "setup.log", Progress(io.StringIO(), {}))


def gone(pid: int) -> bool:
    """Whether the process ends within five seconds; one that nobody has collected yet has ended."""
    for _ in range(50):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, 0)
            state = Path(f"/proc/{pid}/stat")
            if not state.exists() or ") Z " not in state.read_text(encoding="utf-8"):
                time.sleep(0.1)
                continue
        return True
    return False


def test_the_output_is_returned_read_line_by_line_and_logged(tmp_path: Path) -> None:
    seen: list[str] = []
    script = "import sys; print('one'); print('two', file=sys.stderr)"
    output = runner(tmp_path).run([sys.executable, "-u", "-c", script], env=os.environ, on_line=seen.append)
    assert seen == ["one", "two"]
    assert output == "one\ntwo\n"
    assert (tmp_path / "setup.log").read_text(encoding="utf-8").endswith(f"-c {script}\none\ntwo\n")


def test_a_failing_command_tells_what_it_printed(tmp_path: Path) -> None:
    with pytest.raises(CommandFailed) as error:
        runner(tmp_path).run([sys.executable, "-c", "print('why'); raise SystemExit(3)"], env=os.environ)
    assert error.value.output == "why\n"


def test_a_command_that_outruns_its_limit_is_ended_with_its_children(tmp_path: Path) -> None:
    began = time.monotonic()
    with pytest.raises(CommandFailed) as error:
        runner(tmp_path).run([sys.executable, "-c", FAMILY], env=os.environ, limit=1)
    assert time.monotonic() - began < 15, "it went on for as long as it liked"
    child, message = error.value.output.split("\n", 1)
    assert message == "\ntimed out after 1 s"
    assert gone(int(child))


def test_an_interrupted_command_is_ended_with_its_children(tmp_path: Path) -> None:
    progress = Stopping(io.StringIO(), {})
    progress.seen = []
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        Runner(tmp_path / "setup.log", progress).run(
            [sys.executable, "-c", FAMILY], env=os.environ, on_line=progress.seen.append
        )
    assert time.monotonic() - began < 15, "it went on for as long as it liked"
    assert gone(int(progress.seen[0]))


def test_no_command_waits_for_a_keyboard(tmp_path: Path) -> None:
    silent, keyboard = os.pipe()
    before = os.dup(0)
    os.dup2(silent, 0)
    try:
        assert runner(tmp_path).run(["cat"], env=os.environ, limit=5) == ""
    finally:
        os.dup2(before, 0)
        for handle in (silent, keyboard, before):
            os.close(handle)


def test_a_program_that_cannot_answer_answers_none(tmp_path: Path) -> None:
    assert ask([sys.executable, "-c", "print(1)"], os.environ) == "1\n"
    assert ask([sys.executable, "-c", "raise SystemExit(1)"], os.environ) is None
    assert ask([tmp_path / "absent"], os.environ) is None
