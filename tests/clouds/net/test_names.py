"""DNS says what the store holds: TTLs, proxied names, chains, and how long a missing name is remembered."""

from __future__ import annotations

import socket

import dns.exception
import dns.flags
import dns.message
import dns.rcode
import pytest

from runbook.rehearsal.clouds.faults import Hang
from tests.clouds.net.scene import AUTH, OLD, STAFF, ZONE, Scene

ADA = "127.0.53.1"


def _said(message: dns.message.Message) -> list[str]:
    return sorted(f"{one.ttl} {value.rdtype.name} {value}" for one in message.answer for value in one)


def test_a_name_of_its_own_is_served_with_its_ttl_over_udp_and_tcp(scene: Scene) -> None:
    for tcp in (False, True):
        answer = scene.ask(AUTH, server=ADA, tcp=tcp)
        assert answer.flags & dns.flags.AA
        assert _said(answer) == [f"3600 CNAME {OLD}.supabase.co."]
    assert not scene.ask(AUTH).flags & dns.flags.AA


def test_a_change_in_the_store_is_served_at_once(scene: Scene) -> None:
    scene.change_record(AUTH, ttl=60, content="x.supabase.co")
    assert _said(scene.ask(AUTH, server=ADA)) == ["60 CNAME x.supabase.co."]
    scene.change_record(AUTH, ttl=1)
    assert _said(scene.ask(AUTH, server=ADA)) == ["300 CNAME x.supabase.co."]


def test_a_proxied_name_leads_to_cloudflare_and_shows_no_target(scene: Scene) -> None:
    answer = scene.ask(STAFF, server=ADA)
    assert [one.ttl for one in answer.answer] == [300]
    assert len(answer.answer[0]) == 2
    for type in ("CNAME", "AAAA", "TXT"):
        empty = scene.ask(STAFF, type, ADA)
        assert (empty.rcode(), empty.answer, len(empty.authority)) == (dns.rcode.NOERROR, [], 1)


def test_servers_and_their_addresses_are_found_and_each_answers(scene: Scene) -> None:
    servers = [value.to_text() for value in scene.ask(ZONE, "NS").answer[0]]
    assert sorted(servers) == ["ada.ns.example.", "bob.ns.example."]
    for server in servers:
        assert scene.ask(ZONE, "SOA", scene.address(server)).flags & dns.flags.AA


def test_a_missing_name_is_remembered_for_half_an_hour(scene: Scene) -> None:
    scene.record("a.deep.ibimina.rw", "TXT", '"x"', 60)
    for name, code in (("missing.ibimina.rw", dns.rcode.NXDOMAIN), ("deep.ibimina.rw", dns.rcode.NOERROR)):
        answer = scene.ask(name, server=ADA)
        assert (answer.rcode(), answer.answer) == (code, [])
        assert (answer.authority[0].ttl, answer.authority[0][0].minimum) == (1800, 1800)


def test_a_chain_is_followed_within_the_zone_and_by_the_resolver_beyond_it(scene: Scene) -> None:
    scene.record("login.ibimina.rw", "CNAME", AUTH, 120)
    inside = ["120 CNAME auth.ibimina.rw.", f"3600 CNAME {OLD}.supabase.co."]
    assert _said(scene.ask("login.ibimina.rw", server=ADA)) == inside
    end = scene.address(f"{OLD}.supabase.co")
    assert _said(scene.ask("login.ibimina.rw")) == sorted([*inside, f"300 A {end}"])
    scene.record("lost.ibimina.rw", "CNAME", "missing.ibimina.rw", 120)
    assert scene.ask("lost.ibimina.rw").rcode() == dns.rcode.NXDOMAIN


def test_chains_that_never_end_do_end(scene: Scene) -> None:
    scene.record("x.ibimina.rw", "CNAME", "y.ibimina.rw", 60)
    scene.record("y.ibimina.rw", "CNAME", "x.ibimina.rw", 60)
    assert {value.rdtype.name for one in scene.ask("x.ibimina.rw").answer for value in one} == {"CNAME"}


def test_each_target_outside_has_one_address_on_this_machine(scene: Scene) -> None:
    targets = ["cname.vercel-dns.com", "one.supabase.co", "192.0.2.10.example", "api.ibimina.rw"]
    addresses = [scene.address(target) for target in targets]
    assert len(set(addresses)) == len(targets)
    assert all(address.startswith("127.0.") for address in addresses)
    assert [scene.address(target) for target in targets] == addresses
    assert scene.ask("cname.vercel-dns.com", server=ADA).rcode() == dns.rcode.REFUSED


def test_an_alias_at_the_top_of_the_zone_is_flattened(scene: Scene) -> None:
    scene.record(ZONE, "CNAME", "cname.vercel-dns.com", 60)
    assert _said(scene.ask(ZONE, server=ADA)) == [f"60 A {scene.address('cname.vercel-dns.com')}"]
    assert len(scene.ask(ZONE, "NS", ADA).answer[0]) == 2


def test_what_is_too_long_for_udp_comes_over_tcp(scene: Scene) -> None:
    for number in range(20):
        scene.record("_long.ibimina.rw", "TXT", f'"{number} {"x" * 100}"', 60)
    assert scene.ask("_long.ibimina.rw", "TXT", ADA).flags & dns.flags.TC
    assert len(scene.ask("_long.ibimina.rw", "TXT", ADA, tcp=True).answer[0]) == 20


def test_one_server_can_be_down_and_the_other_not(scene: Scene) -> None:
    scene.faults.down("ada.ns.example")
    assert scene.ask(AUTH, server=ADA).rcode() == dns.rcode.SERVFAIL
    assert scene.ask(AUTH, server="127.0.53.2").rcode() == dns.rcode.NOERROR
    scene.faults.down("dns", how=Hang())
    with pytest.raises(dns.exception.Timeout):
        scene.ask(AUTH, seconds=0.2)


def test_what_is_no_question_is_not_answered_and_does_no_harm(scene: Scene) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as noise:
        noise.sendto(b"\xff" * 40, (ADA, scene.clouds.world.internet.dns_port))
    assert scene.ask(AUTH, server=ADA).answer
