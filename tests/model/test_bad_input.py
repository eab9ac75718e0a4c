"""Every mistake that the model refuses, with the exact text. `UPDATE=1 pytest tests/model` writes the texts anew."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from runbook.model.checks import CHECKS
from runbook.model.problems import WIDTH
from tests.model.cases import Case, cases, message, refusing, update

FILES = sorted((Path(__file__).parent / "bad_input").glob("*.txt"))
if os.environ.get("UPDATE"):
    for file in FILES:
        update(file)
CASES = [case for file in FILES for case in cases(file)]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.title)
def test_message(case: Case) -> None:
    said = message(case)
    assert said == case.message
    # Commands are never broken, so that they can be pasted; everything else fits a narrow terminal.
    assert [line for line in said.splitlines() if len(line) > WIDTH and "pulumi config" not in line] == []
    assert "written-here-in-clear" not in said


def test_titles_are_unique() -> None:
    titles = [case.title for case in CASES]
    assert len(titles) == len(set(titles))


def test_every_check_refuses_something() -> None:
    found = {check for case in CASES for check in refusing(case)}
    assert found == {check for _, check in CHECKS}
