"""The gates that ask hosts and DNS: each only looks, and says exactly what it saw."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from runbook.model.cutover.step import Kind
from runbook.steps import answers, drains, login, records
from runbook.steps.call import Call

GATES: Mapping[Kind, Callable[[Call], dict[str, Any]]] = {
    Kind.TARGET_ANSWERS: answers.target_answers,
    Kind.TTL_SERVED: records.ttl_served,
    Kind.DRAIN_ANSWERS: drains.drain_answers,
    Kind.DNS_SERVED: records.dns_served,
    Kind.HEALTHY: answers.healthy,
    Kind.LOGIN: login.round_trip,
    Kind.WORKER_SERVED: answers.worker_served,
    Kind.EVENT_ARRIVES: drains.event_arrives,
}
