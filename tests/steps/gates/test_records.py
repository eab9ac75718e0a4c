"""The gates that ask the authoritative servers."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from runbook.model.cutover.step import Kind
from runbook.steps import records
from runbook.steps.call import StepError
from runbook.steps.gates import GATES
from tests.steps.gates.conftest import NEW, NS1, NS2, OLD, ZONE, Net

APP, AUTH = f"app.{ZONE}", f"auth.{ZONE}"
SERVERS = [f"ns1.{ZONE} ({NS1})", f"ns2.{ZONE} ({NS2})"]
AGAIN = "Run up again; if it stays, look at the record at Cloudflare."


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "PROPAGATION", 0)


def _ttl(net: Net, *names: str) -> dict[str, Any]:
    return GATES[Kind.TTL_SERVED](net.call({"names": list(names), "ttl": 60}))


def _served(net: Net, **more: Any) -> dict[str, Any]:
    args = {"targets": {AUTH: "new.vendor.example"}, "types": {AUTH: "CNAME"}, "proxied": [], **more}
    return GATES[Kind.DNS_SERVED](net.call(args))


def _refused(gate: Any, *args: Any, **more: Any) -> str:
    with pytest.raises(StepError) as error:
        gate(*args, **more)
    return str(error.value)


def test_ttl_at_the_boundary(net: Net) -> None:
    net.record(APP, "A", 60, OLD)
    net.record(AUTH, "CNAME", 60, "old.vendor.example.")
    assert _ttl(net, APP, AUTH) == {"ttl": {APP: 60, AUTH: 60}, "servers": SERVERS}
    net.record(AUTH, "CNAME", 61, "old.vendor.example.")
    assert _refused(_ttl, net, AUTH).startswith(f"{AUTH} is served with a TTL of 61 s by {SERVERS[0]}; ")


def test_one_server_with_the_ttl_of_before_is_enough_to_refuse(net: Net) -> None:
    net.record(APP, "A", 60, OLD)
    net.record(AUTH, "A", 60, OLD)
    net.ns2.records[AUTH, "A"] = (3600, [OLD])
    assert _refused(_ttl, net, APP, AUTH) == (
        f"{AUTH} is served with a TTL of 3600 s by {SERVERS[1]}. At most 60 s is wanted before names may move:"
        " lower the TTL, wait until resolvers have forgotten the old one, and run up again."
    )


def test_a_name_in_use_that_a_server_does_not_know(net: Net) -> None:
    """It has no TTL that could be too long; that it is missing is remembered longer than 60 s."""
    net.record(AUTH, "A", 60, OLD)
    del net.ns2.records[AUTH, "A"]
    assert _refused(_ttl, net, AUTH).startswith(f"{AUTH} has no record at {SERVERS[1]}. At most 60 s is wanted ")


def test_a_lame_server_refuses_the_flip(net: Net) -> None:
    net.record(AUTH, "A", 60, OLD)
    net.ns2.rcode = "REFUSED"
    assert _refused(_ttl, net, AUTH) == (
        f"{SERVERS[1]} answered {AUTH} A with REFUSED."
        " Run up again; if it stays, look at the NS records at the registrar."
    )


def test_the_target_is_served(net: Net) -> None:
    net.record(AUTH, "CNAME", 60, "New.Vendor.example.")
    assert _served(net) == {AUTH: {"answer": "New.Vendor.example", "servers": SERVERS}}


def test_one_server_with_the_target_of_before(net: Net) -> None:
    net.record(AUTH, "CNAME", 60, "new.vendor.example.")
    net.ns2.records[AUTH, "CNAME"] = (60, ["old.vendor.example."])
    assert _refused(_served, net) == (
        f"{SERVERS[1]} gives old.vendor.example for {AUTH}, not new.vendor.example. {AGAIN}"
    )


def test_an_address_beside_the_target(net: Net) -> None:
    net.record(APP, "A", 60, NEW, OLD)
    said = _refused(_served, net, targets={APP: NEW}, types={APP: "A"})
    assert said.startswith(f"{SERVERS[0]} gives {OLD}, {NEW} for {APP}, not {NEW}; ")
    net.record(APP, "A", 60, NEW)
    assert _served(net, targets={APP: NEW}, types={APP: "A"})[APP]["answer"] == NEW


def test_an_address_that_another_one_stands_for(net: Net) -> None:
    net.resolver.records["192.0.2.10", "A"] = (60, [NEW])
    net.record(APP, "A", 60, NEW)
    assert _served(net, targets={APP: "192.0.2.10"}, types={APP: "A"})[APP]["answer"] == NEW
    net.record(APP, "A", 60, OLD)
    assert f"gives {OLD} for {APP}, not 192.0.2.10" in _refused(
        _served, net, targets={APP: "192.0.2.10"}, types={APP: "A"}
    )


def test_no_record(net: Net) -> None:
    assert _refused(_served, net) == (
        f"{SERVERS[0]} gives no record for {AUTH}; {SERVERS[1]} gives no record for {AUTH}. {AGAIN}"
    )


def test_a_proxied_name_may_have_any_address_and_ttl(net: Net) -> None:
    net.record(APP, "A", 300, NEW, OLD)
    more = {"targets": {APP: "new.vendor.example"}, "types": {APP: "CNAME"}, "proxied": [APP]}
    assert _served(net, **more)[APP]["answer"] == f"{OLD}, {NEW}"
    net.ns2.records.pop((APP, "A"))
    assert _refused(_served, net, **more) == f"{SERVERS[1]} gives no record for {APP}. {AGAIN}"


@pytest.mark.parametrize(("kind", "value"), [("CNAME", "new.vendor.example"), ("A", NEW)])
def test_a_name_that_is_to_be_proxied_and_is_not(net: Net, kind: str, value: str) -> None:
    """Served as it is, it passes the CDN by: its cache rules, and what hides where the app stands."""
    net.record(APP, kind, 300, f"{value}." if kind == "CNAME" else value)
    net.resolver.records["new.vendor.example", "A"] = (60, [NEW])
    more = {"targets": {APP: value}, "types": {APP: kind}, "proxied": [APP]}
    both = "; ".join(f"{one} gives {value} for {APP}, which is to be proxied" for one in SERVERS)
    assert _refused(_served, net, **more) == f"{both}. {AGAIN}"


def test_a_cname_at_the_top_of_the_zone_is_served_as_its_addresses(net: Net) -> None:
    net.resolver.records["new.vendor.example", "A"] = (60, [NEW])
    net.record(ZONE, "A", 60, NEW)
    more = {"targets": {ZONE: "new.vendor.example"}, "types": {ZONE: "CNAME"}}
    assert _served(net, **more)[ZONE]["answer"] == NEW
    net.record(ZONE, "A", 60, OLD)
    assert f"gives {OLD} for {ZONE}, not new.vendor.example" in _refused(_served, net, **more)


def test_servers_may_need_a_moment(net: Net, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "PROPAGATION", 5)
    net.record(AUTH, "CNAME", 60, "old.vendor.example.")
    late = threading.Timer(0.3, net.record, (AUTH, "CNAME", 60, "new.vendor.example."))
    late.start()
    assert _served(net)[AUTH]["answer"] == "new.vendor.example"
    assert len([one for one in net.ns1.asked if one[1] == AUTH]) > 1
