from __future__ import annotations

import json
from typing import Any

import pytest

from tests.rehearsal.samples import SPENT, cutover, result, with_cutover


def test_result_json_has_the_figures_of_all_stacks_and_of_each() -> None:
    whole = json.loads(result().as_json())
    common = {"engine", "resources", "second_preview_changes", "seconds", "stand_ins", "assumed", "program_seconds"}

    assert common <= whole.keys()
    assert list(whole["stacks"]) == ["prod", "staging", "easymo-prod"]
    assert all(common <= stack.keys() for stack in whole["stacks"].values())
    assert whole["engine"] == "3.258.0"
    assert whole["resources"] == 171
    assert whole["second_preview_changes"] == 0
    assert whole["seconds"] == {"preview": 12.0, "up": 24.0, "second_preview": 24.0}
    assert whole["spent"] == {name: 3 * seconds for name, seconds in SPENT.items()}


def test_a_platform_that_was_rehearsed_twice_assumes_its_facts_once() -> None:
    assert json.loads(result().as_json())["assumed"] == 28


def test_the_program_of_all_stacks_is_the_slowest() -> None:
    whole = json.loads(result().as_json())

    assert whole["program_seconds"]["total"] == 3.0
    assert whole["stacks"]["prod"]["program_seconds"]["waiting"] == 0.0


def test_changes_of_a_second_preview_are_counted_and_named() -> None:
    whole = json.loads(result("update dns-auth", "create web-staff-domain").as_json())

    assert whole["second_preview_changes"] == 2
    assert whole["stacks"]["prod"]["unfinished"] == ["update dns-auth", "create web-staff-domain"]


def test_result_json_tells_of_cutovers_where_they_were_played() -> None:
    gained = {
        "phases", "refusals", "rollback_identical", "exceptions", "flip_seconds", "rollback_seconds",
        "deletes_or_replaces_of_serving_names", "settled_equals_new_steady", "stale_clients", "spent_by_part",
    }  # fmt: skip
    plain, whole = json.loads(result().as_json()), json.loads(with_cutover().as_json())

    assert whole.keys() - plain.keys() == gained
    assert whole["rollback_identical"] is whole["settled_equals_new_steady"] is True
    assert whole["deletes_or_replaces_of_serving_names"] == 0
    assert whole["exceptions"] == [{"path": "/grafana/annotation/1", "reason": "crossings stay marked in Grafana"}]
    assert whole["stale_clients"] == {"at_opens_at": 0, "without_the_wait": 0.98}
    assert {"name", "command", "operations", "seconds", "calls"} <= whole["phases"][0].keys()


@pytest.mark.parametrize(
    ("changes", "sentence", "key"),
    [
        ({"differs": ["It differs."]}, "It differs.", "rollback_identical"),
        ({"unsettled": ["It called."]}, "It called.", "settled_equals_new_steady"),
        (
            {"lost": ["flipped: delete dns-auth"]},
            "Something that served was taken away: flipped: delete dns-auth.",
            "",
        ),
        (
            {"stale_at_opens_at": 0.25},
            "60 s after the flip at opens-at 25 % of obeying resolvers hold the old target, not 0.",
            "",
        ),
        (
            {"stale_without_the_wait": 0.0},
            "No resolver holds the old target after a flip without the wait: the measurement is broken.",
            "",
        ),
    ],
)
def test_what_is_not_proven_is_a_sentence(changes: dict[str, Any], sentence: str, key: str) -> None:
    assert cutover().wrong == with_cutover().wrong == []
    assert cutover(**changes).wrong == with_cutover(**changes).wrong == [sentence]
    if key:
        assert json.loads(with_cutover(**changes).as_json())[key] is False
