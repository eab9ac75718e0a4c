"""Pages of docs/ that are made from the model: what rules and panels read, what is assumed, what dashboards show."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from runbook.model.dashboards import Dashboard
from runbook.model.platform import Platform
from runbook.model.signals import Signal, Source

RELEASE = "<release>"  # stands in docs/dashboards.md for the stack's release tag
HEAD = "<!-- Made by script/docs from the model; edits are lost. -->"
SOURCES = {Source.PROMETHEUS: "Prometheus", Source.LOKI: "Loki", Source.POSTGRES: "PostgreSQL"}


def assumed(platform: Platform) -> int:
    """How many facts of the platform no runbook or vendor's document states and nobody has seen."""
    return sum(signal.assumed for signal in platform.signals) + len(platform.assumptions)


def signals_page(platforms: Sequence[Platform]) -> str:
    """docs/signals.md."""
    return "\n".join(
        [
            HEAD,
            "# Signals and assumptions",
            "",
            "A signal is a metric, a log stream or a table that a rule or a panel reads; a test refuses rules and",
            "panels that read anything else. It is documented where a runbook or a vendor's document names it, and",
            "assumed where neither does and nobody has seen it: before the rules that read it are relied on, look at",
            "what its reference says. The other assumptions are facts that the program builds on in the same way.",
            "",
            *table(
                ("Platform", "Signals", "of these assumed", "Other assumptions", "Assumed in all"),
                [
                    (
                        platform.title,
                        len(platform.signals),
                        sum(signal.assumed for signal in platform.signals),
                        len(platform.assumptions),
                        assumed(platform),
                    )
                    for platform in platforms
                ],
            ),
            *(line for platform in platforms for line in _platform(platform)),
        ]
    )


def _platform(platform: Platform) -> Iterator[str]:
    yield f"## {platform.title}: signals\n"
    yield from table(
        ("Name", "Source", "Labels, fields or columns", "Unit", "Producer", "State", "Reference"),
        [_row(signal) for signal in platform.signals],
    )
    yield f"## {platform.title}: other assumptions\n"
    yield from table(("Assumed", "How to find out"), [(each.fact, each.check) for each in platform.assumptions])


def _row(signal: Signal) -> tuple[str, ...]:
    return (
        f"`{signal.name}`",
        SOURCES[signal.source],
        ", ".join(f"`{field}`" for field in signal.fields),
        signal.unit,
        signal.producer,
        "assumed" if signal.assumed else "documented",
        signal.reference,
    )


def dashboards_page(boards: Mapping[str, Sequence[Dashboard]]) -> str:
    """docs/dashboards.md. `boards`: stack to its dashboards."""
    return "\n".join(
        [
            HEAD,
            "# Dashboards",
            "",
            "What each panel asks and in which unit it answers, taken from the JSON that is sent to Grafana. The",
            f"stacks below are production's; staging asks the same under its own names. `{RELEASE}` stands for the",
            "stack's release tag. The first panel of an objective is the one that its alerts link to.",
            "",
            *(
                line
                for stack, made in boards.items()
                for board in made
                for line in _board(stack, board, json.loads(board.config_json)["panels"])
            ),
        ]
    )


def _board(stack: str, board: Dashboard, panels: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    yield f"## {board.title}\n"
    yield f"Stack `{stack}`, uid `{board.uid}`.\n"
    first: dict[str, int] = {}  # which panel asked a query first
    rows = []
    for panel in panels:
        for target in panel.get("targets", ()):
            asked = f"`{target.get('expr') or target['rawSql']}`"
            other = first.setdefault(asked, panel["id"])
            field = panel["fieldConfig"]["defaults"]
            rows.append(
                (
                    panel["id"],
                    ", ".join(filter(None, [panel["title"], target.get("legendFormat")])),
                    _SHOWN[panel["type"]],
                    field["unit"],
                    _limits(field["thresholds"]["steps"]),
                    asked if other == panel["id"] else f"as {other}",
                )
            )
    yield from table(("Id", "Panel", "Shown as", "Unit", "Limits", "Query"), rows)


_SHOWN = {"timeseries": "graph", "stat": "number"}


def _limits(steps: Sequence[Mapping[str, Any]]) -> str:
    if [step["color"] for step in steps] == ["red", "green"]:
        return f"red below {steps[1]['value']}"
    return ", ".join(f"{step['color']} from {step['value']}" for step in steps[1:]) or "none"


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    """Lines of a Markdown table, an empty one after it."""
    yield _line(head)
    yield _line(["---"] * len(head))
    yield from map(_line, rows)
    yield ""


def _line(cells: Sequence[object]) -> str:
    # A bar inside a cell would end it, in code as well.
    return "| " + " | ".join(str(cell).replace("|", "\\|") for cell in cells) + " |"
