"""Parts of the commands that need no engine."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml

from runbook.cli import locks, place, progress
from runbook.cli.drifted import drifted
from runbook.cli.engine import refused
from runbook.cli.errors import CliError
from runbook.cli.locks import Lock
from runbook.cli.out import Out
from runbook.cli.place import Place
from runbook.cli.planning import without_traceback
from runbook.cli.progress import Steps
from runbook.cli.stack import Here
from runbook.cli.standing import Standing, following
from runbook.cli.titles import titles
from runbook.cli.who import Who, two_persons, who
from runbook.model.plans.operation import Operation, Plan
from tests.stacks import ROOT

RECORD = "cloudflare:index/dnsRecord:DnsRecord"


def _locked(folder: Path, pid: int, host: str) -> Lock | None:
    place = folder / ".pulumi" / "locks" / "organization" / "runbook" / "prod"
    place.mkdir(parents=True)
    content = {"pid": pid, "username": "ada", "hostname": host, "timestamp": "2026-11-22T06:47:49.371208965Z"}
    (place / "1.json").write_text(json.dumps(content))
    return locks.held(folder.as_uri(), "prod")


def test_a_lock_that_is_held(tmp_path: Path) -> None:
    lock = _locked(tmp_path, os.getpid(), socket.gethostname())
    assert lock is not None
    assert not lock.dead
    error = lock.error("pulumi cancel --yes --stack prod", "./cutover plan")
    assert error.code == 6
    assert (
        f"ada@{socket.gethostname()} (process {os.getpid()}) holds Pulumi's lock since 2026-11-22T06:47:49"
        in error.text
    )
    assert "one Ctrl-C" in error.remedy


def test_a_lock_that_was_left(tmp_path: Path) -> None:
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    lock = _locked(tmp_path, child.pid, socket.gethostname())
    assert lock is not None
    assert lock.dead
    assert lock.error("pulumi cancel", "./cutover plan").remedy == "Free it: pulumi cancel\nThen: ./cutover plan"


def test_a_lock_of_another_machine_is_not_called_dead(tmp_path: Path) -> None:
    lock = _locked(tmp_path, 999_999, "elsewhere")
    assert lock is not None
    assert not lock.dead


@pytest.mark.parametrize(
    "backend", ["file://~", "file://~/state", "file://./state", "file://{home}/state%20of%20ours"]
)
def test_a_lock_is_found_however_the_backend_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, backend: str
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    folder = {"file://~": ".", "file://{home}/state%20of%20ours": "state of ours"}.get(backend, "state")
    assert _locked(tmp_path / folder, 1, "elsewhere") is not None
    lock = locks.held(backend.format(home=tmp_path), "prod")
    assert lock is not None
    assert lock.who == "ada@elsewhere"


def test_another_project_s_lock_is_none_of_ours(tmp_path: Path) -> None:
    _locked(tmp_path, os.getpid(), socket.gethostname())
    ours = tmp_path / ".pulumi" / "locks" / "organization" / "runbook"
    ours.rename(ours.with_name("shop"))
    assert locks.held(tmp_path.as_uri(), "prod") is None
    assert yaml.safe_load((ROOT / "Pulumi.yaml").read_text(encoding="utf-8"))["name"] == locks.PROJECT


def test_a_command_of_the_engine_never_leads_from_practice_to_production() -> None:
    """Somebody pastes it at two in the morning, in a shell whose backend may be the real one."""
    assert Place(place.ROOT, {}).pulumi("cancel --yes", "prod") == (".venv/engine/pulumi cancel --yes --stack prod")
    state = "file:///home/ada/our%20checkout/out/practice/ground/state"
    practised = Place(place.ROOT / "out" / "practice", {"PULUMI_BACKEND_URL": state}, practice=True, stack="prod")
    assert practised.pulumi("cancel --yes", "prod") == (
        f"PULUMI_BACKEND_URL={state} .venv/engine/pulumi cancel --yes --stack prod --cwd out/practice"
    )


def test_no_lock(tmp_path: Path) -> None:
    assert locks.held(tmp_path.as_uri(), "prod") is None
    assert locks.held("s3://bucket", "prod") is None


@pytest.mark.parametrize(
    ("output", "who_holds"),
    [
        (
            "error: the stack is currently locked by 1 lock(s). Either wait for the other process(es) to end or …\n"
            "  s3://b/.pulumi/locks/o/runbook/prod/1.json: created by ci@runner-7 (pid 41) at 2026-11-22T06:00:00Z",
            "ci@runner-7 (process 41)",
        ),
        ("error: [409] Conflict: Another update is currently in progress.", "Conflict"),
    ],
)
def test_what_the_engine_says_of_a_lock(output: str, who_holds: str) -> None:
    lock = locks.said(output)
    assert lock is not None
    assert who_holds in lock.text


def test_a_failure_that_is_no_lock() -> None:
    assert locks.said("error: update failed") is None


@pytest.mark.parametrize(
    ("said", "remedy"),
    [
        ("error: no stack named 'prod' found", "pulumi stack init prod"),
        ("error: PULUMI_ACCESS_TOKEN must be set for login", "pulumi login"),
        ("error: passphrase must be set with PULUMI_CONFIG_PASSPHRASE or …", "PULUMI_CONFIG_PASSPHRASE_FILE"),
        ("", "same command again"),
    ],
)
def test_what_the_cli_refuses_has_a_remedy(said: str, remedy: str) -> None:
    assert remedy in refused("pulumi config", said, "prod").remedy


@pytest.mark.parametrize(
    ("author", "approver", "fine"),
    [
        ("ada", "bob", True),
        ("", "", True),
        ("ada", "ada", False),
        ("ada", "ADA", False),
        ("ada", "", False),
        ("", "b", False),
    ],
)
def test_two_persons_where_ci_names_them(author: str, approver: str, fine: bool) -> None:
    person = Who({"github": "ada"}, author, approver)
    if fine:
        two_persons(person, "prod")
        return
    with pytest.raises(CliError) as error:
        two_persons(person, "prod")
    assert error.value.code == 3


def test_a_name_that_nobody_vouches_for_is_claimed(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GITHUB_ACTIONS", "GITLAB_CI"):
        monkeypatch.delenv(name, raising=False)
    assert who({}).text.endswith(" (claimed)")
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_ACTOR", "ada")
    assert who({"CUTOVER_APPROVER": "bob"}).text == "ada, approved by bob"


def _plan(*operations: Operation) -> Plan:
    return Plan("prod", "steady", "steady", "", operations)


def test_drift_is_without_noise() -> None:
    """What the vendor adds or orders by itself, what cannot be read back, and what is the engine's own."""
    noise = (
        Operation("u1", RECORD, "a", "update", ("modifiedOn",), {"ttl": 60}, {"ttl": 60, "modifiedOn": "now"}),
        Operation("u2", RECORD, "b", "update", ("tags",), {"tags": []}, {}),
        Operation("u3", "vercel:index/p:P", "c", "update", ("value",), {"value": "[secret]"}, {"value": None}),
        Operation("u4", "pulumi-python:dynamic/runbook:Step", "d", "update", ("acted",), {"a": 1}, {"a": 2}),
    )
    assert drifted(_plan(*noise)) == []


