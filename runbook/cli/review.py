"""What a reviewer reads of a plan."""

from __future__ import annotations

from runbook.cli.out import Out
from runbook.cli.planning import Planned
from runbook.cli.stack import Here


def show(out: Out, here: Here, planned: Planned, markdown: bool) -> None:
    for each in planned.plan.changes:
        out.say(f"{each.op} {each.name}")
    out.say(planned.short)
    out.data({"hash": planned.digest})


def ruled(here: Here, planned: Planned) -> None:
    pass
