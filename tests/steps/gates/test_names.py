"""Questions to DNS, against servers that disagree, are lame, silent, cut their answers off, or talk nonsense."""

from __future__ import annotations

import time

import dns.message
import dns.name
import dns.resolver
import dns.rrset
import pytest

from runbook.steps import names
from runbook.steps.call import StepError
from runbook.steps.names import Served, Server
from runbook.steps.reach import Reach
from tests.steps.gates.conftest import NEW, NS1, NS2, OLD, RESOLVER, SPARE, ZONE, Net

HOST = f"auth.{ZONE}"
ONE, TWO = Server(f"ns1.{ZONE}", NS1), Server(f"ns2.{ZONE}", NS2)
LAME = "Run up again; if it stays, look at the NS records at the registrar."


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(names, "TRY", 0.15)


def test_a_client_gets_addresses_through_cnames(net: Net) -> None:
    net.record(HOST, "CNAME", 60, "edge.vendor.example.")
    net.resolver.records["edge.vendor.example", "A"] = (30, [NEW, OLD])
    assert set(names.addresses(net.reach, HOST)) == {NEW, OLD}


def test_a_client_gets_ipv6_where_there_is_nothing_else(net: Net) -> None:
    net.record(HOST, "AAAA", 60, "2001:db8::1")
    assert names.addresses(net.reach, HOST) == ("2001:db8::1",)
    net.record(HOST, "A", 60, NEW)
    assert names.addresses(net.reach, HOST) == (NEW,)


@pytest.mark.parametrize("address", ["192.0.2.1", "2001:db8::1"])
def test_an_address_stands_for_itself(net: Net, address: str) -> None:
    assert names.addresses(Reach({}), address) == (address,)
    assert names.addresses(net.reach, NEW) == (NEW,)
    assert net.resolver.asked == []


@pytest.mark.parametrize("address", ["192.0.2.1", "2001:db8::1"])
def test_a_stand_in_says_what_stands_for_an_address(net: Net, address: str) -> None:
    net.resolver.records[address, "A"] = (60, [NEW])
    assert names.addresses(net.reach, address) == names.fresh(net.reach, address) == (NEW,)


def test_a_resolver_that_fails_or_is_silent(net: Net) -> None:
    net.resolver.rcode = "SERVFAIL"
    told = f"The DNS resolver {RESOLVER} did not answer {HOST} A"
    with pytest.raises(StepError) as error:
        names.addresses(net.reach, HOST)
    assert str(error.value) == f"{told} usably: look at this machine's network."
    net.resolver.broken = "silent"
    with pytest.raises(StepError) as error:
        names.addresses(net.reach, HOST, seconds=0.2)
    assert str(error.value) == f"{told} in time: look at this machine's network."


