"""What the authoritative servers of the zones say, and the rest of the stand-in internet, straight from the store."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from runbook.rehearsal.clouds.cloudflare import RECORD, ZONE, get_zone
from runbook.rehearsal.clouds.store import Held, Store

AUTOMATIC = 300  # seconds: what ttl 1 is served as, and every proxied name (Cloudflare's documentation, TTL)
NEGATIVE = 1800  # seconds: both the TTL and the minimum of Cloudflare's SOA records
_DAY = 86400
_OUTSIDE = 300  # seconds: names outside the zones
LONGEST_CHAIN = 8
PROXIES = ("proxy-1.cloudflare.net", "proxy-2.cloudflare.net")  # where proxied names lead; made up

Address = Callable[[str], str]  # a target to the loopback address that stands for it


@dataclass(frozen=True)
class Records:
    """Records of one name and type. `values` as a zone file writes them, `ttl` in seconds."""

    name: str
    type: str
    ttl: int
    values: tuple[str, ...]


@dataclass(frozen=True)
class Said:
    """An answer. `found` in the order of the chain; without it the name has no such record, and when `exists` is
    false no record at all: `remembered` seconds long, which `start` (the zone's SOA) says."""

    found: tuple[Records, ...]
    exists: bool = True
    start: Records | None = None

    @property
    def remembered(self) -> int:
        """Seconds: the lesser of the SOA's TTL and its minimum (RFC 2308, section 5)."""
        return min(self.start.ttl, int(self.start.values[0].split()[-1])) if self.start else 0


class Zones:
    """Answers by the records that the store holds at that moment.

    `address` gives each outside target its loopback address: no answer leads a client off this machine, so an
    address that a record names is replaced by the one that stands for it.
    """

    def __init__(self, store: Store, address: Address) -> None:
        self._store, self._address = store, address

    def zone_of(self, name: str) -> Held | None:
        """The zone that holds the name: the longest one when there are several."""
        zones = [zone for zone in self._store.find("cloudflare", ZONE) if _within(name, zone.properties["name"])]
        return max(zones, key=lambda zone: len(zone.properties["name"]), default=None)

    def servers(self, zone: Held) -> tuple[str, ...]:
        """The names of the zone's authoritative servers."""
        return tuple(get_zone(self._store, {"zoneId": zone.id})["nameServers"])

    def authoritative(self, name: str, type: str) -> Said | None:
        """What the zone's own servers say: a chain is followed as far as the zone goes. None: no zone of ours."""
        zone = self.zone_of(name)
        if zone is None:
            return None
        found: list[Records] = []
        here = name.lower().rstrip(".")
        while len(found) < LONGEST_CHAIN and _within(here, zone.properties["name"]):
            held = self._store.find("cloudflare", RECORD, zoneId=zone.id, name=here)
            records = list(self._records(zone, here, type, held))
            if not records:
                return Said(tuple(found), bool(held) or self._above_another(zone, here), self._start(zone))
            found += records
            if records[0].type == type:
                break
            here = records[0].values[0].rstrip(".")
        return Said(tuple(found))

    def resolved(self, name: str, type: str) -> Said:
        """The whole answer, as a resolver without a cache gives it: outside names have one address each."""
        found: tuple[Records, ...] = ()
        while len(found) < LONGEST_CHAIN:
            said = self.authoritative(name, type) or self.outside(name, type)
            found += said.found
            if said.start or found[-1].type == type:
                return Said(found, said.exists, said.start)
            name = found[-1].values[0]
        return Said(found)

    def outside(self, name: str, type: str) -> Said:
        """Every name outside our zones exists, and has one address and nothing else."""
        name = name.lower().rstrip(".")
        if type == "A":
            return Said((Records(name, "A", _OUTSIDE, (self._address(name),)),))
        return Said((), True, _soa(name.partition(".")[2] or name, PROXIES[0]))

    def _records(self, zone: Held, name: str, type: str, held: list[Held]) -> Iterator[Records]:
        apex = name == zone.properties["name"]
        proxied = any(one.properties.get("proxied") for one in held)
        if proxied and type == "A":
            yield Records(name, "A", AUTOMATIC, tuple(self._address(proxy) for proxy in PROXIES))
        if apex and type == "SOA":
            yield self._start(zone)
        if apex and type == "NS":
            yield Records(name, "NS", _DAY, tuple(f"{server}." for server in self.servers(zone)))
        aliases = [one for one in held if one.properties["type"] == "CNAME" and not proxied]
        if aliases and apex and type == "A":  # Cloudflare flattens it: a CNAME may not stand beside NS and SOA
            yield Records(name, "A", _ttl(aliases[0]), self._addresses_of(aliases[0].properties["content"]))
        elif aliases and not apex:
            yield Records(name, "CNAME", _ttl(aliases[0]), (f"{aliases[0].properties['content']}.",))
        hidden = ("A", "AAAA", "CNAME") if proxied else ("CNAME",)
        same = [one for one in held if one.properties["type"] == type and type not in hidden]
        if same:
            yield Records(name, type, _ttl(same[0]), tuple(self._value(one) for one in same))

    def _addresses_of(self, target: str) -> tuple[str, ...]:
        return tuple(value for one in self.resolved(target, "A").found if one.type == "A" for value in one.values)

    def _value(self, record: Held) -> str:
        kind, content = record.properties["type"], str(record.properties.get("content", ""))
        if kind == "A" and not ipaddress.ip_address(content).is_loopback:
            return self._address(content)
        if kind == "MX":
            return f"{record.properties.get('priority', 0)} {content.rstrip('.')}."
        return f"{content.rstrip('.')}." if kind == "NS" else content

    def _above_another(self, zone: Held, name: str) -> bool:
        if name == zone.properties["name"]:
            return True
        below = self._store.find("cloudflare", RECORD, zoneId=zone.id)
        return any(str(one.properties["name"]).endswith(f".{name}") for one in below)

    def _start(self, zone: Held) -> Records:
        return _soa(zone.properties["name"], self.servers(zone)[0])


def _soa(zone: str, server: str) -> Records:
    # The serial says nothing here: nobody transfers a zone.
    return Records(zone, "SOA", NEGATIVE, (f"{server}. dns.cloudflare.com. 1 10000 2400 604800 {NEGATIVE}",))


def _within(name: str, zone: str) -> bool:
    name = name.lower().rstrip(".")
    return name == zone or name.endswith(f".{zone}")


def _ttl(record: Held) -> int:
    ttl = int(record.properties["ttl"])
    return AUTOMATIC if ttl == 1 else ttl
