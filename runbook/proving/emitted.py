"""Alert rules as they are sent to Grafana, read back from their JSON.

Nothing here knows the objective that a rule came from: a mistake on the way from objective to JSON would otherwise
be in the proof as well.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

from runbook.model.alerting import EXPRESSION, Rule, base_name, rule_groups
from runbook.model.platform import Platform
from runbook.model.settings import Settings
from runbook.model.signals import Source

COMPARATORS = ("gt", "gte", "lt", "lte")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


class NotReadable(ValueError):
    """A rule of another form than the one that is proven: one query, its last value, one threshold."""


@dataclass(frozen=True)
class Emitted:
    """One rule. `name` is the alert's short name, `expression` PromQL, LogQL or SQL, `span` how far back the query
    may read, `interval` how often Grafana evaluates it, `muted` whether it is not sent outside business hours."""

    uid: str
    name: str
    source: Source
    expression: str
    span: timedelta
    comparator: str
    threshold: Decimal
    interval: timedelta
    for_: timedelta
    no_data_state: str
    exec_err_state: str
    labels: Mapping[str, str]
    owner: str
    muted: bool

    def mutated(self, **changes: Any) -> Emitted:
        """A copy with some fields changed."""
        return replace(self, **changes)

    def breached(self, value: float) -> bool:
        """Grafana's threshold expression, on the one value that the reducer left."""
        limit = float(self.threshold)
        return {"gt": value > limit, "gte": value >= limit, "lt": value < limit, "lte": value <= limit}[
            self.comparator
        ]


def emitted(platform: Platform, settings: Settings) -> tuple[Emitted, ...]:
    """All rules of a stack, in the order they are sent. Raises: NotReadable."""
    prefix = f"{base_name(settings)}-"
    return tuple(
        _read(rule, timedelta(seconds=group.interval_seconds), prefix)
        for group in rule_groups(platform, settings)
        for rule in group.rules
    )


def _read(rule: Rule, interval: timedelta, prefix: str) -> Emitted:
    models = {ref: json.loads(text, parse_float=Decimal) for ref, text in rule.models}
    query, reduce, threshold = (models.get(ref) for ref in "ABC")
    if not (query and reduce and threshold) or len(models) != 3 or rule.condition != "C":
        raise NotReadable(f"Rule {rule.uid} is not made of A, B and C with C as its condition.")
    if (reduce["type"], reduce["expression"], reduce["reducer"]) != ("reduce", "A", "last"):
        raise NotReadable(f"Rule {rule.uid}: B is to reduce A to its last value.")
    if (threshold["type"], threshold["expression"], len(threshold["conditions"])) != ("threshold", "B", 1):
        raise NotReadable(f"Rule {rule.uid}: C is to hold one threshold on B.")
    if {model["datasource"]["uid"] for model in (reduce, threshold)} != {EXPRESSION}:
        raise NotReadable(f"Rule {rule.uid}: B and C are to be expressions of Grafana's own.")
    evaluator = threshold["conditions"][0]["evaluator"]
    if evaluator["type"] not in COMPARATORS or len(evaluator["params"]) != 1:
        raise NotReadable(f"Rule {rule.uid}: C compares with {evaluator}; {', '.join(COMPARATORS)} are known.")
    source = Source(query["datasource"]["type"])
    return Emitted(
        uid=rule.uid,
        name=rule.uid.removeprefix(prefix),
        source=source,
        expression=query["rawSql" if source is Source.POSTGRES else "expr"],
        span=rule.span,
        comparator=evaluator["type"],
        threshold=Decimal(evaluator["params"][0]),
        interval=interval,
        for_=duration(rule.for_),
        no_data_state=rule.no_data_state,
        exec_err_state=rule.exec_err_state,
        labels=rule.labels,
        owner=rule.owner,
        muted=rule.muted_outside_hours,
    )


def duration(text: str) -> timedelta:
    """A time as Grafana and Prometheus write it: a number and a unit."""
    matched = re.fullmatch(r"(\d+)([smhd])", text)
    if not matched:
        raise NotReadable(f"The duration {text} is not a number and one of s, m, h, d.")
    return timedelta(seconds=int(matched[1]) * _SECONDS[matched[2]])