def test_drift_names_the_place() -> None:
    found = drifted(
        _plan(
            Operation("u1", RECORD, "z", "delete", (), {"ttl": 60}, {}),
            Operation("u2", RECORD, "a", "update", (), {"x": {"y": [1, 2]}}, {"x": {"y": [1, 3]}}),
        )
    )
    assert [each.text for each in found] == ["a: x.y[1] is 3, declared is 2", "z is gone"]


def test_progress_has_the_steps_of_the_runbook() -> None:
    step = "pulumi-python:dynamic/runbook:Step"

    def event(name: str, trigger: str) -> dict[str, object]:
        inputs = {"name": name, "kind": "x", "trigger": trigger}
        return {
            "metadata": {"op": "update", "urn": f"urn::{name}", "type": step, "old": {}, "new": {"inputs": inputs}}
        }

    titled = titles("1-flip")
    assert str(titled(event("end-sessions", "1-flip"))) == "end-sessions (3a, 3: drain user sessions)"
    assert titled(event("end-sessions", "")) is None


def test_a_step_of_a_way_back_that_failed_is_not_called_done(capsys: pytest.CaptureFixture[str]) -> None:
    """To the engine it is done: nothing may wait for it."""
    step, urn = "pulumi-python:dynamic/runbook:Step", "urn::verify-login"
    inputs = {"name": "verify-login", "kind": "verify", "trigger": "2-back"}
    new = {"inputs": inputs, "outputs": {"failed": "No login."}}
    metadata = {"op": "update", "urn": urn, "type": step, "old": {}, "new": new}
    steps = Steps(Out(), titles("way-back"))
    steps.event({"resourcePreEvent": {"metadata": metadata}})
    steps.event({"resOutputsEvent": {"metadata": metadata}})
    said = " ".join(capsys.readouterr().err.split())
    assert said == "failed verify-login (3a, 5: verify before the window is called complete), and held up nothing"


