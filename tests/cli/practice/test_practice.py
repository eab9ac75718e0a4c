"""`./cutover practice` as a process of its own: beginning, what can be done on it, and every way to end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from datetime import datetime, timedelta

from runbook.cli.codes import Code
from runbook.cli.practice.asking import ask
from tests.cli.practice.checkout import Checkout
from tests.stacks import ROOT


def until(happened: Callable[[], bool], seconds: float = 300) -> None:
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end, "It did not come."
        time.sleep(0.05)


def line(said: str) -> str:
    """As one line, wherever the terminal's width broke it."""
    return " ".join(said.split())


def test_nothing_is_edited_in_the_checkout(practised: Checkout) -> None:
    found = {path.name for path in practised.folder.iterdir() if not path.is_symlink()}
    assert found == {"out"}
    assert {path.name for path in (practised.folder / "out").iterdir()} == {"practice"}


def test_no_secret_is_seen(practised: Checkout) -> None:
    """Neither by who lists processes, nor by another user of the machine, nor in what was logged."""
    ground = practised.ground
    (passphrase,) = ground.passphrase.read_text().splitlines()
    note = ground.note()
    assert note is not None
    assert practised.processes()
    for command in practised.processes():
        assert passphrase not in command
        assert note["token"] not in command
    for path in (ground.passphrase, ground.store, ground.inner / "note.json"):
        assert path.stat().st_mode & 0o077 == 0
    assert ground.log.read_text() == ""


def test_a_second_start_says_where_the_first_is(practised: Checkout) -> None:
    done = practised.cutover("practice", "start", "--stack", "easymo-prod")
    assert done.returncode == 0
    assert f"easymo-prod is up already, in out/practice (process {practised.ground.pid})" in line(done.stdout)
    assert done.stdout.endswith("\nNext: ./cutover status --practice\n")
    other = practised.cutover("practice", "start")
    assert other.returncode == Code.USAGE
    assert f"A practice of easymo-prod is up in this checkout (process {practised.ground.pid}" in line(other.stderr)
    assert line(other.stderr).endswith("Go on with it, or end it first: ./cutover practice stop")


def test_every_command_says_that_it_is_practice(practised: Checkout) -> None:
    mark = "practice: easymo-prod on stand-in clouds. Nothing real is reached."
    for words in (("status", "--practice"), ("phase", "nowhere", "--practice")):
        assert practised.cutover(*words).stderr.startswith(mark)


def test_the_clock(practised: Checkout) -> None:
    def now() -> datetime:
        return datetime.fromisoformat(ask(practised.ground, "status")["clock"])

    before = now()
    assert practised.cutover("practice", "clock", "+2h").returncode == 0
    assert timedelta(hours=2) <= now() - before < timedelta(hours=2, minutes=1)
    wrong = practised.cutover("practice", "clock", "2")
    assert wrong.returncode == Code.USAGE
    assert line(wrong.stderr) == (
        "2 is no time that the clock can be moved by. Write +2h, +90m or +1d, or one of opens, window, soak."
    )


def test_a_release_outside(practised: Checkout) -> None:
    before = ask(practised.ground, "status")["serving"]["admin"]
    done = practised.cutover("practice", "release", "admin", "--json")
    made = json.loads(done.stdout)
    assert made["build"] in ask(practised.ground, "status")["serving"]["admin"] != before
    wrong = practised.cutover("practice", "release", "api")
    assert line(wrong.stderr) == (
        "There is no app api at Vercel here: there are admin. Name one: ./cutover practice release admin"
    )


def test_breaking_and_mending(practised: Checkout) -> None:
    assert practised.cutover("practice", "break", "slack").returncode == 0
    assert ask(practised.ground, "status")["broken"] == ["slack: every call answers 503"]
    assert "slack: every call answers 503" in practised.cutover("practice", "status").stdout
    assert practised.cutover("practice", "mend").returncode == 0
    assert ask(practised.ground, "status")["broken"] == []
    wrong = practised.cutover("practice", "break", "login")  # this platform has no sign-in of its own
    assert wrong.returncode == Code.USAGE
    assert line(wrong.stderr).startswith("Nothing here is called login: there are health, worker, build, cloudflare")


