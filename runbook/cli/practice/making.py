"""How a practice ground comes to be: a company's checkout, its stack brought up once, and what the company has beside
it at its vendors."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from io import StringIO
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import yaml
from ruamel.yaml import YAML

from runbook.cli.errors import CliError
from runbook.cli.place import ENGINE, ROOT
from runbook.cli.practice import history
from runbook.cli.practice.asking import START
from runbook.cli.practice.ground import Ground, write_private
from runbook.model.platform import Platform
from runbook.model.problems import NAMESPACE
from runbook.rehearsal.child import QUIETLY, Plain
from runbook.rehearsal.clouds import Clouds
from runbook.rehearsal.clouds.web import builds_take
from runbook.rehearsal.cutover import company
from runbook.rehearsal.cutover.edits import ZONE, Block
from runbook.rehearsal.engine import Run
from runbook.rehearsal.stack_files import StackFile

PROGRAM = ("__main__.py", "components", "runbook", "schema")
BUILDS_TAKE = 5.0  # seconds
# By the practice clock: an afternoon, so that there is time to prepare for the window of the same evening.
AFTERNOON, EVENING = time(16, 0), time(22, 0)


@dataclass
class Making:
    """`stage`: what is being done, for people. `run`: the engine, once it runs; `stopped`: nothing more is begun."""

    ground: Ground
    file: StackFile
    clouds: Clouds
    stage: str = "beginning"
    run: Run | None = None
    stopped: bool = False
    _environment: dict[str, str] = field(default_factory=dict, repr=False)

    def make(self) -> None:
        """All of it. Raises: CliError, RehearsalError, OSError"""
        assert self.file.platform is not None
        self._environment = self.ground.environment(self.clouds.env())
        for stage, act in self._acts(self.file.platform):
            if self.stopped:
                return
            self.stage = stage
            act()

    def _acts(self, platform: Platform) -> list[tuple[str, Callable[[], None]]]:
        return [
            ("making the stack", self._checkout),
            (f"bringing {self.file.stack} up", self._up),
            ("moving the company in", lambda: self._company(platform)),
        ]

    def interrupt(self) -> None:
        """Begin nothing more; the engine ends its running step."""
        self.stopped = True
        if self.run and self.run.process.poll() is None:
            self.run.process.send_signal(signal.SIGINT)

    def _checkout(self) -> None:
        folder = self.ground.folder
        for name in PROGRAM:
            (folder / name).symlink_to(os.path.relpath(ROOT / name, folder))
        (folder / ".venv").symlink_to(os.path.relpath(ROOT / ".venv", folder))
        (folder / "Pulumi.yaml").write_bytes((ROOT / "Pulumi.yaml").read_bytes())
        (self.ground.inner / "state").mkdir()
        write_private(self.ground.passphrase, secrets.token_urlsafe(32))
        self.stack_file.write_text(self.file.without_secrets(), encoding="utf-8")
        Plain(ENGINE / "pulumi", folder, self._environment).make_stack(self.file.stack, self.file.secrets)
        self._write_stack_file(endpoints={**self.clouds.endpoints(), "out": "out"})

    @property
    def stack_file(self) -> Path:
        return self.ground.folder / f"Pulumi.{self.file.stack}.yaml"

    def _up(self) -> None:
        log = self.ground.engine_log
        # The folder is named so that whoever sees the process knows whose it is.
        words = ["pulumi", "up", "--cwd", str(self.ground.folder), "--yes", "--skip-preview", *QUIETLY]
        with log.open("wb") as output:
            process = subprocess.Popen(
                [*words, "--stack", self.file.stack, "--event-log", str(log.with_suffix(".events.jsonl"))],
                executable=ENGINE / "pulumi",
                cwd=self.ground.folder,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.run = Run(process, log)
        self.ground.engine_pid.write_text(str(process.pid))
        if self.stopped:  # meanwhile
            self.interrupt()
        outcome = self.run.wait()
        if outcome.code and not self.stopped:
            said = "\n\n".join(outcome.events.errors) or outcome.output.strip()[-2000:]
            raise CliError(
                f"`pulumi up` of {self.file.stack} failed on the stand-in clouds; its whole output is in "
                f"{self.ground.shown(log)}.",
                f"Mend what it says and begin again: {START}",
                details=said,
            )

    def _company(self, platform: Platform) -> None:
        clouds, config = self.clouds, self.file.config
        block = beginning(platform, config)
        next_ref = block.next["supabaseRef"]
        company.settle_in(clouds, platform, config, next_ref)
        company.hand_out(clouds, self.file.secrets, config["current"]["supabaseRef"], next_ref)
        company.release_all(clouds, platform, config["environment"], config["current"]["release"])
        builds_take(clouds.store, BUILDS_TAKE)
        block = block.with_window(_this_evening(clouds))
        functions = company.sources(platform, self.ground.folder / "functions")
        relative = {
            name: {**source, "source": os.path.relpath(source["source"], self.ground.folder)}
            for name, source in functions.items()
        }
        self._write_stack_file(cutover={**block.section("steady"), "functions": relative})
        history.begin(self.ground.folder)

    def _write_stack_file(self, **sections: Any) -> None:
        """As in the checkout, comments and all, with what the engine wrote into it and these sections at its end."""
        written = yaml.safe_load(self.stack_file.read_text(encoding="utf-8"))
        written["config"] |= {f"{NAMESPACE}:{name}": value for name, value in sections.items()}
        text = (ROOT / self.stack_file.name).read_text(encoding="utf-8")
        self.stack_file.write_text(with_comments(text, written), encoding="utf-8")


def beginning(platform: Platform, config: Mapping[str, Any]) -> Block:
    """A cutover that this stack could make: to another Supabase project, and where an app stands outside Vercel, to
    another address."""
    ref = f"{platform.name}nextplaceholder"[:20].ljust(20, "x")
    current = config["current"]
    targets = {
        app.name: f"{ref}.supabase.co" if app.auth else _another(current["targets"][app.name])
        for app in platform.apps
        if not app.vercel
    }
    owners = [
        name
        for name, contacts in config["owners"].items()
        if any(contact["kind"] in ("slack", "pagerduty") for contact in contacts)
    ]
    return Block(
        next={"supabaseRef": ref, "targets": targets},
        opens=datetime.min,
        functions={},
        owners=tuple(owners),
        back_out=(_watched(platform, config),),
    )


def _another(target: str) -> str:
    """Another target of the same record type, in the same block of addresses that belongs to nobody (RFC 5737)."""
    head, _, last = target.rpartition(".")
    return f"{head}.{int(last) + 10}" if last.isdigit() else f"next.{target}"


def _watched(platform: Platform, config: Mapping[str, Any]) -> str:
    """The first objective whose alerts can call a cutover back."""
    from runbook.model.objectives import Stack
    from runbook.model.settings import Settings

    hours = Settings.model_validate({**config, "secrets": {}}).business_hours
    stack = Stack(platform.name, config["environment"], config["current"]["release"], hours)
    return next(objective.name for objective in platform.objectives(stack) if objective.watch)


def _this_evening(clouds: Clouds) -> datetime:
    """Move the clock to an afternoon at least a day on, when all that was made is old: when the window begins."""
    zone = ZoneInfo(ZONE)
    later = clouds.clock.now().astimezone(zone) + timedelta(days=1)
    day = later.date() + timedelta(days=later.time() > AFTERNOON)
    clouds.clock.set(datetime.combine(day, AFTERNOON, zone))
    return datetime.combine(day, EVENING, zone)


def with_comments(text: str, wanted: Mapping[str, Any]) -> str:
    """A stack file's text with the values of `wanted`: comments and order stay, what is new stands at the end."""
    yaml_file = YAML()
    yaml_file.preserve_quotes = True
    yaml_file.width = 4096
    yaml_file.indent(mapping=2, sequence=4, offset=2)
    whole = yaml_file.load(text)
    _put(whole, wanted)
    written = StringIO()
    yaml_file.dump(whole, written)
    return written.getvalue()


def _put(node: Any, wanted: Mapping[str, Any]) -> None:
    for key in [key for key in node if key not in wanted]:
        del node[key]
    for key, value in wanted.items():
        if key not in node:
            node[key] = value
        elif isinstance(value, Mapping) and isinstance(node[key], Mapping):
            _put(node[key], value)
        elif node[key] != value:
            node[key] = value
