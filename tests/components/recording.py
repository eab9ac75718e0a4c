"""Runs the whole program against a recording fake of the engine, which keeps every registration as it was sent.

It is the SDK's own mock monitor with a memory. In place of a state that was kept and of clouds that answer it gives
what a test says, so the program can be run in any phase. It runs neither the engine's diff nor hooks nor checks of a
provider: what depends on those is tested on the real engine, in tests/engine.
"""

from __future__ import annotations

import contextvars
import json
import os
import runpy
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from unittest import mock

import pulumi
from google.protobuf.json_format import MessageToDict
from pulumi.runtime.mocks import MockCallArgs, MockMonitor, MockResourceArgs, Mocks, set_mocks

from components.memory import Remembered
from runbook.model.cutover.observed import Observed
from runbook.model.problems import NAMESPACE
from tests import stacks
from tests.model.cutover import examples

SIGNATURE = "4dabf18193072939515e22adb298388d"  # how a value's kind is told on the wire; pulumi/rpc.py
SECRET = "1b47061264138c4ac30d75fd1eb44270"


@dataclass(frozen=True)
class Secret:
    """A value that went over the wire as secret."""

    value: Any


@dataclass(frozen=True)
class Registration:
    """One resource as the program declared it. `parent` is an URN, `provider` the provider's name, `waits` and
    `formerly` are names."""

    urn: str
    type: str
    name: str
    parent: str
    provider: str
    protect: bool
    delete_before_replace: bool
    waits: frozenset[str]
    formerly: tuple[str, ...]
    inputs: dict[str, Any]


class _Answers(Mocks):
    """What a cloud would have computed."""

    def new_resource(self, args: MockResourceArgs) -> tuple[str | None, dict[Any, Any]]:
        computed = {"connectionString": "made-up connection string", "token": "made-up token"}
        return f"{args.name}-id", {**(computed if args.typ.endswith("EdgeConfigToken") else {}), **args.inputs}

    def call(self, args: MockCallArgs) -> tuple[dict[Any, Any], list[tuple[str, str]] | None]:
        assert args.token == "cloudflare:index/getZone:getZone"
        return {"id": f"id-of-{args.args['filter']['name']}"}, []


@dataclass
class Recorder(MockMonitor):
    stack: str
    registrations: list[Registration] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(_Answers())

    def RegisterResource(self, request: Any) -> Any:
        self.registrations.append(
            Registration(
                urn=self.make_urn(request.parent, request.type, request.name),
                type=request.type,
                name=request.name,
                parent=request.parent,
                provider=request.provider.split("::")[-2] if request.provider else "",
                protect=request.protect,
                delete_before_replace=request.deleteBeforeReplace,
                waits=frozenset(urn.rpartition("::")[2] for urn in request.dependencies),
                formerly=tuple(name for alias in request.aliases if (name := alias.spec.name)),
                inputs=_plain(MessageToDict(request.object)),
            )
        )
        return super().RegisterResource(request)  # type: ignore[no-untyped-call]

    def make_urn(self, parent: str, type_: str, name: str) -> str:
        """As the engine names it; the stack itself is no part of its children's types."""
        kinds = parent.split("::")[2] + "$" if parent and not parent.split("::")[2].endswith(":Stack") else ""
        return f"urn:pulumi:{self.stack}::{NAMESPACE}::{kinds}{type_}::{name}"


@dataclass(frozen=True)
class World:
    """What the program finds beside its config: what the state remembers, what the clouds show, and the time."""

    remembered: Remembered = field(default_factory=lambda: Remembered(None, {}))
    observed: Observed = field(default_factory=Observed)
    now: datetime = examples.IN_WINDOW


def run(stack: str, world: World | None = None, **changes: Any) -> Recorder:
    """Everything that the program registers for a committed stack file, with made-up secrets. Without a world the
    stack is new. `changes`: sections of the file that are others."""
    recorder = Recorder(stack)
    # In a context of its own, or the SDK would take the root resource of the stack that ran before.
    contextvars.Context().run(_run, stack, recorder, world or World(), changes)
    return recorder


def _run(stack: str, recorder: Recorder, world: World, changes: dict[str, Any]) -> None:
    config = examples.with_secrets(stack, {**stacks.raw(stack), **changes})
    environment = {
        "PULUMI_CONFIG": json.dumps({f"{NAMESPACE}:{key}": _text(value) for key, value in config.items()}),
        "PULUMI_CONFIG_SECRET_KEYS": json.dumps([f"{NAMESPACE}:secrets"]),
    }
    set_mocks(_Answers(), project=NAMESPACE, stack=stack, monitor=recorder)
    pending = mock.Mock(result=lambda: world.remembered)
    with (
        mock.patch.dict(os.environ, environment),
        mock.patch("components.memory.begin", return_value=pending),
        mock.patch("components.cutover.commit_of", return_value=""),
        mock.patch("runbook.steps.observe.observe", return_value=world.observed),
        mock.patch("runbook.steps.reach.Reach.now", return_value=world.now),
    ):
        pulumi.runtime.test(program)()  # type: ignore[no-untyped-call]


def program() -> None:
    """What the engine's Python host runs."""
    runpy.run_path(str(stacks.ROOT / "__main__.py"), run_name="__main__")


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _plain(value: Any) -> Any:
    """From the wire's form: whole numbers as int, secrets as Secret."""
    if isinstance(value, dict):
        if value.get(SIGNATURE) == SECRET:
            return Secret(_plain(value["value"]))
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
