from __future__ import annotations

from runbook.rehearsal import kinds
from runbook.rehearsal.events import Operation


def made(type: str, op: str = "create", **inputs: object) -> Operation:
    return Operation(op, f"urn:pulumi:prod::runbook::{type}::name", type, (), inputs)


def test_resources_are_counted_by_cloud_and_kind_in_an_order_for_people() -> None:
    operations = [
        made("pulumi:pulumi:Stack"),
        made("runbook:dns:Zone"),
        made("vercel:index/logDrain:LogDrain"),
        made("vercel:index/projectEnvironmentVariable:ProjectEnvironmentVariable"),
        made("vercel:index/projectEnvironmentVariable:ProjectEnvironmentVariable"),
        made("vercel:index/project:Project"),
        made("vercel:index/project:Project", op="same"),
        made("grafana:alerting/ruleGroup:RuleGroup", rules=[{}, {}, {}]),
        made("cloudflare:index/ruleset:Ruleset", rules=[{}]),
    ]

    counts = kinds.created(operations)

    assert counts == {
        "Cloudflare": {"ruleset": 1, "cache rule": 1},
        "Vercel": {"project": 1, "env var": 2, "log drain": 1},
        "Grafana": {"rule group": 1, "alert rule": 3},
    }
    assert kinds.objects(counts) == 6
    assert list(counts["Vercel"]) == ["project", "env var", "log drain"]


def test_one_is_one() -> None:
    assert [kinds.counted(count, "fact") for count in (0, 1, 2)] == ["0 facts", "1 fact", "2 facts"]
