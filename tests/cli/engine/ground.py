"""A company's own checkout, in git, on stand-in clouds: `./cutover` runs there as it runs for people."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest import mock

from runbook.rehearsal import stack_files
from runbook.rehearsal.clouds import Clouds, Held
from runbook.rehearsal.clouds.cloudflare import RECORD
from runbook.rehearsal.cutover import company
from runbook.rehearsal.cutover.edits import Block, StackConfig
from runbook.rehearsal.stack_files import StackFile
from tests.stacks import ROOT

STACK = "prod"
NEXT_REF = "ibiminanextplacehold"
LINKED = ("__main__.py", "components", "runbook", ".venv", "schema")


@dataclass
class Ground:
    """`done`: every command that ran, as (words, code)."""

    folder: Path
    clouds: Clouds
    environment: dict[str, str] = field(repr=False)
    file: StackFile = field(repr=False)
    done: list[tuple[tuple[str, ...], int]] = field(default_factory=list)

    @property
    def config(self) -> StackConfig:
        return StackConfig(self.folder / f"Pulumi.{STACK}.yaml")

    def start(self, output: int, *words: str) -> subprocess.Popen[bytes]:
        """`./cutover` as the leader of a process group, which is what a terminal sends signals to. `output`: file
        descriptor of both of its streams."""
        return subprocess.Popen(
            [str(ROOT / ".venv" / "bin" / "python"), "-m", "runbook.cli", *words],
            cwd=self.folder,
            env={**self.environment, "PULUMI_STACK": STACK},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )

    def run(self, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """`./cutover` to its end, off a terminal."""
        done = subprocess.run(
            [str(ROOT / ".venv" / "bin" / "python"), "-m", "runbook.cli", *words],
            cwd=self.folder,
            env={**self.environment, "PULUMI_STACK": STACK, **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        self.done.append((words, done.returncode))
        assert "Traceback" not in done.stdout + done.stderr, done.stderr
        return done

    def unread(self, *words: str) -> subprocess.CompletedProcess[str]:
        """A command into a pipe that nobody reads, as `| head -0` makes it; what it says on stderr."""
        reader, writer = os.pipe()
        os.close(reader)
        done = subprocess.run(
            [str(ROOT / ".venv" / "bin" / "python"), "-m", "runbook.cli", *words],
            cwd=self.folder,
            env={**self.environment, "PULUMI_STACK": STACK},
            stdin=subprocess.DEVNULL,
            stdout=writer,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
        os.close(writer)
        return done

    def on_terminal(self, *words: str, answers: Sequence[tuple[str, str]]) -> subprocess.CompletedProcess[str]:
        """A command on a terminal, whose questions are answered: pairs of what it asks and what is typed."""
        outer, inner = pty.openpty()
        child = subprocess.Popen(
            [str(ROOT / ".venv" / "bin" / "python"), "-m", "runbook.cli", *words],
            cwd=self.folder,
            env={**self.environment, "PULUMI_STACK": STACK, "TERM": "xterm-256color"},
            stdin=inner,
            stdout=inner,
            stderr=inner,
            start_new_session=True,
        )
        os.close(inner)
        said, left = b"", list(answers)
        with contextlib.suppress(OSError):  # how a terminal that everybody has left ends
            while chunk := os.read(outer, 65_536):
                said += chunk
                if left and left[0][0].encode() in said:
                    os.write(outer, f"{left.pop(0)[1]}\n".encode())
        os.close(outer)
        return subprocess.CompletedProcess(words, child.wait(), said.decode(), "")

    def json(self, *words: str) -> dict[str, Any]:
        done = self.run(*words, "--json")
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    def pulumi(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(ROOT / ".venv" / "engine" / "pulumi"), *words, "--stack", STACK, "--non-interactive"],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    def set_secrets(self, secrets: Mapping[str, str]) -> None:
        subprocess.run(
            [str(ROOT / ".venv" / "engine" / "pulumi"), "config", "set", "--stack", STACK, "--secret", "secrets"],
            cwd=self.folder,
            env=self.environment,
            input=json.dumps(dict(secrets)),
            text=True,
            check=True,
            capture_output=True,
        )

    def record(self, name: str) -> Held:
        return self.clouds.store.find("cloudflare", RECORD, name=name)[0]

    def put(self, record: Held, **changed: Any) -> None:
        """A record as somebody edits it by hand."""
        self.clouds.store.put(replace(record, properties={**record.properties, **changed}))

    def commit(self, message: str) -> str:
        """What the files hold now, in git; the commit."""
        self._git("add", "-A")
        self._git("commit", "-q", "-m", message)
        return self._git("rev-parse", "HEAD")

    def shallow(self) -> None:
        """From now on the clone has the last commit alone."""
        clone = self.folder / "out" / "clone"
        self._git("clone", "-q", "--depth", "1", self.folder.as_uri(), str(clone))
        shutil.rmtree(self.folder / ".git")
        (clone / ".git").rename(self.folder / ".git")
        shutil.rmtree(clone)

    @contextlib.contextmanager
    def unanswered(self, method: str, kind: str) -> Iterator[None]:
        """Such calls of the engine get their answer at the block's end, so that an update that makes one is not over
        before that, however fast it is and however slow the block."""
        faults, answered = self.clouds.faults, threading.Event()
        meet = faults.meet

        def wait(cloud: str, called: str, of: str, name: str) -> None:
            if (called, of) == (method, kind):
                answered.wait()
            meet(cloud, called, of, name)

        with mock.patch.object(faults, "meet", wait):
            try:
                yield
            finally:
                answered.set()

    def locks(self) -> list[Path]:
        state = Path(self.environment["PULUMI_BACKEND_URL"].removeprefix("file://"))
        return sorted((state / ".pulumi" / "locks").rglob("*.json"))

    def _git(self, *words: str) -> str:
        who = ("-c", "user.name=On call", "-c", "user.email=on-call@made-up.example")
        done = subprocess.run(
            ["git", *who, *words], cwd=self.folder, capture_output=True, text=True, check=True, env=self.environment
        )
        return done.stdout.strip()


@contextlib.contextmanager
def ground(out: Path) -> Iterator[Ground]:
    """The stack file asks for steady, and no update was made yet."""
    file = stack_files.load(ROOT, STACK)
    assert file.platform is not None
    folder = out / "checkout"
    folder.mkdir(parents=True)
    for name in LINKED:
        (folder / name).symlink_to(ROOT / name)
    (folder / "Pulumi.yaml").write_bytes((ROOT / "Pulumi.yaml").read_bytes())
    (folder / f"Pulumi.{STACK}.yaml").write_text(file.without_secrets(), encoding="utf-8")
    (folder / ".gitignore").write_text("out/\n")
    (out / "state").mkdir()
    with Clouds(out / "clouds.db", zones=[str(file.config["zone"])]) as clouds:
        environment = {
            "PATH": os.pathsep.join([str(ROOT / ".venv" / "engine"), os.environ["PATH"]]),
            "HOME": str(out),
            "PULUMI_HOME": str(out / "home"),
            "PULUMI_BACKEND_URL": (out / "state").as_uri(),
            "PULUMI_CONFIG_PASSPHRASE": "made up for this ground",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            **clouds.env(),
        }
        made = Ground(folder, clouds, environment, file)
        _init(made)
        yield made


def _init(made: Ground) -> None:
    """The stack with its secrets, the company's things at its vendors, and the first commit."""
    assert made.file.platform is not None
    assert made.pulumi("stack", "init").returncode == 0
    made.set_secrets(made.file.secrets)
    company.settle_in(made.clouds, made.file.platform, made.file.config, NEXT_REF)
    made.config.write(endpoints=made.clouds.endpoints())
    made._git("init", "-q")
    made.commit("Steady")


def cutover_block(made: Ground, phase: str, opens_in: timedelta = timedelta(hours=-1)) -> dict[str, Any]:
    """The section `cutover` of another Supabase project behind sign-in."""
    assert made.file.platform is not None
    block = Block(
        next={"supabaseRef": NEXT_REF, "targets": {"auth": f"{NEXT_REF}.supabase.co"}},
        opens=made.clouds.clock.now() + opens_in,
        functions=company.sources(made.file.platform, made.folder / "functions"),
        owners=("on-call", "ops-alerts"),
        back_out=("auth-availability",),
        hours=6,
    )
    return block.section(phase)


def wait_until(ready: Callable[[], bool], seconds: float = 300) -> None:
    end = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < end, "It did not come."
        time.sleep(0.05)
