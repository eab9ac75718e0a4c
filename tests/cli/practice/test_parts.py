"""The parts of practice that need neither the engine nor a process of their own."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml

from runbook.cli.codes import Code
from runbook.cli.errors import CliError
from runbook.cli.practice import history
from runbook.cli.practice.answering import Port
from runbook.cli.practice.asking import Unanswered, ask, gone
from runbook.cli.practice.breaks import Breaks
from runbook.cli.practice.daemon import Quiet, told
from runbook.cli.practice.ground import Ground, Held
from runbook.cli.practice.hints import time_goes_by
from runbook.cli.practice.making import beginning, with_comments
from runbook.cli.practice.moving import span
from runbook.cli.practice.starting import begin, end
from runbook.cli.running import running_note
from runbook.model.cutover.phases import Phase
from runbook.model.reading import read
from runbook.rehearsal import stack_files
from runbook.rehearsal.clouds import CloudError, Faults, Store
from tests.stacks import ROOT, STACKS, platform, raw


@pytest.fixture
def ground(tmp_path: Path) -> Ground:
    return Ground(tmp_path / "out" / "practice")


@pytest.fixture
def port(ground: Ground) -> Iterator[Port]:
    def refuse(_values: object) -> dict[str, object]:
        raise CliError("No.", "Do this.", Code.USAGE)

    ground.inner.mkdir(parents=True)
    with closing(Port({"echo": dict, "refuse": refuse})) as made:
        ground.write_note({"port": made.number, "token": made.token, "stack": "prod", "began": "", "clouds": {}})
        yield made


def test_one_holds_the_ground(ground: Ground) -> None:
    seen = [ground.running]
    held = ground.hold()
    seen.append(ground.running)
    with pytest.raises(Held):
        ground.hold()
    os.close(held)
    assert [*seen, ground.running] == [False, True, False]


def test_a_ground_that_was_removed_is_not_held(ground: Ground) -> None:
    held = ground.hold()
    ground.clear()
    assert not ground.is_ours(held)
    again = ground.hold()
    assert ground.is_ours(again)
    os.close(held)
    os.close(again)


def test_a_number_alone_proves_nothing(ground: Ground) -> None:
    """The number of a process that lives and is not ours: this one would not survive being taken for it."""
    ground.inner.mkdir(parents=True)
    ground.pid_file.write_text(str(os.getpid()))
    assert not ground.running
    assert str(gone(ground)) == (
        f"The practice in out/practice has ended without a word (process {os.getpid()}): it was killed, or the "
        "machine was started anew."
    )
    assert end(ground)
    assert not ground.folder.exists()


def test_what_a_killed_engine_left_is_ended_and_nothing_else(ground: Ground) -> None:
    """It leads a session, as every engine here; another session's process is left alone, whatever number it has."""
    ground.inner.mkdir(parents=True)
    (ground.logs / "prod").mkdir(parents=True)
    sleeping = f"import time; time.sleep(60)  # {ground.checkout}"
    parent = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {sleeping!r}]); print()"
    command = [sys.executable, "-c", parent]
    with subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True) as engine:
        assert engine.stdout is not None
        engine.stdout.readline()
    other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True)
    for stack, number in {"prod": engine.pid, "staging": other.pid}.items():
        running_note(ground.logs / stack).parent.mkdir(exist_ok=True)
        running_note(ground.logs / stack).write_text(json.dumps({"pid": number, "command": "up", "log": ""}))
    try:
        assert str(ground.checkout) in _commands()
        assert end(ground)
        for _ in range(50):  # the system takes a moment
            if str(ground.checkout) not in _commands():
                break
            time.sleep(0.1)
        assert str(ground.checkout) not in _commands()
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


def _commands() -> str:
    return subprocess.run(["ps", "-Aww", "-o", "command="], capture_output=True, text=True, check=True).stdout


def test_it_is_private(ground: Ground, port: Port) -> None:
    note = ground.inner / "note.json"
    assert note.stat().st_mode & 0o777 == 0o600
    ground.write_note({**(ground.note() or {}), "token": "another"})
    with pytest.raises(CliError, match="Nothing here"):
        ask(ground, "echo")


def test_asking(ground: Ground, port: Port) -> None:
    assert ask(ground, "echo", what="login") == {"what": "login"}
    with pytest.raises(CliError) as refused:
        ask(ground, "refuse")
    assert (refused.value.text, refused.value.code) == ("No. Do this.", Code.USAGE)
    ground.write_note({**(ground.note() or {}), "port": 1})
    with pytest.raises(Unanswered):
        ask(ground, "echo")


