"""What the clouds are beside the engine's protocol: the vendors' HTTP, DNS, and hosts behind TLS."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic.alias_generators import to_camel

from runbook.rehearsal.clouds.faults import Faults
from runbook.rehearsal.clouds.net.client import View, view
from runbook.rehearsal.clouds.net.clock import Clock
from runbook.rehearsal.clouds.net.internet import Internet
from runbook.rehearsal.clouds.store import Store
from runbook.rehearsal.clouds.web import serve
from runbook.steps.reach import Reach

_VENDORS = ("cloudflare", "vercel", "supabase", "slack", "pagerduty", "grafana", "loki")


class World:
    """Runs from its making until `close`. `authority` is where the certificate that clients trust is written; beside
    it go the files that steps write."""

    def __init__(self, store: Store, faults: Faults, clock: Clock, authority: Path) -> None:
        self.internet = Internet(store, faults, clock, authority)
        self._folder = authority.parent
        try:
            self._web = serve(store, faults, clock)
        except BaseException:
            self.internet.close()
            raise

    def close(self) -> None:
        self._web.close()
        self.internet.close()

    def reach(self) -> Reach:
        base = f"http://127.0.0.1:{self._web.port}"
        return Reach(
            apis={vendor: f"{base}/{vendor}" for vendor in _VENDORS},
            resolver=self.internet.resolver,
            https_port=self.internet.hosts.port,
            ca=str(self.internet.certificates.path),
            clock=f"{base}/clock",
        )

    def endpoints(self) -> dict[str, Any]:
        plain = self.reach().as_json()
        apis: dict[str, str] = plain.pop("apis")
        return apis | {to_camel(name): value for name, value in plain.items()} | {"out": str(self._folder)}

    def client_view(self, host: str, path: str) -> View:
        internet = self.internet
        return view(host, path, internet.resolver, internet.hosts.port, internet.certificates.trusted)