def test_a_port_that_is_gone(practised: Checkout) -> None:
    note = practised.ground.note()
    assert note is not None
    practised.ground.write_note({**note, "port": 1})
    try:
        done = practised.cutover("status", "--practice")
    finally:
        practised.ground.write_note(note)
    assert done.returncode == Code.FAILED
    assert line(done.stderr) == (
        f"The practice (process {practised.ground.pid}) does not answer; out/practice/ground/log.txt may say why. "
        "End it with ./cutover practice stop and begin a new one: ./cutover practice start"
    )


def test_no_stop_under_a_running_update(practised: Checkout) -> None:
    logs = practised.ground.folder / "out" / "cutover" / "easymo-prod"
    logs.mkdir(parents=True, exist_ok=True)
    note = logs / "running.json"
    with subprocess.Popen(["sleep", "60"], start_new_session=True) as update:
        note.write_text(json.dumps({"pid": update.pid, "command": "up", "began": "", "log": "up.txt"}))
        try:
            done = practised.cutover("practice", "stop")
        finally:
            note.unlink()
            update.kill()
    assert done.returncode == Code.LOCKED
    assert f"`pulumi up` still runs on the practice ground (process {update.pid})" in line(done.stderr)
    assert practised.ground.running


def test_without_a_practice(empty: Checkout) -> None:
    for words in (("status", "--practice"), ("practice", "status"), ("practice", "clock", "+1h")):
        done = empty.cutover(*words)
        assert done.returncode == Code.FAILED
        assert line(done.stderr) == "No practice is running. Begin one: ./cutover practice start"
    done = empty.cutover("practice", "stop")
    assert (done.returncode, done.stdout.splitlines()[0]) == (0, "practice: it was not running.")
    assert not (empty.folder / "out").exists()


def test_ctrl_c_while_it_begins_leaves_nothing(empty: Checkout) -> None:
    child = empty.start("practice", "start", "--stack", "easymo-prod")
    until(empty.ground.engine_pid.exists)
    child.send_signal(signal.SIGINT)
    _, said = child.communicate(timeout=300)
    assert child.returncode == Code.INTERRUPTED
    assert "Traceback" not in said
    assert empty.processes() == []
    assert not empty.ground.folder.exists()


def test_killed_in_the_middle_of_its_beginning(empty: Checkout) -> None:
    """The process that holds the ground, and with it whoever waits for it; the engine runs on for a while."""
    child = empty.start("practice", "start", "--stack", "easymo-prod")
    until(empty.ground.engine_pid.exists)
    os.kill(empty.ground.pid, signal.SIGKILL)
    _, said = child.communicate(timeout=300)
    assert child.returncode == Code.FAILED
    assert line(said).endswith(
        "The practice ended while it was being made. out/practice/ground/log.txt may say why; "
        "./cutover practice stop clears it up."
    )
    done = empty.cutover("status", "--practice")
    assert "has ended without a word" in line(done.stderr)
    assert empty.cutover("practice", "stop").returncode == 0
    until(lambda: empty.processes() == [])
    assert not empty.ground.folder.exists()


IDLE = """
import sys
from runbook.cli.practice import daemon, making
daemon.IDLE, daemon.LOOK = 0.5, 0.1
making.Making.make = lambda self: None
sys.exit(daemon.main(*sys.argv[1:]))
"""


def test_it_ends_by_itself(empty: Checkout) -> None:
    """The process itself, with a shorter hour and no stack to bring up."""
    lock = empty.ground.hold()
    python = str(ROOT / ".venv" / "bin" / "python")
    done = subprocess.run(
        [python, "-c", IDLE, str(empty.ground.folder), "easymo-prod", str(lock)],
        cwd=empty.folder,
        pass_fds=(lock,),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    os.close(lock)
    assert (done.returncode, done.stderr) == (0, "")
    assert [path.name for path in empty.ground.folder.rglob("*") if path.is_file()] == ["ended.json"]
    said = line(empty.cutover("status", "--practice").stderr)
    assert said.startswith("The practice ended by itself at 20")
    assert said.endswith("without a command. Begin a new one: ./cutover practice start")
