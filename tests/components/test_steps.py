"""What a plan registers, and what the provider of a step does with what it is given."""

from __future__ import annotations

import base64
import contextvars
import gc
import json
import logging
import pickle
import sys
import weakref
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import pulumi
import pytest
from pulumi.dynamic import ConfigureRequest
from pulumi.dynamic.config import Config
from pulumi.runtime.mocks import set_mocks
from pydantic import SecretStr

from components import ledger as ledger_component
from components.ledger import LedgerProvider, LedgerResource
from components.steps import WORKERS, StepProvider, Steps, StepsArgs
from runbook.model.cutover.step import Group, Kind, Plan, Step
from runbook.model.problems import NAMESPACE
from runbook.steps.call import Call, StepError
from runbook.steps.reach import Reach
from tests.components.recording import Recorder, Registration, Secret

REACH = Reach(apis={"slack": "https://slack.example"})
TOKEN = 'a "made-up" token'

GATE = Step("target-staff", Kind.TARGET_ANSWERS, "1-flip/1")
SESSIONS = Step("sessions", Kind.END_SESSIONS, "1-flip", secrets={"T": SecretStr(TOKEN)}, after=("target-staff",))
PURGE = Step("purge", Kind.PURGE, "1-flip", after=(Group.CACHE_RULES,))
VERIFY = Step("verify", Kind.HEALTHY, "1-flip", after=(Group.RECORDS, "purge"), reads=("target-staff",))
# VERIFY stands before what it waits for: a plan's order is no promise.
PLAN = Plan((GATE, VERIFY, SESSIONS, PURGE), {Group.RECORDS: ("sessions",)})


class Waits(Recorder):
    """A recorder that also keeps what each resource waits for, by name."""

    def RegisterResource(self, request: Any) -> Any:
        waits[request.name] = {urn.rsplit("::", 1)[-1] for urn in request.dependencies}
        return super().RegisterResource(request)


waits: dict[str, set[str]] = {}


def registered(program: Callable[[], None]) -> dict[str, Registration]:
    """What a program registers, by name."""
    recorder = Waits("prod")
    waits.clear()

    def run() -> None:
        set_mocks(recorder.mocks, project=NAMESPACE, stack="prod", monitor=recorder)
        pulumi.runtime.test(program)()  # type: ignore[no-untyped-call]

    contextvars.Context().run(run)
    return {each.name: each for each in recorder.registrations}


def planned() -> None:
    ledger = LedgerResource("ledger", {"phase": "flipped", "attempt": 2}, REACH)
    steps = Steps("step", StepsArgs(PLAN, ledger, REACH))
    record = LedgerResource("record", {}, REACH)  # any resource will do
    assert [each._name for each in steps.until(Group.RECORDS)] == ["ledger", "step-sessions"]
    steps.met(Group.RECORDS, [record])
    assert steps.until(Group.CACHE_RULES) == [ledger]
    steps.met(Group.CACHE_RULES, [])
    steps.rest()


def test_every_step_waits_for_the_ledger_and_for_what_the_plan_names() -> None:
    registered(planned)
    assert {name: names for name, names in waits.items() if name.startswith("step-")} == {
        "step-target-staff": {"ledger"},
        "step-sessions": {"ledger", "step-target-staff"},
        "step-purge": {"ledger"},
        "step-verify": {"ledger", "record", "step-purge", "step-target-staff"},
    }


def test_a_group_that_comes_after_a_step_that_waits_for_it_is_a_mistake_of_the_wiring() -> None:
    def program() -> None:
        ledger = LedgerResource("ledger", {}, REACH)
        steps = Steps("step", StepsArgs(PLAN, ledger, REACH))
        steps.rest()
        steps.met(Group.RECORDS, [ledger])

    with pytest.raises(RuntimeError, match=r"^A step that waits for records was declared before all of records\.$"):
        registered(program)


def test_inputs_are_plain_but_for_the_secrets() -> None:
    made = registered(planned)["step-sessions"]

    assert made.type == "pulumi-python:dynamic/runbook:Step"
    assert made.inputs.pop("secrets") == Secret(json.dumps({"T": TOKEN}))
    assert TOKEN not in str(made.inputs)
    assert json.loads(made.inputs["reach"]) == REACH.as_json()
    assert {name: made.inputs[name] for name in ("name", "kind", "trigger", "reported", "undone")} == {
        "name": "sessions",
        "kind": "end-sessions",
        "trigger": "1-flip",
        "reported": False,
        "undone": False,
    }


def test_the_ledger_is_protected_and_keeps_its_record_alone() -> None:
    made = registered(planned)["ledger"]

    assert made.protect
    assert made.type == "pulumi-python:dynamic/runbook:Ledger"
    assert ledger_component.record(made.inputs) == {"phase": "flipped", "attempt": 2}


@pytest.mark.parametrize(
    ("kept", "provider"),
    [
        ("gASVKAAAAAAAAACMEGNvbXBvbmVudHMuc3RlcHOUjAxTdGVwUHJvdmlkZXKUk5QpgZQu", StepProvider),
        ("gASVKwAAAAAAAACMEWNvbXBvbmVudHMubGVkZ2VylIwOTGVkZ2VyUHJvdmlkZXKUk5QpgZQu", LedgerProvider),
    ],
)
def test_the_providers_that_kept_states_name_are_found(kept: str, provider: type) -> None:
    """These texts stand in the state of every stack: a module or class that moves leaves them behind."""
    assert type(pickle.loads(base64.b64decode(kept))) is provider


