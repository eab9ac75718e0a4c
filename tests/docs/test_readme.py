"""The README's output is a real run's. What does not change from run to run is held against the golden files."""

from __future__ import annotations

import re

import pytest
import yaml

from runbook import platforms
from runbook.model.pages import assumed
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


def test_the_output_counts_what_is_assumed() -> None:
    total = sum(assumed(platforms.load(name)) for name in platforms.names())
    assert f"Assumed       {total} facts that no runbook states" in README


def test_every_command_is_a_target() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M))
    assert set(re.findall(r"make ([a-z]+)", README)) <= targets


def test_every_file_that_is_linked_is_there() -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (ROOT / target).exists(), target
