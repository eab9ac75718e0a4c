"""Where the vendors' interfaces answer, and the one clock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any


@dataclass(frozen=True)
class Reach:
    """`apis`: vendor (cloudflare, vercel, supabase, slack, pagerduty, grafana, loki) to its base URL, without a final
    slash. `resolver`: "address:port" of the DNS server that is asked in place of the system's; authoritative servers
    are then asked on its port too. `https_port`: where hosts answer. `ca`: a file of certificates that are trusted in
    place of the system's. `clock`: a URL whose body is the time in ISO 8601, in place of the machine's; the model
    lets it be only while every API is on this machine."""

    apis: Mapping[str, str]
    resolver: str | None = None
    https_port: int = 443
    ca: str | None = None
    clock: str | None = None

    @classmethod
    def of(cls, plain: Mapping[str, Any]) -> Reach:
        """From the JSON that `as_json` made."""
        return cls(**plain)

    def as_json(self) -> dict[str, Any]:
        return {
            "apis": dict(self.apis),
            "resolver": self.resolver,
            "https_port": self.https_port,
            "ca": self.ca,
            "clock": self.clock,
        }

    def now(self) -> datetime:
        """The time, with its zone."""
        if self.clock is None:
            return datetime.now(UTC)
        import httpx  # only in a rehearsal, and plain HTTP: a TLS context costs more than the call

        answer = httpx.get(self.clock, timeout=5, trust_env=False, verify=False)
        return datetime.fromisoformat(answer.raise_for_status().text)