def test_a_resource_is_counted_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """It has an event when it begins, and one when it is done."""
    shown: list[Callable[[], str]] = []

    @contextmanager
    def live(_out: Out, now: Callable[[], str], keep: bool = False) -> Iterator[bool]:
        shown.append(now)
        yield not keep

    monkeypatch.setattr(progress, "_live", live)
    with progress.counting(Out(), "Previewing prod") as (on_event, _):
        for kind, urn in (("resourcePreEvent", "a"), ("resOutputsEvent", "a"), ("resOutputsEvent", "b")):
            on_event({kind: {"metadata": {"urn": urn}}})
    assert shown[0]().startswith("Previewing prod, 2 resources …")


@pytest.mark.parametrize(
    ("opened", "window", "practice", "said"),
    [
        (True, "open, for another 2 h", False, "./cutover phase flipped --stack prod"),
        (True, "opens in 2 h", False, "./cutover phase flipped --stack prod, once it opens and in its window"),
        (False, "opens in 2 h", True, "./cutover practice clock window (for real you would wait), then "),
        (False, "open, for another 2 h", True, "./cutover practice clock opens (for real you would wait), then "),
        (True, "open, for another 2 h", True, "./cutover phase flipped --practice"),
    ],
)
def test_what_is_next_before_a_flip(opened: bool, window: str, practice: bool, said: str) -> None:
    here = Here(Place(ROOT, {}, practice, "prod" if practice else ""), "prod")
    seen = Standing("prod", asked="prepared", phase="prepared", open=opened, window=window)
    found = following(here, seen)
    assert found.startswith(said) if said.endswith(" ") else found == said


def test_a_practice_that_is_played_through_can_be_played_again() -> None:
    here = Here(Place(ROOT, {}, True, "prod"), "prod")
    here.raw = {}
    assert following(here, Standing("prod", asked="steady", phase="steady")).startswith("./cutover practice reset, ")


def test_nothing_is_next_while_somebody_holds_the_lock() -> None:
    seen = Standing("prod", asked="prepared", phase="steady", lock="ada@vm holds Pulumi's lock")
    assert (
        following(Here(Place(ROOT, {}), "prod"), seen) == "./cutover status --stack prod, when that update has ended"
    )


def test_the_noise_of_the_engine_is_left_out() -> None:
    assert without_traceback("Exception calling application: Step verify-login: No.") == "Step verify-login: No."


def test_a_fault_of_the_program_is_one_line() -> None:
    said = "error: x\n\nTraceback (most recent call last):\n  File \"a.py\", line 1\nKeyError: 'zone'\n\nerror: y"
    assert without_traceback(said) == "error: x\n\nThe program has a fault: KeyError: 'zone'.\n\nerror: y"