def test_a_provider_serves_more_steps_at_a_time_than_the_sdk_lets_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Among the objects of a process there may be proxies of what is gone, which answer no question."""

    class Gone:
        pass

    monkeypatch.setattr(logging.getLogger("grpc._server"), "disabled", False)
    with ThreadPoolExecutor(4) as pool:
        monkeypatch.setattr(gc, "get_objects", lambda: [weakref.proxy(Gone()), pool])
        StepProvider().configure(ConfigureRequest(Config({}, "runbook")))
        assert pool._max_workers == WORKERS
    assert logging.getLogger("grpc._server").disabled


@dataclass
class Kinds:
    """Stands in for what steps do, and keeps each call."""

    calls: list[Call] = field(default_factory=list)
    fails: str = ""
    evidence: dict[str, Any] = field(default_factory=lambda: {"saw": 200})

    def act(self, kind: Kind, call: Call) -> dict[str, Any]:
        self.calls.append(call)
        if self.fails:
            raise StepError(self.fails)
        return self.evidence


@pytest.fixture
def kinds(monkeypatch: pytest.MonkeyPatch) -> Kinds:
    kinds = Kinds()
    module = ModuleType("runbook.steps.kinds")
    vars(module)["act"] = kinds.act
    monkeypatch.setitem(sys.modules, "runbook.steps.kinds", module)
    return kinds


def inputs(**changes: Any) -> dict[str, Any]:
    plain = {"name": "page", "kind": "page", "args": '{"channel": "#ops"}', "secrets": json.dumps({"T": TOKEN})}
    reach = json.dumps(REACH.as_json())
    return {**plain, "trigger": "1-flip", "reach": reach, "reads": {}, "reported": False, "undone": False, **changes}


def outputs(acted: str = "", evidence: str = "{}", failed: str = "") -> dict[str, Any]:
    return {"acted": acted, "evidence": evidence, "failed": failed}


def created(**changes: Any) -> Mapping[str, Any]:
    outs = StepProvider().create(inputs(**changes)).outs
    assert outs is not None
    return outs


def updated(olds: dict[str, Any], **changes: Any) -> Mapping[str, Any]:
    outs = StepProvider().update("page", olds, inputs(**changes)).outs
    assert outs is not None
    return outs


def differs(olds: dict[str, Any], **changes: Any) -> bool | None:
    return StepProvider().diff("page", olds, inputs(**changes)).changes


@pytest.mark.parametrize(
    ("olds", "changes", "expected"),
    [
        (outputs(), {}, True),
        (outputs("1-flip"), {}, False),
        (outputs("1-flip"), {"args": '{"channel": "#other"}', "secrets": "{}"}, False),  # no call to any cloud
        (outputs("1-flip"), {"trigger": "2-back"}, True),
        (outputs("1-flip"), {"trigger": ""}, False),
        (outputs("1-flip"), {"trigger": "", "undone": True}, True),
        (outputs(), {"trigger": "", "undone": True}, False),
        (outputs("1-flip", failed="It failed."), {"trigger": "2-back"}, True),
        (outputs("1-flip", failed="It failed."), {"trigger": ""}, True),  # nothing will try it again: forgotten
    ],
)
def test_a_trigger_alone_makes_a_step_act(olds: dict[str, Any], changes: dict[str, Any], expected: bool) -> None:
    assert differs(olds, **changes) is expected


def test_a_step_without_a_trigger_does_nothing(kinds: Kinds) -> None:
    assert created(trigger="") == outputs()
    assert updated(outputs("1-flip", '{"a": 1}', "It failed."), trigger="") == outputs("1-flip", '{"a": 1}')
    assert kinds.calls == []


def test_a_step_is_given_all_that_it_reads(kinds: Kinds) -> None:
    reads = {"build": outputs("prepare-1", '{"url": "x"}', "Step build: it failed.")}
    outs = updated(outputs("1-flip", '{"id": "dpl_1"}'), trigger="2-back", reads=reads)

    assert outs == outputs("2-back", '{"saw": 200}')
    (call,) = kinds.calls
    assert (call.name, call.trigger, call.args) == ("page", "2-back", {"channel": "#ops"})
    assert call.secrets == {"T": TOKEN}
    assert call.reach == REACH
    assert (call.read, call.acted) == ({"build": {"url": "x"}}, {"build": "prepare-1"})
    assert call.failed == {"build": "Step build: it failed."}
    assert call.before == {"id": "dpl_1"}


def test_what_can_be_taken_back_is_told_what_it_was(kinds: Kinds) -> None:
    kinds.evidence = {"deleted": "Q1"}

    assert updated(outputs("prepare-2", '{"scheduled": "Q1"}'), trigger="", undone=True) == outputs(
        "", '{"deleted": "Q1"}'
    )
    assert [(call.trigger, call.before) for call in kinds.calls] == [("", {"scheduled": "Q1"})]


def test_a_failure_fails_the_update(kinds: Kinds) -> None:
    kinds.fails = "Slack answered 500."

    with pytest.raises(StepError, match=r"^Step page: Slack answered 500\.$"):
        created()


def test_a_reported_failure_is_kept_and_tried_again(kinds: Kinds) -> None:
    kinds.fails = "Slack answered 500."
    outs = updated(outputs("1-flip", '{"a": 1}'), trigger="2-back", reported=True)

    assert outs == outputs("1-flip", '{"a": 1}', "Step page: Slack answered 500.")
    assert differs(dict(outs), trigger="2-back", reported=True)
    kinds.fails = ""
    assert updated(dict(outs), trigger="2-back", reported=True) == outputs("2-back", '{"saw": 200}')
