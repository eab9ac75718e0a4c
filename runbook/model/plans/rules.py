"""What a whole plan may not hold. The program refuses what it can know before it registers anything
(cutover/refusals.py); these rules need all operations of a preview, so they run in `./cutover plan` and `apply`.

None can be overridden in the stack file. An override there lets a crossing go on that could not wait, and nothing
here has to happen in a crossing. What serves is held by `protect` as well, which is lifted by name for one resource;
what is not the crossing's can wait for the window's end, or go by itself before it begins. A way back meets none.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from runbook.model.cutover.ledger import Memory
from runbook.model.plans.operation import Operation, Plan
from runbook.model.plans.own import GOVERNED, is_own
from runbook.model.plans.places import DOMAIN, ENV, PROJECT, RECORD, RULESET, flips, goes_back
from runbook.model.platform import Drain, Fact, Platform, Secret
from runbook.model.problems import WIDTH, path
from runbook.model.serving import hosts, project_name
from runbook.model.settings import Settings


class PlanRule(StrEnum):
    SERVING = "serving"
    NAME_SERVERS = "name-servers"
    CROSSING_ALONE = "crossing-alone"


@dataclass(frozen=True)
class PlanRefusal:
    """One operation that may not be. `allowed` and `edit` are sentences; `edit` may end with a command on a line of
    its own."""

    rule: PlanRule
    operation: str  # such as "delete dns-staff"
    urn: str
    allowed: str
    edit: str

    def text(self, number: int) -> str:
        """For people, 80 columns wide but for the URN and a command, which are pasted."""
        sentence, *commands = self.edit.splitlines()
        lines = [f"{number}. {self.operation}", f"   rule:    {self.rule}", f"   urn:     {self.urn}"]
        lines += [_indented("allowed: ", self.allowed), _indented("edit:    ", sentence)]
        return "\n".join([*lines, *(f"   {command}" for command in commands)])

    def as_json(self) -> dict[str, Any]:
        return {
            "rule": self.rule.value,
            "operation": self.operation,
            "urn": self.urn,
            "allowed": self.allowed,
            "edit": self.edit,
        }


def judge(
    plan: Plan, platform: Platform, settings: Settings, memory: Memory, now: datetime
) -> tuple[PlanRefusal, ...]:
    """Everything that speaks against a plan, in its order; nothing where it goes back."""
    if goes_back(plan):
        return ()
    alone = _alone(plan, settings, memory, now)
    found: list[PlanRefusal] = []
    for each in plan.changes:
        if refusal := _serving(each, platform, settings):
            found.append(refusal)
        elif alone and each.type in GOVERNED and not is_own(each, plan, platform, settings, memory):
            found.append(_beside(each, platform, settings, alone))
    return tuple(found)


def _alone(plan: Plan, settings: Settings, memory: Memory, now: datetime) -> str:
    """Why nothing but the crossing may change now, empty where more may. A new stack has nothing to disturb."""
    cutover = settings.cutover
    if cutover is None or memory.ledger is None:
        return ""
    until = f"{cutover.window.end:%Y-%m-%d %H:%M} {cutover.window.zone}"
    if cutover.window.holds(now):
        return f"The cutover window is open until {until}"
    return f"Crossing {plan.tag} is under way" if flips(plan) else ""


def _serving(operation: Operation, platform: Platform, settings: Settings) -> PlanRefusal | None:
    if operation.op not in ("delete", "replace"):
        return None
    name = f"{operation.op} {operation.name}"
    if operation.type == RECORD and operation.old.get("type") == "NS":
        return PlanRefusal(
            PlanRule.NAME_SERVERS,
            name,
            operation.urn,
            "NS records are created and updated, never deleted or replaced: without them the whole zone is gone, for "
            "as long as resolvers remember that.",
            "Put the record back into the config as it was.",
        )
    if operation.type not in (RECORD, DOMAIN, PROJECT):
        return None
    still = _still_serves(operation, platform, settings)
    if not still and not operation.protect:
        return None
    what = {RECORD: "A name", DOMAIN: "A domain", PROJECT: "A project"}[operation.type]
    if still:
        differs = f" of {', '.join(operation.diff)}" if operation.diff and operation.op == "replace" else ""
        edit = f"Undo the change{differs}; give a name or project that is to be another one a new name beside this."
    else:
        edit = (
            "Put it back into the config. If nobody is to reach it any more, lift its protection by name, once, and "
            f"run the command again:\npulumi state unprotect '{operation.urn}' --stack {_stack(operation)}"
        )
    return PlanRefusal(
        PlanRule.SERVING,
        name,
        operation.urn,
        f"{what} that serves is updated in place, never deleted or replaced: a name that is missing for a moment is "
        "remembered as missing for up to half an hour.",
        edit,
    )


def _still_serves(operation: Operation, platform: Platform, settings: Settings) -> bool:
    """Whether the config goes on asking for it: then it is a slip, not somebody's intention."""
    old, served = operation.old, set(hosts(platform, settings).values())
    if operation.type == RECORD:
        return old.get("type") in ("A", "AAAA", "CNAME") and old.get("name") in served
    if operation.type == DOMAIN:
        return old.get("domain") in served
    return old.get("name") in {project_name(app, settings) for app, _ in platform.vercel_apps}


def _beside(operation: Operation, platform: Platform, settings: Settings, why: str) -> PlanRefusal:
    at = _place_in_config(operation, platform, settings)
    return PlanRefusal(
        PlanRule.CROSSING_ALONE,
        f"{operation.op} {operation.name}" + (f" ({', '.join(operation.diff)})" if operation.diff else ""),
        operation.urn,
        f"{why}: of names, builds and env only what the crossing itself changes. Alerts and dashboards may always "
        "change.",
        f"Take the change of {at} back, and make it when the crossing is complete and its window over.",
    )


def _place_in_config(operation: Operation, platform: Platform, settings: Settings) -> str:
    """Where the stack file says it, as far as one can tell."""
    inputs = operation.new or operation.old
    if operation.type == RECORD:
        served = {host: app for app, host in hosts(platform, settings).items()}
        app = served.get(str(inputs.get("name")))
        return f"{path('apps', app)} or {path('current')}" if app else path("records")
    if operation.type in (RULESET, DOMAIN):
        return path("apps")
    if operation.type != ENV:
        return path("vercel")
    key = str(inputs.get("key"))
    values = (each.value for _, app in platform.vercel_apps for each in app.variables if each.key == key)
    match next(values, None):
        case Secret(name):
            return path("secrets", name)
        case Drain(name):
            return path("drains", name)
        case Fact():
            return path("current")
    return path("current", "env")


def _stack(operation: Operation) -> str:
    return operation.urn.split("::")[0].removeprefix("urn:pulumi:")


def _indented(label: str, text: str) -> str:
    return textwrap.fill(
        text,
        WIDTH,
        initial_indent=f"   {label}",
        subsequent_indent=" " * (3 + len(label)),
        break_long_words=False,
        break_on_hyphens=False,
    )


def refused_text(stack: str, refusals: tuple[PlanRefusal, ...]) -> str:
    """All refusals of a plan for the terminal; empty where there is none."""
    if not refusals:
        return ""
    count = "1 operation" if len(refusals) == 1 else f"{len(refusals)} operations"
    head = f"{count} of this plan of {stack} may not be; nothing was changed."
    blocks: Iterator[str] = (each.text(number) for number, each in enumerate(refusals, 1))
    return "\n\n".join([head, *blocks])
