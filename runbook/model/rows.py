"""docs/rows.md as data: which sentences of a platform's runbook stay with people."""

from __future__ import annotations

from collections.abc import Iterator

PEOPLE = "stays with people: "


def left_to_people(text: str, title: str) -> tuple[str, ...]:
    """The sentences under the heading of a platform that stay with people, in the order of its runbook. `text`: the
    whole page."""
    part = text.partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    return tuple(asked for _, asked, answer in _rows(part) if answer.startswith(PEOPLE))


def _rows(text: str) -> Iterator[tuple[str, str, str]]:
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split(" | ")] if line.startswith("| ") else []
        if len(cells) == 3:
            yield cells[0], cells[1], cells[2]
