"""The program of a stack that has nothing but a ledger, steps and one record: plan.json says which."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pulumi
from pydantic import SecretStr

from components import memory
from components.ledger import LedgerResource
from components.steps import Steps, StepsArgs
from runbook.model.cutover.step import Group, Kind, Plan, Step
from runbook.steps.reach import Reach
from tests.engine.tiny.noted import Noted

pending = memory.begin(pulumi.get_stack())
given: dict[str, Any] = json.loads(Path("plan.json").read_text(encoding="utf-8"))
remembered = pending.result()
Path("remembered.json").write_text(json.dumps([remembered.ledger, remembered.steps]), encoding="utf-8")
if given["refused"]:
    raise pulumi.RunError("The program refuses.")


def waited_for(name: str) -> str | Group:
    return Group(name) if name in list(Group) else name


def step(name: str, **more: Any) -> Step:
    return Step(
        name=name,
        kind=Kind.PAGE,
        trigger=more.get("trigger", ""),
        args=more.get("args", {}),
        secrets={key: SecretStr(value) for key, value in more.get("secrets", {}).items()},
        reads=tuple(more.get("reads", ())),
        after=tuple(map(waited_for, more.get("after", ()))),
        reported=more.get("reported", False),
        undone=more.get("undone", False),
    )


reach = Reach(apis={})
ledger = LedgerResource("ledger", given["ledger"], reach)
plan = Plan(
    tuple(step(name, **more) for name, more in given["steps"].items()),
    {Group(group): tuple(names) for group, names in given["after"].items()},
)
steps = Steps("step", StepsArgs(plan, ledger, reach))
waits = steps.until(Group.RECORDS)
steps.met(Group.RECORDS, [Noted("record", given["record"], pulumi.ResourceOptions(depends_on=waits))])
steps.rest()