def test_the_engine_sees_no_token_of_a_person(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOUDFLARE_API_TOKEN", "a real one")
    monkeypatch.setenv("PULUMI_ACCESS_TOKEN", "a real one")
    environment = ground.environment({"PULUMI_DEBUG_PROVIDERS": "vercel:1"})
    assert "a real one" not in environment.values()
    assert environment["PULUMI_BACKEND_URL"] == f"file://{ground.inner}/state"


def test_a_full_disk(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage("/")._replace(free=1000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    with pytest.raises(CliError) as refused:
        begin(ground, "prod")
    assert refused.value.text == (
        "The disk is full: a practice needs some 50 MB. Make room and run the same command again."
    )
    assert not ground.inner.exists()


def test_what_breaks_while_it_is_made() -> None:
    full = told(OSError(errno.ENOSPC, "No space left on device"))
    assert full.sentence == "The disk is full, and a practice needs some 50 MB."
    assert "nobody listens" in told(RuntimeError("nobody listens")).sentence
    loopback = told(CloudError("The stand-in internet cannot use 127.0.1.1."))
    assert loopback.text == "The stand-in internet cannot use 127.0.1.1. Begin a new one: ./cutover practice start"
    own = CliError("This.", "That.")
    assert told(own) is own


def test_a_stack_that_is_not_there(ground: Ground) -> None:
    with pytest.raises(CliError) as refused:
        begin(ground, "prd")
    assert refused.value.code is Code.USAGE
    assert "Did you mean prod?" in refused.value.text


def test_quiet_is_nobody_asking_and_nobody_calling_the_clouds(tmp_path: Path) -> None:
    now = [0.0]
    with closing(Store(tmp_path / "clouds.db")) as store:
        quiet = Quiet(store, lambda: now[0])
        now[0] = 50
        assert quiet.seconds() == 50
        quiet.asked()
        now[0] = 70
        assert quiet.seconds() == 20
        store.count("vercel", "project", "GET")
        assert quiet.seconds() == 0


@pytest.mark.parametrize("stack", STACKS)
def test_every_stack_has_a_cutover_to_practise(stack: str) -> None:
    config = raw(stack)
    block = beginning(platform(stack), config).with_window(datetime(2026, 11, 23, 20, tzinfo=UTC))
    made = {**config, "cutover": {**block.section("steady"), "functions": {}}}
    secrets = dict(stack_files.load(ROOT, stack).secrets)
    settings = read(stack, {**made, "secrets": secrets}, platform(stack))
    assert settings.phase is Phase.STEADY
    assert settings.next is not None
    assert settings.next.targets != settings.current.targets


@pytest.mark.parametrize("stack", STACKS)
def test_everything_can_be_broken_and_mended(stack: str) -> None:
    breaks, faults = Breaks.of(platform(stack), raw(stack)), Faults()
    assert ("login" in breaks.words) is (platform(stack).auth_app is not None)
    before = dict(vars(faults))
    for word in breaks.words:
        assert breaks.says(word)
        breaks.turn(faults, word)
    assert len(faults._broken) + len(faults._down) == len(breaks.words)
    for word in breaks.words:
        breaks.turn_back(faults, word)
    assert vars(faults) == before


def test_the_history_is_the_practice_s_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where a command is run by a hook of the checkout around it, which git tells every child of."""
    around, ground = tmp_path / "around", tmp_path / "around" / "practice"
    ground.mkdir(parents=True)
    subprocess.run(["git", "init", "-q", str(around)], check=True)
    monkeypatch.setenv("GIT_DIR", str(around / ".git"))
    (ground / "Pulumi.prod.yaml").write_text("config: {}\n")
    history.begin(ground)
    monkeypatch.delenv("GIT_DIR")
    commits = [
        subprocess.run(["git", "log", "--oneline"], cwd=folder, capture_output=True, text=True, check=False).stdout
        for folder in (ground, around)
    ]
    assert commits[0].endswith("Steady\n")
    assert commits[1] == ""


def test_comments_of_a_stack_file_stay() -> None:
    text = (ROOT / "Pulumi.prod.yaml").read_text(encoding="utf-8")
    wanted = yaml.safe_load(text)
    assert with_comments(text, wanted) == text
    wanted["config"]["runbook:zone"] = "another.example"
    wanted["config"]["runbook:endpoints"] = {"out": "out"}
    written = with_comments(text, wanted)
    assert yaml.safe_load(written) == wanted
    assert "# Supabase proves with it that the custom hostname is ours." in written


@pytest.mark.parametrize(("text", "hours"), [("+2h", 2), ("90m", 1.5), ("+1d", 24), ("1d2h30m", 26.5), (" +3h ", 3)])
def test_spans(text: str, hours: float) -> None:
    assert span(text) == timedelta(hours=hours)


@pytest.mark.parametrize("text", ["", "+", "2", "-2h", "+2x", "h2", "0h"])
def test_what_is_no_span(text: str) -> None:
    with pytest.raises(CliError) as refused:
        span(text)
    assert refused.value.code is Code.USAGE


@pytest.mark.parametrize(
    ("rules", "word"),
    [
        (["window", "opens-at"], "window"),
        (["opens-at"], "opens"),
        (["soak"], "soak"),
        (["window", "build"], ""),
        ([], ""),
    ],
)
def test_time_helps_where_nothing_but_time_is_missing(rules: list[str], word: str) -> None:
    said = "\n\n".join(f"1. runbook:cutover.phase = 'flipped'\n   rule:    {rule}\n   allowed: so" for rule in rules)
    hint = f"in practice the clock is moved: ./cutover practice clock {word}" if word else ""
    assert time_goes_by(said).endswith(hint)
    assert bool(time_goes_by(said)) is bool(word)
