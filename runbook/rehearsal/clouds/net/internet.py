"""The stand-in internet as a whole: DNS and hosts over one store, on one clock."""

from __future__ import annotations

from pathlib import Path

from runbook.rehearsal.clouds.cloudflare import NAME_SERVERS
from runbook.rehearsal.clouds.faults import Faults
from runbook.rehearsal.clouds.net import nameservers
from runbook.rehearsal.clouds.net.auth import Auth
from runbook.rehearsal.clouds.net.cache import Cache
from runbook.rehearsal.clouds.net.certificates import Certificates
from runbook.rehearsal.clouds.net.clock import Clock
from runbook.rehearsal.clouds.net.edge import Edge
from runbook.rehearsal.clouds.net.hosts import Hosts
from runbook.rehearsal.clouds.net.loop import Loop
from runbook.rehearsal.clouds.net.nameservers import Server
from runbook.rehearsal.clouds.net.resolvers import Keeps, Resolver, ceiling, extending, obeying
from runbook.rehearsal.clouds.net.services import Services
from runbook.rehearsal.clouds.net.zones import PROXIES, Zones
from runbook.rehearsal.clouds.store import Store

DNS = "dns"  # under which the servers of the zones, and the resolver that asks them, meet faults
_RESOLVER = "127.0.0.1"
_AUTHORITIES = {name: f"127.0.53.{number}" for number, name in enumerate(NAME_SERVERS, start=1)}
CACHES: dict[str, tuple[str, Keeps]] = {
    "obeying": ("127.0.53.11", obeying),
    "ceiling": ("127.0.53.12", ceiling(3600)),  # OpenDNS
    "extending": ("127.0.53.13", extending(3)),
}


class Internet:
    """Runs from its making until `close`. `resolver` ("address:port") keeps nothing, and knows the zones and all that
    is outside them; `caches` are resolvers that do keep, each also at its address in CACHES, on the same port."""

    def __init__(self, store: Store, faults: Faults, clock: Clock, authority: Path) -> None:
        self._store, self._clock = store, clock
        self.certificates = Certificates(authority)
        self._loop = Loop()
        self.hosts = Hosts(self.certificates, faults, self._loop)
        self.zones = Zones(store, self._address)
        edge, auth = Edge(store, faults, clock), Auth(store, faults, clock)
        self.hosts.serve(Services(store, self.zones, Cache(store, clock), edge, auth))
        self.caches = {name: self.cache(keeps) for name, (_, keeps) in CACHES.items()}
        try:
            self.hosts.addresses.of(PROXIES[0])  # from here on the port of the hosts is fixed
            self.dns_port = nameservers.serve(self._servers(), faults, self._loop)
        except BaseException:
            self.close()
            raise

    @property
    def resolver(self) -> str:
        return f"{_RESOLVER}:{self.dns_port}"

    def cache(self, keeps: Keeps = obeying) -> Resolver:
        """One more resolver, to be asked directly."""
        return Resolver(self.zones, self._clock, keeps)

    def close(self) -> None:
        self._loop.close()
        self.certificates.path.unlink(missing_ok=True)

    def _address(self, target: str) -> str:
        return _AUTHORITIES.get(target) or self.hosts.addresses.of(target)

    def _servers(self) -> dict[str, Server]:
        made = {_RESOLVER: Server(self.zones.resolved, DNS)}
        made |= {address: Server(self.zones.authoritative, name, True) for name, address in _AUTHORITIES.items()}
        return made | {address: Server(self.caches[name].said, DNS) for name, (address, _) in CACHES.items()}