def test_a_machine_without_a_resolver(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(*_: object, **__: object) -> None:
        raise dns.resolver.NoResolverConfiguration

    monkeypatch.setattr(dns.resolver, "Resolver", none)
    with pytest.raises(StepError) as error:
        names.addresses(Reach({}), HOST)
    assert str(error.value) == "This machine names no DNS resolver: look at /etc/resolv.conf."


def test_a_name_lies_in_the_nearest_zone_above(net: Net) -> None:
    assert names.zone_of(net.reach, f"_x.a.{HOST}") == (ZONE, (f"ns1.{ZONE}", f"ns2.{ZONE}"))
    net.resolver.records[HOST, "NS"] = (300, ["ns.elsewhere.example."])
    assert names.zone_of(net.reach, HOST) == (HOST, ("ns.elsewhere.example",))


def test_a_cname_to_the_top_of_another_zone_is_no_zone(net: Net) -> None:
    net.record(HOST, "CNAME", 60, "vendor.example.")
    net.resolver.records["vendor.example", "NS"] = (300, ["ns.vendor.example."])
    assert names.zone_of(net.reach, HOST)[0] == ZONE


def test_no_zone(net: Net) -> None:
    with pytest.raises(StepError) as error:
        names.zone_of(net.reach, "a.nowhere.example")
    assert str(error.value) == (
        "No zone with NS records is found for a.nowhere.example: look at the delegation at the registrar."
    )


def test_every_address_of_every_server_is_asked(net: Net) -> None:
    net.resolver.records[f"ns2.{ZONE}", "A"] = (300, [NS2, SPARE])
    assert set(names.servers(net.reach, HOST)) == {ONE, TWO, Server(f"ns2.{ZONE}", SPARE)}


def test_what_each_server_gives(net: Net) -> None:
    net.record(HOST, "CNAME", 3600, "Old.Vendor.example.")
    net.ns2.records[HOST, "CNAME"] = (60, ["new.vendor.example."])
    assert names.served(net.reach, HOST) == (
        Served(ONE, "CNAME", ("Old.Vendor.example",), 3600),
        Served(TWO, "CNAME", ("new.vendor.example",), 60),
    )


def test_a_name_without_a_record_has_no_ttl(net: Net) -> None:
    assert names.served(net.reach, HOST) == (Served(ONE), Served(TWO))
    net.record(HOST, "TXT", 60, '"only a text"')
    assert names.served(net.reach, HOST) == (Served(ONE), Served(TWO))
    net.record(HOST, "AAAA", 120, "2001:db8::1")
    assert names.served(net.reach, HOST)[0] == Served(ONE, "AAAA", ("2001:db8::1",), 120)


def test_addresses_in_place_of_a_cname_are_told_apart(net: Net) -> None:
    net.record(ZONE, "A", 60, NEW)
    assert names.served(net.reach, ZONE, "CNAME")[0] == Served(ONE, "A", (NEW,), 60, flattened=True)
    assert names.served(net.reach, ZONE, "A")[0] == Served(ONE, "A", (NEW,), 60)


def test_of_a_chain_only_the_names_own_record_counts() -> None:
    """In whatever order a server gives it."""
    chain = dns.message.make_response(dns.message.make_query(HOST, "A"))
    for name, kind, value in (("edge.vendor.example", "A", NEW), (HOST, "CNAME", "edge.vendor.example.")):
        chain.answer.append(dns.rrset.from_text(dns.name.from_text(name), 60, "IN", kind, value))
    own = names._own(chain, HOST)
    assert own is not None
    assert own.to_text() == f"{HOST}. 60 IN CNAME edge.vendor.example."


def test_an_answer_that_is_cut_off_is_asked_for_over_tcp(net: Net) -> None:
    net.record(HOST, "A", 60, NEW)
    net.ns1.cut_udp = True
    assert names.served(net.reach, HOST, "A")[0] == Served(ONE, "A", (NEW,), 60)
    assert [transport for transport, name, _ in net.ns1.asked if name == HOST] == ["udp", "tcp"]


def test_recursion_is_not_asked_for(net: Net) -> None:
    net.record(HOST, "A", 60, NEW)
    names.served(net.reach, HOST, "A")
    assert net.ns1.recursion_wanted == [False]


@pytest.mark.parametrize("rcode", ["REFUSED", "SERVFAIL"])
def test_a_server_that_refuses(net: Net, rcode: str) -> None:
    net.ns2.rcode = rcode
    with pytest.raises(StepError) as error:
        names.served(net.reach, HOST)
    assert str(error.value) == f"ns2.{ZONE} ({NS2}) answered {HOST} A with {rcode}. {LAME}"


def test_a_lame_server(net: Net) -> None:
    net.record(HOST, "A", 60, NEW)
    net.ns2.authoritative = False
    with pytest.raises(StepError) as error:
        names.served(net.reach, HOST)
    assert str(error.value) == f"ns2.{ZONE} ({NS2}) is not authoritative for {HOST} A. {LAME}"


@pytest.mark.parametrize("broken", ["silent", "garbage"])
def test_a_server_without_a_usable_answer_is_asked_twice(net: Net, broken: str) -> None:
    net.record(HOST, "A", 60, NEW)
    net.ns2.broken = broken
    begun = time.monotonic()
    with pytest.raises(StepError) as error:
        names.served(net.reach, HOST, "A")
    assert str(error.value) == f"ns2.{ZONE} ({NS2}) did not answer {HOST} A: nothing came within 0.15 s. {LAME}"
    assert net.ns2.asked == [("udp", HOST, "A")] * names.TRIES
    assert time.monotonic() - begun < 2


def test_an_answer_over_tcp_that_is_none(net: Net) -> None:
    net.ns1.broken, net.ns1.cut_udp = "garbage", True
    with pytest.raises(StepError) as error:
        names.served(net.reach, HOST, "A")
    assert str(error.value) == f"ns1.{ZONE} ({NS1}) answered {HOST} A with what is no DNS answer. {LAME}"


def test_a_lost_packet_is_nobodys_fault(net: Net) -> None:
    net.record(HOST, "A", 60, NEW)
    answer, lost = net.ns1.answer, [True]
    net.ns1.answer = lambda wire, transport: None if lost and lost.pop() else answer(wire, transport)  # type: ignore[method-assign]
    assert names.served(net.reach, HOST, "A")[0].values == (NEW,)


def test_a_server_where_nothing_listens(net: Net) -> None:
    net.resolver.records[f"ns2.{ZONE}", "A"] = (300, ["127.0.9.99"])
    with pytest.raises(StepError) as error:
        names.served(net.reach, HOST, "A")
    assert str(error.value).startswith(f"ns2.{ZONE} (127.0.9.99) did not answer {HOST} A: ")


def test_a_missing_name_is_remembered_for_the_smaller_of_both(net: Net) -> None:
    assert names.negative_ttl(net.reach, ZONE) == 900  # the SOA's TTL; its minimum is 1800
    for one in (net.ns1, net.ns2):
        one.records[ZONE, "SOA"] = (3600, [f"ns1.{ZONE}. admin.{ZONE}. 1 7200 900 1209600 300"])
    assert names.negative_ttl(net.reach, ZONE) == 300


def test_of_two_negative_ttls_the_larger_counts(net: Net) -> None:
    net.ns2.records[ZONE, "SOA"] = (3600, [f"ns1.{ZONE}. admin.{ZONE}. 1 7200 900 1209600 3000"])
    assert names.negative_ttl(net.reach, ZONE) == 3000


def test_a_server_without_the_zone(net: Net) -> None:
    net.ns1.records.clear()
    with pytest.raises(StepError) as error:
        names.negative_ttl(net.reach, ZONE)
    assert str(error.value) == (
        f"ns1.{ZONE} ({NS1}) gives no SOA record of {ZONE}: look at the delegation at the registrar."
    )


def test_a_client_that_remembers_nothing_gets_what_the_zone_serves(net: Net) -> None:
    net.record(HOST, "CNAME", 60, "new.vendor.example.")
    net.resolver.records[HOST, "CNAME"] = (3600, ["old.vendor.example."])  # what the resolver still holds
    net.resolver.records["old.vendor.example", "A"] = (60, [OLD])
    net.resolver.records["new.vendor.example", "A"] = (60, [NEW])
    assert names.addresses(net.reach, HOST) == (OLD,)
    assert names.fresh(net.reach, HOST) == (NEW,)


def test_a_client_that_remembers_nothing_may_get_nothing(net: Net) -> None:
    net.resolver.records[HOST, "A"] = (3600, [OLD])
    with pytest.raises(StepError) as error:
        names.fresh(net.reach, HOST)
    assert str(error.value) == f"ns1.{ZONE} ({NS1}) knows no address of {HOST}: look at its record."


def test_a_host_in_no_zone_is_left_to_the_resolver(net: Net) -> None:
    net.resolver.records["ref.supabase.example", "A"] = (60, [NEW])
    assert names.fresh(net.reach, "ref.supabase.example") == (NEW,)


def test_targets_are_compared_in_one_spelling() -> None:
    assert names.same("Edge.Vendor.example.") == names.same("edge.vendor.EXAMPLE")
    assert names.same("2001:DB8:0::1") == names.same("2001:db8::1")
