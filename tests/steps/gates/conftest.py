"""A zone with two name servers, hosts behind TLS, and calls that ask them."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import trustme

from runbook.steps import hosts as asking_hosts
from runbook.steps import waiting
from runbook.steps.call import Call
from runbook.steps.reach import Reach
from tests.steps.gates import hosts_server, names_server
from tests.steps.gates.hosts_server import Hosts
from tests.steps.gates.names_server import Answers

RESOLVER, NS1, NS2 = "127.0.9.1", "127.0.9.2", "127.0.9.3"
OLD, NEW, SPARE, CLOSED = "127.0.9.4", "127.0.9.5", "127.0.9.6", "127.0.9.7"
ZONE = "shop.example"
VENDORS = "127.0.9.8"


@dataclass
class Net:
    """`resolver` is what a client asks, `ns1` and `ns2` are authoritative for the zone. What is put in with `record`
    is served by all three, until one gets records of its own. `hosts` are behind TLS; `vendors` answer without, under
    (VENDORS, "/cloudflare/...") and the like."""

    resolver: Answers
    ns1: Answers
    ns2: Answers
    hosts: Hosts
    vendors: Hosts
    reach: Reach

    def record(self, name: str, kind: str, ttl: int, *values: str) -> None:
        for one in (self.resolver, self.ns1, self.ns2):
            one.records[name, kind] = (ttl, list(values))

    def call(self, args: Mapping[str, Any], *, seconds: float = 30, **rest: Any) -> Call:
        rest.setdefault("secrets", {})
        return Call("gate", "1-flip/1", args, reach=self.reach, deadline=time.monotonic() + seconds, **rest)


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


Servers = tuple[names_server.Serving, hosts_server.Serving, hosts_server.Serving]


@pytest.fixture(scope="session")
def servers() -> Iterator[Servers]:
    """Of DNS, of HTTPS and of plain HTTP; started once, as to start and to stop takes longer than most tests."""
    with (
        names_server.serving([RESOLVER, NS1, NS2]) as dns,
        hosts_server.serving([OLD, NEW, SPARE]) as https,
        hosts_server.serving([VENDORS], tls=False) as http,
    ):
        yield dns, https, http


@pytest.fixture
def net(authority: trustme.CA, servers: Servers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Net]:
    monkeypatch.setattr(asking_hosts, "_backoff", lambda number: 0.01)
    monkeypatch.setattr(waiting, "PAUSE", 0.05)
    ca = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(ca))
    resolver, ns1, ns2 = Answers({}, resolver=True), Answers({}), Answers({})
    hosts, vendors = Hosts(authority), Hosts(authority)
    dns, https, http = servers
    dns.answer({RESOLVER: resolver, NS1: ns1, NS2: ns2})
    https.answer(hosts)
    http.answer(vendors)
    base = f"http://{VENDORS}:{http.port}"
    apis = {one: f"{base}/{one}" for one in ("cloudflare", "vercel", "supabase", "loki")}
    reach = Reach(apis, resolver=f"{RESOLVER}:{dns.port}", https_port=https.port, ca=str(ca))
    made = Net(resolver, ns1, ns2, hosts, vendors, reach)
    for one in (resolver, ns1, ns2):
        one.records[ZONE, "SOA"] = (900, [f"ns1.{ZONE}. admin.{ZONE}. 1 7200 900 1209600 1800"])
        one.records[ZONE, "NS"] = (86400, [f"ns1.{ZONE}.", f"ns2.{ZONE}."])
    made.record(f"ns1.{ZONE}", "A", 300, NS1)
    made.record(f"ns2.{ZONE}", "A", 300, NS2)
    yield made
    hosts.stopped.set()
    vendors.stopped.set()
