"""A result as a rehearsal of two stacks gives it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from runbook.rehearsal.result import Act, Cutover, ProgramSeconds, Result, StackResult, StandIn

SPENT = {"before_program": 5.0, "sdk_import": 6.0, "own": 2.0, "after_program": 7.0}


def stack(title: str, unfinished: tuple[str, ...] = (), total: float = 2.0) -> StackResult:
    return StackResult(
        platform=title.lower(),
        title=title,
        resources=57,
        created={
            "Cloudflare": {"DNS record": 4, "ruleset": 1, "cache rule": 5},
            "Vercel": {"project": 2, "domain": 2, "env var": 13, "retention period": 2, "feature switch": 1},
            "Grafana": {"folder": 1, "data source": 3, "dashboard": 3, "rule group": 7, "alert rule": 11},
        },
        unfinished=unfinished,
        seconds={"preview": 4.0, "up": 8.0, "second_preview": 8.0},
        spent=SPENT,
        program_seconds=ProgramSeconds(total, 1.5, total - 1.5, 0.0004, 2.5),
        made_up_secrets=12,
        assumed=14,
    )


def result(*unfinished: str) -> Result:
    stacks = {
        "prod": stack("Ibimina", unfinished),
        "staging": stack("Ibimina", total=3.0),
        "easymo-prod": stack("EasyMO"),
    }
    return Result("3.258.0", [StandIn("cloudflare", 45, 19), StandIn("grafana", 112, 25)], stacks, 21.2)


def cutover(**changes: Any) -> Cutover:
    """One that came out as it must, with the longest names there are, but for the changes."""
    acts = [
        Act("cutover", "flipped after release", "preview", {"same": 1}, 2.1, {"vercel": 4}, ("window", "release")),
        Act("cutover", "flipped, login fails", "up", {"same": 60, "update": 27, "failed": 1}, 6.0, {"vercel": 18}),
        Act("cutover", "current := next", "up", {"same": 91, "update": 2}, 5.0, {}),
        Act("emergency", "flipped at once", "preview", {"same": 1}, 2.2, {"cloudflare": 4},
            ("move", "window", "opens-at", "build", "build")),
        Act("emergency", "preview", "preview", {"same": 93}, 105.0, {}),
    ]  # fmt: skip
    good = Cutover(
        acts=acts,
        refusals=["2 reasons against this update of prod; nothing was changed."],
        differs=[],
        exceptions={"/grafana/annotation/1": "crossings stay marked in Grafana"},
        unsettled=[],
        lost=[],
        stale_at_opens_at=0.0,
        stale_without_the_wait=0.98,
        flip_seconds=5.6,
        rollback_seconds=7.6,
        parts={"stacks": 25.1, "cutover updates": 50.0},
    )
    return replace(good, **changes)


def with_cutover(**changes: Any) -> Result:
    """A rehearsal in which cutovers were played."""
    return replace(result(), cutover=cutover(**changes))
