"""docs/rows.md: every sentence of the runbooks that asks for something, and what answers it."""

from __future__ import annotations

import re

import pytest

from runbook.model.rows import PEOPLE, left_to_people
from runbook.model.serving import stack_of
from tests.docs.references import cited, existing, exists, rows
from tests.stacks import ROOT, platform, settings

TEXT = (ROOT / "docs/rows.md").read_text(encoding="utf-8")
ROWS = list(rows(TEXT, 3))
STACK = {"I": "prod", "E": "easymo-prod"}


def test_numbers_have_no_gaps() -> None:
    for letter in STACK:
        numbers = [cells[0] for cells in ROWS if cells[0].startswith(f"{letter}-")]
        assert numbers == [f"{letter}-{number}" for number in range(1, len(numbers) + 1)]
    assert {cells[0][:2] for cells in ROWS} == {f"{letter}-" for letter in STACK}


@pytest.mark.parametrize("cells", ROWS, ids=lambda cells: cells[0])
def test_what_a_row_cites_exists(cells: list[str]) -> None:
    number, _, answer = cells
    for kind, name in cited(answer):
        assert exists(kind, name, (STACK[number[0]],)), f"{kind}:{name}"


@pytest.mark.parametrize("cells", ROWS, ids=lambda cells: cells[0])
def test_row_is_answered_or_says_why_it_stays_with_people(cells: list[str]) -> None:
    _, asked, answer = cells
    assert asked.endswith(".")
    assert not answer.startswith("open")
    if answer.startswith(PEOPLE):
        why = answer.removeprefix(PEOPLE).partition(";")[0]
        assert len(why.split()) > 4, why
    else:
        assert cited(answer), "an answer names what answers"


def test_first_lines_count_the_rows() -> None:
    stay = sum(cells[2].startswith(PEOPLE) for cells in ROWS)
    told = f"{len(ROWS)} sentences ask for something: {len(ROWS) - stay} are answered, {stay} stay with people."
    assert told in TEXT.splitlines()[:5]


@pytest.mark.parametrize("letter", STACK)
def test_the_runbook_lists_what_stays_with_people(letter: str) -> None:
    stay = tuple(asked for no, asked, answer in ROWS if no[0] == letter and answer.startswith(PEOPLE))
    assert left_to_people(TEXT, platform(STACK[letter]).title) == stay != ()


@pytest.mark.parametrize(
    ("reference", "there"),
    [
        ("step:end-sessions", True), ("step:gate-ttl", False), ("step:end-session", False),
        ("gate:gate-ttl", True), ("gate:verify-login", True), ("gate:purge", False),
        ("phase:rolled-back", True), ("phase:rolledback", False),
        ("refusal:opens-at", True), ("refusal:opens", False),
        ("command:./cutover rollback", True), ("command:./cutover undo", False), ("command:make alerts", True),
        ("doc:choices.md", True), ("doc:nothing.md", False),
    ],
)  # fmt: skip
def test_a_reference_to_what_is_not_there_is_found(reference: str, there: bool) -> None:
    ((kind, name),) = cited(f"`{reference}`")
    assert exists(kind, name) is there


@pytest.mark.parametrize("letter", STACK)
def test_everything_that_alerts_or_is_watched_answers_some_sentence(letter: str) -> None:
    mine = {reference for cells in ROWS if cells[0][0] == letter for reference in cited(cells[2])}
    for kind in ("rule", "check", "drain", "flag", "contact"):
        unasked = {name for name in existing(STACK[letter])[kind] if (kind, name) not in mine}
        assert unasked == set(), f"{kind} without a sentence that asks for it"


@pytest.mark.parametrize("letter", STACK)
def test_alerts_link_to_sections_that_the_runbook_has(letter: str) -> None:
    part = TEXT.partition(f"## {platform(STACK[letter]).title}\n")[2].partition("\n## ")[0]
    # As GitHub makes them: lower case, no punctuation, a hyphen for each space.
    anchors = {
        "#" + re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in re.findall("^### (.*)$", part, re.M)
    }
    objectives = platform(STACK[letter]).objectives(stack_of(settings(STACK[letter])))
    assert {alert.section for objective in objectives for alert in objective.alerts} <= anchors
