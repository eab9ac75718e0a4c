"""What stands behind the targets of DNS: Vercel's edge, Supabase's projects, Cloudflare's proxy, and all the rest."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Protocol

from werkzeug.wrappers import Request, Response

from runbook.rehearsal.clouds.cloudflare import RECORD
from runbook.rehearsal.clouds.net.auth import Auth
from runbook.rehearsal.clouds.net.cache import Cache
from runbook.rehearsal.clouds.net.edge import Edge, json_response
from runbook.rehearsal.clouds.net.zones import PROXIES, Zones
from runbook.rehearsal.clouds.store import Held, Store


class Service(Protocol):
    """One kind of host. `target` is what DNS named, `host` what the client asks for."""

    def certificate(self, target: str, host: str) -> str:
        """The name that the certificate shown for this host is for."""

    def answer(self, target: str, host: str, request: Request) -> Response: ...


class Outside:
    """Somebody else's application: healthy, with a certificate for whatever name it is asked for."""

    def certificate(self, target: str, host: str) -> str:
        return host

    def answer(self, target: str, host: str, request: Request) -> Response:
        if "health" in request.path:
            return json_response({"status": "ok", "served_by": target})
        return Response("Not Found", 404)


class Proxy:
    """Cloudflare's proxy: ends TLS for the names of our zones and asks its cache, or else what their record names."""

    def __init__(self, store: Store, zones: Zones, services: Services, cache: Cache) -> None:
        self._store, self._zones, self._services, self._cache = store, zones, services, cache

    def certificate(self, target: str, host: str) -> str:
        return host if self._origin(host) else PROXIES[0]

    def answer(self, target: str, host: str, request: Request) -> Response:
        found = self._origin(host)
        if found is None:
            return Response("error code: 1001", 409)  # DNS resolution error: no such name is proxied here
        zone, origin = found
        asked = partial(self._services.of(origin).answer, origin, host, request)
        return self._cache.answer(zone, host, request, asked)

    def _origin(self, host: str) -> tuple[Held, str] | None:
        """The zone, and what the name's record says."""
        zone = self._zones.zone_of(host)
        held = self._store.find("cloudflare", RECORD, zoneId=zone.id, name=host) if zone else []
        contents = [str(one.properties["content"]) for one in held if one.properties.get("proxied")]
        return (zone, contents[0]) if zone and contents else None


class Services:
    """Finds the service for a target."""

    def __init__(self, store: Store, zones: Zones, cache: Cache, edge: Edge, auth: Auth) -> None:
        self._outside, self._edge, self._auth = Outside(), edge, auth
        self._proxied: Mapping[str, Service] = dict.fromkeys(PROXIES, Proxy(store, zones, self, cache))

    def of(self, target: str) -> Service:
        if target in self._proxied:
            return self._proxied[target]
        if self._edge.is_at(target):
            return self._edge
        return self._auth if target.endswith(".supabase.co") else self._outside
