"""Questions to DNS: what a client gets, and what the authoritative servers of a zone say themselves.

Every error is a StepError whose sentence names the server that was asked and what it answered.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.rdatatype
import dns.resolver
import dns.rrset

from runbook.steps.call import StepError
from runbook.steps.reach import Reach
from runbook.steps.together import results

TRY = 2.0  # seconds for one question to one server; asked twice, as a lost packet is nobody's fault
TRIES = 2
_LAME = "Run up again; if it stays, look at the NS records at the registrar."
_SILENT = (dns.exception.Timeout, OSError, EOFError)


class NoZone(StepError):
    """No name above has NS records."""


@dataclass(frozen=True)
class Server:
    """An authoritative server: its name in the NS records, and one of its addresses."""

    name: str
    address: str

    def __str__(self) -> str:
        return f"{self.name} ({self.address})"


@dataclass(frozen=True)
class Served:
    """What one server gives for a name itself: the type, the values (names without the final dot) and the TTL in
    seconds. A name without such records has no type, no values and the TTL None."""

    server: Server
    type: str = ""
    values: tuple[str, ...] = ()
    ttl: int | None = None
    flattened: bool = False  # addresses where a CNAME was asked for, which the top of a zone cannot have


def addresses(reach: Reach, host: str, seconds: float = 2 * TRY) -> tuple[str, ...]:
    """What a client gets for a host: its IPv4 addresses, else its IPv6 ones. An address stands for itself.

    IPv4 first, because machines that run CI often have no IPv6 at all. A resolver that stands in for the system's is
    asked for addresses too: it says which one of this machine stands for them, so that nothing leaves it.
    """
    if _stands_for_itself(reach, host):
        return (host,)
    asked = _resolver(reach, seconds)
    for kind in ("A", "AAAA"):
        found = _resolve(asked, host, kind)
        if found is not None and found.rrset is not None:
            return tuple(record.to_text() for record in found.rrset)
    raise StepError(f"{host} has no address in DNS: look at its record and at what the record names.")


def fresh(reach: Reach, host: str, seconds: float = 2 * TRY) -> tuple[str, ...]:
    """What a client gets that remembers nothing: the authoritative servers' answer, a CNAME followed.

    The resolver of this machine may hold the answer from before a switch for its whole TTL. It is asked all the same
    for a host in no zone that can be found, as behind a resolver that hides the delegation.
    """
    try:
        asked = servers(reach, host, seconds)
    except NoZone:
        return addresses(reach, host, seconds)
    found = served(reach, host, seconds=seconds, among=asked)[0]
    if found.type == "CNAME":
        return addresses(reach, found.values[0], seconds)
    if not found.values:
        raise StepError(f"{found.server} knows no address of {host}: look at its record.")
    return found.values


def same(target: str) -> str:
    """A target in the one spelling in which two are compared."""
    return str(ipaddress.ip_address(target)) if is_address(target) else target.rstrip(".").lower()


def zone_of(reach: Reach, name: str, seconds: float = 2 * TRY) -> tuple[str, tuple[str, ...]]:
    """The zone that a name lies in, and the names of its servers: the nearest name above with NS records."""
    asked = _resolver(reach, seconds)
    here = dns.name.from_text(name)
    while len(here) > 1:
        found = _resolve(asked, here.to_text(), "NS")
        if found is not None and found.rrset is not None and found.rrset.name == here:
            return _plain(here), tuple(sorted(_plain(record.target) for record in found.rrset))
        here = here.parent()
    raise NoZone(f"No zone with NS records is found for {name}: look at the delegation at the registrar.")


def servers(reach: Reach, name: str, seconds: float = 2 * TRY) -> tuple[Server, ...]:
    """Every address of every authoritative server of the zone that a name lies in."""
    _, names = zone_of(reach, name, seconds)
    found = results({one: partial(addresses, reach, one, seconds) for one in names}, seconds)
    return tuple(Server(one, address) for one, its in zip(names, found, strict=True) for address in its)


def served(
    reach: Reach, name: str, kind: str | None = None, *, seconds: float = 4 * TRY, among: Iterable[Server] = ()
) -> tuple[Served, ...]:
    """What every authoritative server gives for a name, `among` them when they are known already.

    `kind` is a record type. Without it: its A records or the CNAME in their place, else its AAAA records.
    """
    asked = tuple(among) or servers(reach, name, seconds / 2)
    return tuple(results({one: partial(_served_by, reach, one, name, kind) for one in asked}, seconds))


def negative_ttl(reach: Reach, zone: str, seconds: float = 4 * TRY, among: Iterable[Server] = ()) -> int:
    """Seconds that a missing name of the zone is remembered: min(TTL of the SOA, its minimum), RFC 2308 section 5.
    The largest that any authoritative server gives."""
    asked = tuple(among) or servers(reach, zone, seconds / 2)
    return max(results({one: partial(_negative_by, reach, one, zone) for one in asked}, seconds))


def _served_by(reach: Reach, server: Server, name: str, kind: str | None) -> Served:
    kinds = {None: ("A", "AAAA"), "CNAME": ("CNAME", "A", "AAAA")}.get(kind, (kind,))
    for one in filter(None, kinds):
        found = _own(_ask(reach, server, name, one), name)
        if found is not None:
            values = tuple(sorted(record.to_text().rstrip(".") for record in found))
            given = dns.rdatatype.to_text(found.rdtype)
            return Served(server, given, values, found.ttl, flattened=kind == "CNAME" and given != kind)
    return Served(server)


def _negative_by(reach: Reach, server: Server, zone: str) -> int:
    found = _own(_ask(reach, server, zone, "SOA"), zone)
    if found is None or found.rdtype != dns.rdatatype.SOA:
        raise StepError(f"{server} gives no SOA record of {zone}: look at the delegation at the registrar.")
    return min(found.ttl, int(found[0].minimum))


def _own(answer: dns.message.Message, name: str) -> dns.rrset.RRset | None:
    """The records of the name itself, without what a CNAME leads to."""
    wanted = dns.name.from_text(name)
    return next((one for one in answer.answer if one.name == wanted), None)


def _ask(reach: Reach, server: Server, name: str, kind: str) -> dns.message.Message:
    """One question over UDP, over TCP when the answer is cut off."""
    question = dns.message.make_query(name, kind, flags=dns.flags.Flag(0), use_edns=0, payload=1232)
    for tries_left in reversed(range(TRIES)):
        try:
            answer, _ = dns.query.udp_with_fallback(
                question, server.address, timeout=TRY, port=_port(reach), ignore_unexpected=True, ignore_errors=True
            )
        except _SILENT as error:
            if not tries_left:
                raise StepError(f"{server} did not answer {_asked(name, kind)}: {_why(error)}. {_LAME}") from error
        except dns.exception.DNSException as error:
            raise StepError(f"{server} answered {_asked(name, kind)} with what is no DNS answer. {_LAME}") from error
        else:
            return _sound(answer, server, name, kind)
    raise AssertionError("the last try returns or raises")


def _sound(answer: dns.message.Message, server: Server, name: str, kind: str) -> dns.message.Message:
    code = answer.rcode()
    if code not in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
        raise StepError(f"{server} answered {_asked(name, kind)} with {dns.rcode.to_text(code)}. {_LAME}")
    if not answer.flags & dns.flags.AA:
        raise StepError(f"{server} is not authoritative for {_asked(name, kind)}. {_LAME}")
    return answer


def _asked(name: str, kind: str) -> str:
    return f"{name.rstrip('.')} {kind}"


def _why(error: BaseException) -> str:
    if isinstance(error, dns.exception.Timeout):
        return f"nothing came within {TRY:g} s"
    return "the connection was refused" if isinstance(error, ConnectionRefusedError) else "the connection broke off"


def _resolver(reach: Reach, seconds: float) -> dns.resolver.Resolver:
    """The system's resolver, or the one that is asked in its place. Answers are not kept in this process."""
    try:
        made = dns.resolver.Resolver(configure=reach.resolver is None)
    except dns.exception.DNSException as error:
        raise StepError("This machine names no DNS resolver: look at /etc/resolv.conf.") from error
    if reach.resolver is not None:
        address, _, port = reach.resolver.rpartition(":")
        made.nameservers, made.port = [address.strip("[]")], int(port)
    made.timeout, made.lifetime = min(TRY, seconds), seconds
    return made


def _resolve(asked: dns.resolver.Resolver, name: str, kind: str) -> dns.resolver.Answer | None:
    """An answer, perhaps without records; None when there is no such name."""
    try:
        return asked.resolve(dns.name.from_text(name), kind, raise_on_no_answer=False, search=False)
    except dns.resolver.NXDOMAIN:
        return None
    except (dns.exception.DNSException, OSError) as error:
        told = ", ".join(str(one) for one in asked.nameservers)
        why = "in time" if isinstance(error, dns.exception.Timeout) else "usably"
        raise StepError(
            f"The DNS resolver {told} did not answer {_asked(name, kind)} {why}: look at this machine's network."
        ) from error


def _port(reach: Reach) -> int:
    return 53 if reach.resolver is None else int(reach.resolver.rpartition(":")[2])


def _plain(name: dns.name.Name) -> str:
    return name.to_text(omit_final_dot=True)


def is_address(host: str) -> bool:
    """Whether it is an IP address and no name."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _stands_for_itself(reach: Reach, host: str) -> bool:
    return is_address(host) and (reach.resolver is None or ipaddress.ip_address(host).is_loopback)
