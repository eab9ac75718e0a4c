"""A cutover of the stack prod on the real engine, which is stopped anywhere, kept, and gone on with from there."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from components.memory import Remembered, remembered
from runbook import platforms
from runbook.model.problems import NAMESPACE
from runbook.rehearsal import events, stack_files
from runbook.rehearsal.clouds import Clouds
from runbook.rehearsal.cutover import company, views
from runbook.rehearsal.cutover.edits import Block, StackConfig
from runbook.rehearsal.cutover.views import Excused
from runbook.rehearsal.engine import Engine, Outcome, Run
from runbook.rehearsal.events import Events
from runbook.rehearsal.stack_files import StackFile
from tests.engine.bench import Bench
from tests.stacks import ROOT

STACK, ZONE = "prod", "ibimina.rw"
STATE = f"state/.pulumi/stacks/runbook/{STACK}.json"  # below the engine's folder, as below that of a point
PLATFORM = platforms.load("ibimina")
REF, NEXT_REF = "ibiminaprodplacehold", "ibiminanextplacehold"
AUTH, NEXT_AUTH = f"auth.{ZONE}", f"sign-in.{ZONE}"
TARGET, NEXT_TARGET = "cname.vercel-dns.com", "next.vercel-dns.com"
# Every kind of thing that a flip changes: DNS of a proxied and of an unproxied name, cache rules by the new auth
# host, env, and either side has a Supabase project of its own.
NEXT = {
    "authHost": NEXT_AUTH,
    "supabaseRef": NEXT_REF,
    "release": "v2.0.0",
    "targets": {"auth": f"{NEXT_REF}.supabase.co", "staff": NEXT_TARGET, "member": NEXT_TARGET},
}
APPS = {
    "staff": {"host": f"staff.{ZONE}", "ttl": 300},
    "member": {"host": f"app.{ZONE}", "proxied": True},
    "auth": {"ttl": 3600},
}
PATIENCE = 90  # seconds until something that is waited for counts as not coming
# Python imports it when it starts: a process that has just put a certain file in its place goes no further.
_HOLDS = """import os, time
replace = os.replace
def held(source, target):
    replace(source, target)
    time.sleep(3600 if os.fspath(target).endswith(os.environ["HELD"]) else 0)
