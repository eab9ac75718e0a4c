"""The README's output is a real run's. What does not change from run to run is held against the golden files."""

from __future__ import annotations

import re

import pytest
import yaml

from runbook import platforms
from runbook.model.pages import assumed
from runbook.rehearsal import stack_files
from runbook.rehearsal.clouds import stand_ins
from runbook.rehearsal.command import STACKS
from runbook.rehearsal.cutover.exceptions import EMERGENCY, LEAVING, ONCE_MORE, PLANNED, UNTIL_LEFT
from runbook.rehearsal.cutover.play import asked_by_steps
from script.engine.pins import engine_version
from tests.stacks import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("stack", ["prod", "easymo-prod"])
def test_the_output_shows_as_many_resources_as_are_registered(stack: str) -> None:
    golden = yaml.safe_load((ROOT / "tests" / "golden" / f"{stack}.yaml").read_text(encoding="utf-8"))
    resources = len(golden) + 1  # the stack itself is one
    shown = dict(re.findall(rf"^{stack} +(preview|up|second preview) +(\d+ [a-z ]+?)  ", README, re.M))
    assert shown == {
        "preview": f"{resources} to create",
        "up": f"{resources} created",
        "second preview": f"{resources} unchanged",
    }


def test_the_output_counts_what_is_real_and_what_is_not() -> None:
    """As a rehearsal does; where this fails, its newest output belongs into the README."""
    shown = " ".join(README.split())
    by_steps = asked_by_steps()
    facts = sum(int(each["facts"]) for each in stand_ins()) + sum(each.facts for each in by_steps)
    unseen = sum(int(each["unverified"]) for each in stand_ins()) + sum(each.unverified for each in by_steps)
    made_up = sum(len(stack_files.load(ROOT, stack).secrets) for stack in STACKS)
    assume = sum(assumed(platforms.load(name)) for name in platforms.names())
    excused = {one.path for each in (PLANNED, ONCE_MORE, EMERGENCY, UNTIL_LEFT, LEAVING) for one in each}
    version = engine_version((ROOT / "requirements.lock").read_text(encoding="utf-8"))
    assert f"follow {facts} facts about them, {unseen} of which nobody has verified" in shown
    assert f"Made up {made_up} secrets" in shown
    assert f"Assumed {assume} facts that no runbook states" in shown
    assert f"but for {len(excused)} exceptions" in shown
    assert f"the Pulumi engine {version} and its SDKs" in shown
    assert f"Pulumi {version} built from Go modules." in shown


def test_every_command_is_a_target() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M))
    assert set(re.findall(r"make ([a-z]+)", README)) <= targets


def test_every_file_that_is_linked_is_there() -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (ROOT / target).exists(), target
