"""What the program reads of its own stack's state, and what it says when it cannot."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pulumi
import pytest

from components import memory
from components.memory import LEDGER, STEP, Remembered, remembered


def resource(type_: str, inputs: dict[str, Any], outputs: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": type_, "inputs": {"__provider": "gASV", **inputs}, "outputs": outputs, **more}


def step(name: str, acted: str, evidence: str = "{}", failed: str = "", **more: Any) -> dict[str, Any]:
    inputs = {"name": name, "trigger": "9-flip", "secrets": {"ciphertext": "v1:abc"}, "reach": "{}"}
    return resource(STEP, inputs, {"acted": acted, "evidence": evidence, "failed": failed}, **more)


def test_a_new_stack_remembers_nothing() -> None:
    assert remembered({"version": 3, "deployment": {}}) == Remembered(None, {}, frozenset())


def test_ledger_steps_and_names_are_remembered_and_nothing_else() -> None:
    ledger = {"phase": "flipped", "crossing": 1}
    exported = [
        resource("pulumi:pulumi:Stack", {}, {"hosts": []}),
        resource(LEDGER, {**ledger, "reach": "{}"}, {}),
        step("promote-staff", "1-flip", '{"deployment": "dpl_1"}'),
        step("annotate", "", failed="Grafana answered 503."),
        step("promote-staff", "0-flip", delete=True),
        resource("cloudflare:index/dnsRecord:DnsRecord", {"name": "auth.ibimina.rw"}, {}),
    ]

    assert remembered({"deployment": {"resources": exported}}) == Remembered(
        ledger=ledger,
        steps={
            "promote-staff": {"acted": "1-flip", "evidence": {"deployment": "dpl_1"}, "failed": ""},
            "annotate": {"acted": "", "evidence": {}, "failed": "Grafana answered 503."},
        },
        names=frozenset({"auth.ibimina.rw"}),
    )


def cli(folder: Path, script: str) -> None:
    file = folder / "pulumi"
    file.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    file.chmod(0o755)


def test_the_cli_is_asked_for_this_stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cli(tmp_path, f'echo "$@" > {tmp_path}/asked\necho \'{{"deployment": {{}}}}\'')
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.setattr(pulumi, "get_organization", lambda: "ours")
    monkeypatch.setattr(pulumi, "get_project", lambda: "runbook")

    assert memory.begin("prod").result() == Remembered(None, {}, frozenset())
    assert (tmp_path / "asked").read_text("utf-8").split() == (
        ["stack", "export", "--stack", "ours/runbook/prod", "--non-interactive", "--color", "never"]
    )


def test_a_cli_that_is_not_there_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(pulumi.RunError) as refused:
        memory.begin("prod")
    assert str(refused.value) == (
        "`pulumi stack export`, by which the program reads what this stack did before, failed. "
        "It could not be started: No such file or directory.\n"
        "The CLI that runs this program must be on PATH; nothing was changed."
    )


def test_a_cli_that_fails_is_quoted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cli(tmp_path, "echo 'error: no stack named prod' >&2; exit 255")
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)

    with pytest.raises(pulumi.RunError, match=r"failed\. It said: error: no stack named prod\n"):
        memory.begin("prod").result()


def test_a_cli_that_hangs_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cli(tmp_path, "exec sleep 60")
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.setattr(memory, "LIMIT", 0.2)

    with pytest.raises(pulumi.RunError, match=r"failed\. It did not answer within 0\.2 s\.\n"):
        memory.begin("prod").result()


@pytest.mark.parametrize("said", ["", "warning: a new version", '{"deployment": 5}', "[]"])
def test_a_cli_that_says_something_else_is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str
) -> None:
    cli(tmp_path, f"echo '{said}'")
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)

    with pytest.raises(pulumi.RunError, match=r"failed\. What it wrote is no state of a stack\.\n"):
        memory.begin("prod").result()


def test_a_ledger_of_another_version_is_a_sentence() -> None:
    with pytest.raises(pulumi.RunError) as refused:
        Remembered({"phase": "half-flipped", "side": {}}, {}).memory()
    assert str(refused.value).startswith("The ledger in the state is not one that this program writes: phase: Input ")
    assert str(refused.value).endswith(
        "\nAnother version of the program may have written it: go on with that one. Nothing was changed."
    )
