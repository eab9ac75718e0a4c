"""docs/choices.md: what the runbooks leave open and what was chosen."""

from __future__ import annotations

import re

import pytest

from runbook.model.serving import stack_of
from tests.docs.references import STACKS, cited, existing, exists, rows
from tests.stacks import ROOT, platform, settings

TEXT = (ROOT / "docs/choices.md").read_text(encoding="utf-8")
CHOICES, MISSING = TEXT.split("## Missing data and errors")
ROWS = list(rows(CHOICES, 4))


def test_numbers_are_used_once_and_have_no_gaps() -> None:
    assert [cells[0] for cells in ROWS] == [f"C-{number}" for number in range(1, len(ROWS) + 1)]


@pytest.mark.parametrize("cells", ROWS, ids=lambda cells: cells[0])
def test_choice_has_reason_and_boundary_and_cites_what_exists(cells: list[str]) -> None:
    assert all(cell.endswith(".") for cell in cells[1:])
    for kind, name in cited(" ".join(cells)):
        assert exists(kind, name), f"{kind}:{name}"


def test_linked_decisions_exist() -> None:
    links = re.findall(r"\]\(([^)]+)\)", TEXT)
    assert links
    assert [link for link in links if not (ROOT / "docs" / link).is_file()] == []


def test_every_alert_has_its_boundary_somewhere() -> None:
    named = {name for cells in ROWS for kind, name in cited(" ".join(cells)) if kind == "rule"}
    assert set().union(*(existing(stack)["rule"] for stack in STACKS)) - named == set()


def test_states_for_missing_data_and_errors_are_those_of_the_rules() -> None:
    written = {rule: (no_data, error) for rule, no_data, error, _ in rows(MISSING, 4)}
    assert written == {
        alert.name: (alert.no_data, alert.on_error)
        for stack in STACKS
        for objective in platform(stack).objectives(stack_of(settings(stack)))
        for alert in objective.alerts
    }
    assert all(exists(kind, name) for kind, name in cited(MISSING))
