"""A small company on the stand-in internet, put into the store as the engine and the vendors' HTTP put it there."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import dns.message
import dns.query
import httpx

from runbook.rehearsal.clouds import Clouds
from runbook.rehearsal.clouds.cloudflare import RECORD
from runbook.rehearsal.clouds.net.tokens import key_of
from runbook.rehearsal.clouds.store import Held
from runbook.rehearsal.clouds.vercel import DOMAIN, PROJECT, VARIABLE
from runbook.rehearsal.clouds.web import auth_state, release

ZONE, ZONE_ID = "ibimina.rw", uuid.uuid5(uuid.NAMESPACE_DNS, "ibimina.rw").hex
OLD, NEW = "a" * 20, "b" * 20
STAFF, AUTH = "staff.ibimina.rw", "auth.ibimina.rw"
SECRET = "hunter2 and more"


def keys_of(ref: str) -> dict[str, object]:
    """The published keys of a Supabase project, by which a client tells one from another."""
    return {"keys": [key_of(ref).public()]}


class Scene:
    def __init__(self, path: Path) -> None:
        self.clouds = Clouds(path, [ZONE])
        self.store, self.faults, self.clock = self.clouds.store, self.clouds.faults, self.clouds.clock
        self.record(STAFF, "CNAME", "cname.vercel-dns.com", 1, proxied=True)
        self.record(AUTH, "CNAME", f"{OLD}.supabase.co", 3600)
        self.record("api.ibimina.rw", "A", "192.0.2.10", 60)
        for ref in (OLD, NEW):
            auth_state.add_project(self.store, ref, site_url=f"https://{STAFF}")
        self.custom_hostname(OLD, AUTH)
        self.store.put(Held("vercel", PROJECT, "prj_staff", {"name": "ibimina-staff-prod"}))
        self.store.put(Held("vercel", DOMAIN, STAFF, {"domain": STAFF, "projectId": "prj_staff"}))
        self.variable("NEXT_PUBLIC_SUPABASE_URL", f"https://{AUTH}", sensitive=False)
        self.variable("TRUSTED_COOKIE_SECRET", SECRET, sensitive=True)
        self.build = self.released("v1").id

    def record(self, name: str, type: str, content: str, ttl: int, **more: Any) -> str:
        id = uuid.uuid4().hex
        values = {"zoneId": ZONE_ID, "name": name, "type": type, "content": content, "ttl": ttl, "proxied": False}
        values |= {"modifiedOn": self.clock.now().isoformat()}
        self.store.put(Held("cloudflare", RECORD, id, values | more))
        return id

    def change_record(self, name: str, **values: Any) -> None:
        self.store.change("cloudflare", RECORD, self.store.find("cloudflare", RECORD, name=name)[0].id, **values)

    def custom_hostname(self, ref: str, host: str, status: str = auth_state.ACTIVE) -> None:
        values = {"custom_hostname": host, "status": status}
        self.store.put(Held("supabase", auth_state.HOSTNAME, ref, values))

    def variable(self, key: str, value: str, sensitive: bool) -> None:
        values = {"projectId": "prj_staff", "key": key, "value": value, "sensitive": sensitive}
        self.store.put(Held("vercel", VARIABLE, key, values | {"targets": ["production"]}))

    def released(self, name: str) -> Held:
        return release(self.store, "ibimina-staff-prod", name, self.clock.now())

    def ask(
        self, name: str, type: str = "A", server: str = "127.0.0.1", tcp: bool = False, seconds: float = 2
    ) -> dns.message.Message:
        """One question over the network; the default is the resolver without a cache."""
        send, port = dns.query.tcp if tcp else dns.query.udp, self.clouds.world.internet.dns_port
        return send(dns.message.make_query(name, type), server, timeout=seconds, port=port)

    def address(self, target: str) -> str:
        return str(self.ask(target).answer[-1][0])

    def send(self, method: str, host: str, path: str, at: str | None = None, **more: Any) -> httpx.Response:
        """One request, verified, to the address of `at`, or of the host itself."""
        reach, headers = self.clouds.reach(), {"host": host} | more.pop("headers", {})
        with httpx.Client(
            verify=self.clouds.world.internet.certificates.trusted, trust_env=False, timeout=2
        ) as client:
            url = f"https://{self.address(at or host)}:{reach.https_port}{path}"
            return client.request(method, url, headers=headers, extensions={"sni_hostname": host}, **more)

    def get(self, host: str, path: str, at: str | None = None) -> httpx.Response:
        return self.send("GET", host, path, at)
