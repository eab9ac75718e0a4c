"""A result as a rehearsal of two stacks gives it."""

from __future__ import annotations

from runbook.rehearsal.result import ProgramSeconds, Result, StackResult, StandIn

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
