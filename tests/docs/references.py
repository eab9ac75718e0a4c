"""What pages under docs/ cite in backticks, such as `rule:payment-backlog`, and whether it exists."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from runbook.cli.app import COMMANDS, GROUPS
from runbook.model import serving
from runbook.model.alerting import base_name, contact_points, rule_groups
from runbook.model.cutover.phases import Phase, Rule
from runbook.model.cutover.step import Kind
from runbook.model.dashboards import dashboards
from runbook.model.observing import data_sources
from runbook.model.runbook_cutover import all_steps
from runbook.model.secrets_needed import required_secrets
from runbook.steps.gates import GATES
from tests.stacks import ROOT, platform, raw, settings

KINDS = (
    "app", "cache", "check", "choice", "command", "config", "contact", "dashboard", "doc", "drain", "env", "file",
    "flag", "gate", "panel", "phase", "record", "refusal", "rule", "secret", "source", "step",
)  # fmt: skip
LOOKS = {*GATES, Kind.BUILD_HEALTHY}
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
    if kind == "doc":
        return (ROOT / "docs" / name).is_file()
    if kind == "command":
        return _runs(name)
    if kind == "choice":
        text = (ROOT / "docs/choices.md").read_text(encoding="utf-8")
        return name in [cells[0] for cells in rows(text, 4)]
    if kind == "config":
        return any(_configured(stack, name) for stack in stacks)
    return any(name in existing(stack)[kind] for stack in stacks)


def _runs(command: str) -> bool:
    """Whether the Makefile or the command line has it."""
    if command.startswith("./cutover "):
        return command.split()[1] in (*COMMANDS, *GROUPS)
    return command.removeprefix("make ") in re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.M)


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
    steps = all_steps(made, found)
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
        "gate": {step.name for step in steps.values() if step.kind in LOOKS},
        "panel": {panel["title"] for board in boards.values() for panel in board["panels"]},
        "phase": set(Phase),
        "record": {name for each in serving.records(made, found) for name in (each.key, each.formerly) if name},
        "refusal": set(Rule),
        "rule": {rule.uid[start:] for group in rule_groups(made, found) for rule in group.rules},
        "secret": set(required_secrets(made, found)),
        "source": {source.source.name.lower() for source in data_sources(found)},
        "step": {step.name for step in steps.values() if step.kind not in LOOKS},
    }
