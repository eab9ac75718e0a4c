"""What is made from the model is current and whole: pages of docs/, and the JSON schema that editors read."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from runbook import platforms
from runbook.model.pages import assumed
from runbook.model.stack_schema import stack_schema
from script import generate
from tests.stacks import ROOT, STACKS, secrets, stack_file

MADE = {**generate.docs(), **generate.schema()}
SCHEMA = Draft202012Validator(stack_schema())


@pytest.mark.parametrize("name", MADE)
def test_committed_files_are_what_the_model_makes(name: str) -> None:
    script = "script/schema" if name.startswith("schema/") else "script/docs"
    assert (ROOT / name).read_text(encoding="utf-8") == MADE[name], f"Run {script}."


def test_check_tells_what_is_stale_and_writes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(generate, "ROOT", tmp_path)
    monkeypatch.setattr(generate, "docs", lambda: {"docs/one.md": "one\n", "docs/two.md": "two\n"})
    assert generate.main("docs", "--check") == 1
    assert capsys.readouterr().err == (
        "docs/one.md is not what the model makes; run script/docs.\n"
        "docs/two.md is not what the model makes; run script/docs.\n"
    )
    assert list(tmp_path.iterdir()) == []
    assert generate.main("docs") == 0
    assert capsys.readouterr().out == "Wrote docs/one.md.\nWrote docs/two.md.\n"
    (tmp_path / "docs/two.md").write_text("edited by hand", encoding="utf-8")
    assert generate.main("docs", "--check") == 1
    assert capsys.readouterr().err == "docs/two.md is not what the model makes; run script/docs.\n"
    assert generate.main("docs") == 0
    assert generate.main("docs", "--check") == 0


def test_the_signals_page_has_every_signal_and_assumption() -> None:
    page = MADE["docs/signals.md"]
    for name in platforms.names():
        found = platforms.load(name)
        for signal in found.signals:
            assert f"\n| `{signal.name}` | " in page
        for assumption in found.assumptions:
            assert f"\n| {assumption.fact} | {assumption.check} |\n" in page


def test_assumed_facts_are_counted() -> None:
    page = MADE["docs/signals.md"]
    for name in platforms.names():
        found = platforms.load(name)
        start = page.index(f"## {found.title}: signals")
        section = page[start:].split("\n## ", 2)
        stated = section[0].count("| assumed |") + section[1].count("\n| ") - 2  # less the table's two head lines
        assert assumed(found) == stated > 0
        assert f"| {found.title} | {len(found.signals)} |" in page
        assert f"| {assumed(found)} |\n" in page


def test_the_dashboards_page_does_not_change_with_a_release() -> None:
    page = MADE["docs/dashboards.md"]
    assert 'release="<release>"' in page
    for stack in ("prod", "easymo-prod"):
        release = stack_file(stack)["config"]["runbook:current"]["release"]
        assert release not in page


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(stack_schema())


@pytest.mark.parametrize("stack", STACKS)
def test_stack_files_validate(stack: str) -> None:
    assert [error.message for error in SCHEMA.iter_errors(stack_file(stack))] == []


def _changed(keys: str, value: Any) -> dict[str, Any]:
    file = copy.deepcopy(stack_file("prod"))
    *parents, last = keys.split("/")
    node = file
    for key in parents:
        node = node[key]
    node[last] = value
    return file


@pytest.mark.parametrize(
    "file",
    [
        _changed("config/runbook:secrets", {name: {"secure": "v1:abc"} for name in secrets("prod")}),
        _changed("config/runbook:secrets", {"secure": "v1:abc"}),
        _changed("config/other:key", {"of": "someone else"}),
        _changed("encryptionsalt", "v1:abc"),
        _changed("secretsprovider", "awskms://alias/x"),
        _changed("encryptedkey", "abc"),
        _changed("config/runbook:notifications", {"groupWait": "45s"}),
    ],
)
def test_a_file_as_pulumi_keeps_it_validates(file: dict[str, Any]) -> None:
    assert [error.message for error in SCHEMA.iter_errors(file)] == []


@pytest.mark.parametrize(
    ("file", "at"),
    [
        (_changed("config/runbook:colour", "red"), "config"),
        (_changed("config/runbook:zone", ["a", "list"]), "config/runbook:zone"),
        (_changed("config/runbook:environment", "production"), "config/runbook:environment"),
        (_changed("config/runbook:apps/staff/hosts", "x"), "config/runbook:apps/staff"),
        (_changed("config/runbook:businessHours/start", "8:00"), "config/runbook:businessHours/start"),
        (_changed("config/runbook:businessHours/days", ["mon"]), "config/runbook:businessHours/days/0"),
        (_changed("config/runbook:owners/on-call", [{"kind": "fax"}]), "config/runbook:owners/on-call/0"),
        (_changed("config/runbook:secrets", {"VERCEL_API_TOKEN": "in clear"}), "config/runbook:secrets"),
        (_changed("salt", "v1:abc"), ""),
        ({"config": {}}, "config"),
        ({}, ""),
    ],
)
def test_a_mistake_is_marked_where_it_stands(file: dict[str, Any], at: str) -> None:
    assert {"/".join(map(str, error.absolute_path)) for error in SCHEMA.iter_errors(file)} == {at}


def test_times_and_durations_are_described_as_the_stack_file_writes_them() -> None:
    definitions = stack_schema()["$defs"]
    start = definitions["BusinessHours"]["properties"]["start"]
    assert start["default"] == "08:00"
    assert "format" not in start
    assert definitions["Notifications"]["properties"]["groupWait"]["default"] == "30s"
