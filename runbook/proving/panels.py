"""The PromQL of all panels, as the dashboards carry it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from runbook.model.dashboards import dashboards
from runbook.model.signals import Source
from runbook.proving.stacks import Stack


def promql_of_panels(stacks: Sequence[Stack]) -> dict[str, str]:
    """Queries by the place that they stand in."""
    return {
        f"{stack.name} {board.uid}, {panel['title']}, {target['refId']}": target["expr"]
        for stack in stacks
        for board in dashboards(stack.platform, stack.settings)
        for panel in _panels(json.loads(board.config_json))
        for target in panel.get("targets", [])
        if target["datasource"]["type"] == Source.PROMETHEUS.value
    }


def _panels(board: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for panel in board["panels"]:
        yield panel
        yield from panel.get("panels", [])  # of a collapsed row
