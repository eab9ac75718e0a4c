"""What the clouds were asked for, counted by cloud and kind in words for people."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping

from runbook.rehearsal.events import Operation

CLOUDS = {"cloudflare": "Cloudflare", "vercel": "Vercel", "grafana": "Grafana"}
# All that is stood in for.
VENDORS = CLOUDS | {
    "supabase": "Supabase",
    "slack": "Slack",
    "pagerduty": "PagerDuty",
    "loki": "Loki",
    "internet": "DNS with its resolvers and hosts",
}
# The providers' own names say little to people, or stand in an order that does.
_NAMES = {
    "DnsRecord": "DNS record",
    "Ruleset": "ruleset",
    "Project": "project",
    "ProjectDomain": "domain",
    "ProjectEnvironmentVariable": "env var",
    "ProjectDeploymentRetention": "retention period",
    "Folder": "folder",
    "DataSource": "data source",
    "Dashboard": "dashboard",
    "RuleGroup": "rule group",
    "ContactPoint": "contact point",
    "MuteTiming": "mute timing",
    "Check": "uptime check",
    "LogDrain": "log drain",
    "TraceDrain": "trace drain",
    "EdgeConfigItem": "feature switch",
    "EdgeConfig": "Edge Config",
    "EdgeConfigToken": "Edge Config token",
}
# Resources that hold a list of what people really count.
_PARTS = {"Ruleset": "cache rule", "RuleGroup": "alert rule"}


def created(operations: Iterable[Operation]) -> dict[str, dict[str, int]]:
    """Cloud to kind to how many of it were created. Components and providers are no cloud's and left out."""
    counts: dict[str, Counter[str]] = {cloud: Counter() for cloud in CLOUDS.values()}
    made = [each for each in operations if each.op == "create" and each.type.partition(":")[0] in CLOUDS]
    for each in sorted(made, key=_rank):
        kind, counted_in = _kind(each), counts[CLOUDS[each.type.partition(":")[0]]]
        counted_in[_NAMES.get(kind) or _spelled(kind)] += 1
        if kind in _PARTS:
            counted_in[_PARTS[kind]] += len(each.inputs["rules"])
    return {cloud: dict(kinds) for cloud, kinds in counts.items()}


def objects(created: Mapping[str, Mapping[str, int]]) -> int:
    """How many objects the clouds hold; what is inside of others does not count."""
    return sum(count for kinds in created.values() for kind, count in kinds.items() if kind not in _PARTS.values())


def text(kinds: Mapping[str, int]) -> str:
    """ "1 folder, 3 dashboards", with spaces inside an item that no line breaks at."""
    return ", ".join(counted(count, kind).replace(" ", "\N{NO-BREAK SPACE}") for kind, count in kinds.items())


def counted(count: int, what: str) -> str:
    """ "1 change", "2 changes"."""
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def _kind(operation: Operation) -> str:
    return operation.type.rpartition(":")[-1]


def _rank(operation: Operation) -> tuple[int, str]:
    kind = _kind(operation)
    return (list(_NAMES).index(kind) if kind in _NAMES else len(_NAMES), kind)


def _spelled(kind: str) -> str:
    """ "LogDrain" is a log drain."""
    return re.sub("(?<!^)(?=[A-Z])", " ", kind).lower()
