from __future__ import annotations

import json

from tests.rehearsal.samples import SPENT, result


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
