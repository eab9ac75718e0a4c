"""What a stopped command leaves running is ended, though it is in a process group of its own."""

from __future__ import annotations

import subprocess
import sys
import time

from runbook.rehearsal import child

# Says its own process group's number and waits, like a language host that nobody needs any more.
LEFT_OVER = "import os, time; os.setpgid(0, 0); print(os.getpid(), flush=True); time.sleep(60)"


def test_what_a_stopped_command_left_running_is_ended() -> None:
    script = f"\"{sys.executable}\" -c '{LEFT_OVER}' & read line; exit 1"
    with subprocess.Popen(
        ["sh", "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as command:
        assert command.stdin is not None
        assert command.stdout is not None
        left = int(command.stdout.readline())
        command.stdin.close()
        assert command.wait() == 1
        assert _works(left)

        child.end_session(command.pid)
        deadline = time.monotonic() + 30
        while _works(left) and time.monotonic() < deadline:
            time.sleep(0.01)
        assert not _works(left)


def _works(pid: int) -> bool:
    """Whether the process is there, and not merely waiting for somebody to notice its end."""
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    return bool(state.strip()) and not state.strip().startswith("Z")
