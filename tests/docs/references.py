"""What pages under docs/ cite in backticks, such as `rule:payment-backlog`, and whether it exists."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from runbook.model import serving
from runbook.model.alerting import base_name, contact_points, rule_groups
from runbook.model.dashboards import dashboards
from runbook.model.observing import data_sources
from runbook.model.secrets_needed import required_secrets
from tests.stacks import ROOT, platform, raw, settings

KINDS = (
    "app", "cache", "check", "choice", "command", "config", "contact", "dashboard", "drain", "env", "file", "flag",
    "panel", "record", "rule", "secret", "source",
)  # fmt: skip
STACKS = ("prod", "easymo-prod")
REFERENCE = re.compile(r"`([a-z]+):([^`]+)`")


def cited(text: str) -> list[tuple[str, str]]:
    """Kind and name of each reference. Raises: AssertionError for a kind that there is not."""
    found = REFERENCE.findall(text)
    unknown = sorted({kind for kind, _ in found} - set(KINDS))
    assert not unknown, f"no such kind of reference: {', '.join(unknown)}"
    return found


def rows(text: str, columns: int) -> Iterator[list[str]]:
    """Cells of each table row that has this many columns, without heads and rules."""
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split(" | ")] if line.startswith("| ") else []
        if len(cells) == columns and cells[0] not in ("no", "rule"):
            yield cells


def exists(kind: str, name: str, stacks: tuple[str, ...] = STACKS) -> bool:
    if kind == "file":
        return (ROOT / name).is_file()
    if kind == "command":
        return name.removeprefix("make ") in re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.M)
    if kind == "choice":
        text = (ROOT / "docs/choices.md").read_text(encoding="utf-8")
        return name in [cells[0] for cells in rows(text, 4)]
    if kind == "config":
        return any(_configured(stack, name) for stack in stacks)
    return any(name in existing(stack)[kind] for stack in stacks)


def _configured(stack: str, path: str) -> bool:
    config: Any = raw(stack)
    for key in path.split("."):
        if not isinstance(config, dict) or key not in config:
            return False
        config = config[key]
    return True


@cache
def existing(stack: str) -> dict[str, set[str]]:
    """Names of what a stack has, by kind."""
    made, found = platform(stack), settings(stack)
    boards = {board.kind: json.loads(board.config_json) for board in dashboards(made, found)}
    start = len(base_name(found)) + 1
    return {
        "app": {app.name for app in made.apps},
        "cache": {rule.ref for rule in serving.cache_rules(made, found)},
        "check": {check.app for check in serving.uptime_checks(made, found)},
        "contact": {point.owner for point in contact_points(made, found)}
        | {told for owner in made.owners for told in owner.told},
        "dashboard": set(boards),
        "drain": set(found.drains),
        "env": {variable.key for web in serving.webs(made, found) for variable in web.env},
        "flag": set(found.flags),
        "panel": {panel["title"] for board in boards.values() for panel in board["panels"]},
        "record": {record.key for record in serving.records(made, found)},
        "rule": {rule.uid[start:] for group in rule_groups(made, found) for rule in group.rules},
        "secret": set(required_secrets(made, found)),
        "source": {source.source.name.lower() for source in data_sources(found)},
    }
