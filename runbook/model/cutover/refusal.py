"""One reason against an update, and how its times are told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from runbook.model.cutover.phases import Rule
from runbook.model.cutover.sections import Cutover
from runbook.model.problems import Problem, path

PHASE = path("cutover", "phase")


@dataclass(frozen=True)
class Refusal:
    """One reason. Without a rule there is no override."""

    rule: Rule | None
    problem: Problem


def whole(moment: datetime, cutover: Cutover) -> str:
    """The first whole minute from then on, so that who comes at the time that was told is not refused again."""
    return local(moment + timedelta(seconds=59, microseconds=999_999), cutover)


def local(moment: datetime, cutover: Cutover) -> str:
    """As a clock in the window's zone shows it."""
    return f"{moment.astimezone(ZoneInfo(cutover.window.zone)):%Y-%m-%d %H:%M} {cutover.window.zone}"