os.replace = held
"""


@dataclass(frozen=True)
class Play(Bench):
    """A stack in the middle of a cutover, on clouds of its own."""

    block: Block

    @property
    def config(self) -> StackConfig:
        return StackConfig(self.engine.config_of(STACK))

    def ask(self, phase: str) -> None:
        """Write a phase into the stack file; an empty one takes the cutover away, as the file from before it."""
        self.config.write(cutover=self.block.section(phase) if phase else None)

    def up(self, *arguments: str, since: str = "", then: Callable[[Play], None] | None = None) -> Outcome:
        """An `up`; `then` is done once the resource `since` has begun. Of one that fails the end is not waited for:
        the engine gives a program that it has ended already five seconds to close its output (seen, 3.258)."""
        run = self.engine.start(STACK, "up", "--yes", "--skip-preview", *arguments)
        told = _events(run)
        while run.process.poll() is None:
            if then and since in {each.name for each in self.so_far(run).changes}:
                then(self)
                then = None
            if told.exists() and '"summaryEvent"' in _last_line(told):
                _end_program(run.process.pid)
            time.sleep(0.02)
        return run.wait()

    def so_far(self, run: Run) -> Events:
        """Of a command, so far."""
        return events.read(_events(run))

    def killed(self, ready: Callable[[Run], bool]) -> Outcome:
        """An `up` that is ended by SIGKILL, the program and the steps' process with it, once `ready`; then the lock
        that it left is taken away as people do."""
        run = self.engine.start(STACK, "up", "--yes", "--skip-preview")
        wait_until(lambda: ready(run) or run.process.poll() is not None)
        assert run.process.poll() is None, run.wait().output
        _stop(run.process.pid)
        while not self._state():  # one that is cut off in the writing is another story (docs/state-backends.md)
            os.killpg(run.process.pid, signal.SIGCONT)
            time.sleep(0.02)
            _stop(run.process.pid)
        os.killpg(run.process.pid, signal.SIGKILL)
        outcome = run.wait()
        self.cancel()
        return outcome

    def cancel(self) -> None:
        self.cli("cancel", "--yes", "--stack", STACK)

    def cli(self, *arguments: str) -> str:
        """A command of Pulumi's that comes through: what it said."""
        done = subprocess.run(
            ["pulumi", *arguments],
            executable=self.engine.folder / "pulumi",
            cwd=self.engine.root,
            env=self.engine.environment,
            check=False,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert done.returncode == 0, done.stdout
        return done.stdout

    def hold(self, file: str) -> None:
        """A step that writes this file never comes back from it."""
        folder = self.engine.out / "held"
        folder.mkdir()
        (folder / "sitecustomize.py").write_text(_HOLDS, encoding="utf-8")
        self.engine.environment |= {"PYTHONPATH": str(folder), "HELD": file}

    def holds(self, resource: str) -> bool:
        """Whether the state holds a resource now, while a command may be writing it."""
        return any(each["urn"].endswith(f"::{resource}") for each in self._state().get("resources", []))

    def _state(self) -> dict[str, Any]:
        """As it lies there; empty while a command has written half of it."""
        with contextlib.suppress(ValueError, FileNotFoundError):
            found: dict[str, Any] = json.loads((self.engine.out / STATE).read_text(encoding="utf-8"))
            latest: dict[str, Any] = found["checkpoint"]["latest"]
            return latest
        return {}

    def kept(self) -> Remembered:
        """What the state holds of ledger and steps."""
        return remembered(json.loads(self.engine.export(STACK)))

    def acted(self) -> dict[str, str]:
        return {name: step["acted"] for name, step in self.kept().steps.items() if step["acted"]}

    def seen(self) -> views.View:
        """What clients observe, without the addresses behind targets: each of the clouds gives out its own."""
        seen = views.observe(self.clouds, views.hosts_of(PLATFORM, self.plain(), NEXT_AUTH))
        for host in seen["hosts"].values():
            host["dns"]["answers"] = [one[:3] if one[2] == "A" else one for one in host["dns"]["answers"]]
        return seen

    def different(self, place: Path, exceptions: Sequence[Excused] = ()) -> list[str]:
        """Where what clients observe, and what the clouds hold, is not what it was at a point."""
        return differences(json.loads((place / "seen.json").read_text(encoding="utf-8")), self.view(), exceptions)

    def view(self) -> dict[str, Any]:
        """What clients observe, and what the clouds hold."""
        now: dict[str, Any] = json.loads(json.dumps({"observed": self.seen(), "held": views.raw(self.clouds)}))
        return now

    def plain(self) -> dict[str, Any]:
        """The stack file's config without its namespace."""
        config: dict[str, Any] = yaml.safe_load(self.config.text())["config"]
        return {key.removeprefix(f"{NAMESPACE}:"): value for key, value in config.items()}

    def keep(self, place: Path) -> None:
        """Everything as it is now, for `resumed`, and what clients observe then."""
        place.mkdir(parents=True, exist_ok=True)
        for folder in ("state", "config"):
            shutil.copytree(self.engine.out / folder, place / folder)
        with (
            contextlib.closing(sqlite3.connect(self.engine.out / "clouds.db")) as live,
            contextlib.closing(sqlite3.connect(place / "clouds.db")) as copy,
        ):
            live.backup(copy)
        kept = {
            "passphrase": self.engine.environment["PULUMI_CONFIG_PASSPHRASE"],
            "secrets": dict(self.files[STACK].secrets),
            "opens": self.block.opens.isoformat(),
            "functions": {name: dict(source) for name, source in self.block.functions.items()},
        }
        (place / "seen.json").write_text(json.dumps(self.view()), encoding="utf-8")
        (place / "kept.json").write_text(json.dumps(kept), encoding="utf-8")


def differences(was: Mapping[str, Any], now: Mapping[str, Any], exceptions: Sequence[Excused] = ()) -> list[str]:
    """Between two views, but for the exceptions."""
    found = [views.differences(was[kind], now[kind], exceptions) for kind in was]
    return [str(each) for one in found for each in one.others]


def block_of(opens: Any, functions: Mapping[str, Mapping[str, str]]) -> Block:
    return Block(NEXT, opens, functions, ("on-call", "ops-alerts"), ("auth-availability",), hours=4)


@contextlib.contextmanager
def begun(out: Path) -> Iterator[Play]:
    """A company that has never run this program: its stack is empty."""
    file = stack_files.load(ROOT, STACK)
    with Clouds(out / "clouds.db", zones=[ZONE]) as clouds:
        functions = company.sources(PLATFORM, out / "functions")
        block = block_of(clouds.clock.now() + timedelta(hours=30), functions)
        play = Play(Engine(ROOT, out, clouds.env()), clouds, {STACK: file}, block)
        play.engine.add_stack(file)
        config = play.config
        records = [*config.section("records")]
        records.append({**records[0], "name": f"_acme-challenge.{NEXT_AUTH}"})
        config.write(apps=APPS, records=records, endpoints=clouds.endpoints())
        company.settle_in(clouds, PLATFORM, play.plain(), NEXT_REF)
        yield play


@contextlib.contextmanager
def resumed(place: Path, out: Path) -> Iterator[Play]:
    """A copy of what was kept, in a folder of its own."""
    kept = json.loads((place / "kept.json").read_text(encoding="utf-8"))
    out.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(place / "clouds.db", out / "clouds.db")
    file = stack_files.load(ROOT, STACK)
    with Clouds(out / "clouds.db") as clouds:
        block = block_of(datetime.fromisoformat(kept["opens"]), kept["functions"])
        same = StackFile(STACK, file.whole, file.platform, kept["secrets"])
        play = Play(Engine(ROOT, out, clouds.env()), clouds, {STACK: same}, block)
        play.engine.environment["PULUMI_CONFIG_PASSPHRASE"] = kept["passphrase"]
        for folder in ("state", "config"):
            shutil.copytree(place / folder, out / folder, dirs_exist_ok=True)
        play.config.write(endpoints=clouds.endpoints())
        yield play


def _events(run: Run) -> Path:
    return run.log.with_suffix(".events.jsonl")


def _last_line(path: Path) -> str:
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - 2000))
        return file.read().decode(errors="replace")


def _stop(leader: int) -> None:
    """All threads of the engine, before this returns: one that runs on for a moment may begin to write the state."""
    os.killpg(leader, signal.SIGSTOP)
    os.waitid(os.P_PID, leader, os.WSTOPPED | os.WEXITED | os.WNOWAIT)


def _end_program(session: int) -> None:
    """End the Python program, which is in the engine's session, and nothing else."""
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            words = (folder / "cmdline").read_bytes()
            if b"pulumi-language-python-exec" in words and os.getsid(int(folder.name)) == session:
                os.kill(int(folder.name), signal.SIGKILL)


def wait_until(ready: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not ready():
        assert time.monotonic() < end, "It did not come."
        time.sleep(0.02)
