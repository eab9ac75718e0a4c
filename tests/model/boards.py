"""The dashboards that a stack sends, parsed."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from runbook.model.dashboards import dashboards
from runbook.model.objectives import Objective
from runbook.model.serving import stack_of
from tests.stacks import platform, settings

KINDS = ("objectives", "operations", "checklist")


@cache
def board(stack: str, kind: str) -> dict[str, Any]:
    """The emitted JSON, parsed; nobody changes it."""
    made = {str(each.kind): each for each in dashboards(platform(stack), settings(stack))}
    parsed: dict[str, Any] = json.loads(made[kind].config_json)
    return parsed


def objectives(stack: str) -> tuple[Objective, ...]:
    return platform(stack).objectives(stack_of(settings(stack)))


def asks(panel: dict[str, Any]) -> list[str]:
    """The queries of a panel."""
    return [str(target.get("expr") or target.get("rawSql")) for target in panel.get("targets", ())]


def steps(panel: dict[str, Any]) -> list[tuple[float | None, str]]:
    """From which value on which colour."""
    return [(step["value"], step["color"]) for step in panel["fieldConfig"]["defaults"]["thresholds"]["steps"]]


def red(panel: dict[str, Any], value: float) -> bool:
    """How Grafana colours: the last step that is not above the value."""
    return [colour for at, colour in steps(panel) if at is None or at <= value][-1] == "red"
