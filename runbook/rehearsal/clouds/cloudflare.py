"""What Cloudflare and its provider do, row by row."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from typing import Any

from runbook.rehearsal.clouds.behaviours import UNVERIFIED, Row
from runbook.rehearsal.clouds.store import Held, Store

RECORD = "cloudflare:index/dnsRecord:DnsRecord"
RULESET = "cloudflare:index/ruleset:Ruleset"

ROWS: list[Row] = [
    Row(RECORD, "id", "id", UNVERIFIED, lambda _: uuid.uuid4().hex),
    Row(RULESET, "id", "id", UNVERIFIED, lambda _: uuid.uuid4().hex),
]
LOOKUPS: dict[str, Callable[[Store, Mapping[str, Any]], dict[str, Any]]] = {}
ZONE = "zone"


def add_zone(store: Store, name: str) -> None:
    """Give the account a zone, unless it has it. Its id derives from the name, so that it is the same every time."""
    if not store.find("cloudflare", ZONE, name=name):
        id = uuid.uuid5(uuid.NAMESPACE_DNS, name).hex
        store.put(Held("cloudflare", ZONE, id, {"name": name}))

