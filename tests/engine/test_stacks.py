"""Every committed stack, on the real engine."""

from __future__ import annotations

import json

import pytest

from runbook.rehearsal import events, kinds
from tests.engine.conftest import Rehearsed
from tests.stacks import STACKS


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
    made = [
        (each["type"], each["id"])
        for stack in STACKS
        for each in json.loads(rehearsed.bench.engine.export(stack))["deployment"]["resources"]
        if each.get("provider")
    ]
    held = [(each.kind, each.id) for each in rehearsed.bench.clouds.store.objects() if each.kind != "zone"]

    assert sorted(made) == sorted(held)


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
