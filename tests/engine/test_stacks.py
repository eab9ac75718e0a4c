"""Every committed stack, on the real engine."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from components import memory
from runbook.rehearsal import events, kinds
from tests.engine.conftest import Rehearsed
from tests.stacks import STACKS

OURS = (memory.LEDGER, memory.STEP)  # kept in the state alone


@pytest.mark.parametrize("stack", STACKS)
def test_after_up_a_second_preview_finds_nothing_to_change(rehearsed: Rehearsed, stack: str) -> None:
    log = rehearsed.bench.engine.out / "log" / stack
    preview, up, second = (events.read(log / f"{name}.events.jsonl") for name in ("1-preview", "2-up", "3-preview"))
    count = rehearsed.results[stack].resources

    assert rehearsed.results[stack].unfinished == []
    assert second.resources == {"same": count}
    assert preview.resources == up.resources == {"create": count}
    assert {each.urn for each in preview.changes} == {each.urn for each in up.done}


def test_what_was_created_stands_in_the_clouds_and_nothing_else(rehearsed: Rehearsed) -> None:
    made = [(each["type"], each["id"]) for each in _provided(rehearsed) if each["type"] not in OURS]
    held = [(each.kind, each.id) for each in rehearsed.bench.clouds.store.objects() if each.kind != "zone"]

    assert sorted(made) == sorted(held)


def test_of_ledger_and_steps_nothing_stands_in_the_clouds_and_no_step_acted(rehearsed: Rehearsed) -> None:
    """A stack without a cutover declares them all the same, so that what they did before is not forgotten."""
    ours = [each for each in _provided(rehearsed) if each["type"] in OURS]

    assert [each["id"] for each in ours if each["type"] == memory.LEDGER] == ["ledger"] * len(STACKS)
    assert {each["outputs"]["acted"] for each in ours if each["type"] == memory.STEP} == {""}


def _provided(rehearsed: Rehearsed) -> Iterator[dict[str, Any]]:
    """Every resource in the states of all stacks that some provider made."""
    for stack in STACKS:
        resources = json.loads(rehearsed.bench.engine.export(stack))["deployment"]["resources"]
        yield from (each for each in resources if each.get("provider"))


@pytest.mark.parametrize("stack", STACKS)
def test_the_report_counts_what_the_state_holds(rehearsed: Rehearsed, stack: str) -> None:
    resources = json.loads(rehearsed.bench.engine.export(stack))["deployment"]["resources"]
    created = rehearsed.results[stack].created

    for cloud, title in kinds.CLOUDS.items():
        held = [each for each in resources if each["type"].startswith(f"{cloud}:")]
        assert kinds.objects({title: created[title]}) == len(held) > 0
    rules = [each["inputs"]["rules"] for each in resources if each["type"].endswith(":RuleGroup")]
    assert created["Grafana"]["alert rule"] == sum(map(len, rules)) > len(rules)


@pytest.mark.parametrize("stack", STACKS)
def test_our_own_code_takes_less_than_a_plain_import_of_the_sdks(rehearsed: Rehearsed, stack: str) -> None:
    seconds = rehearsed.results[stack].program_seconds

    assert 0 < seconds.own < seconds.plain_sdk_import
    assert seconds.total == pytest.approx(seconds.own + seconds.sdk_import)
