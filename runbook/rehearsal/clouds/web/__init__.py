"""The vendors' HTTP interfaces over the store of the stand-in clouds, for steps and for whoever uses curl.

with closing(serve(store, faults, clock)) as web:
    httpx.get(f"http://127.0.0.1:{web.port}/vercel/v9/projects/ibimina-staff", headers=…)
"""

from __future__ import annotations

from datetime import datetime

from runbook.rehearsal.clouds.behaviours import UNVERIFIED
from runbook.rehearsal.clouds.faults import Faults
from runbook.rehearsal.clouds.store import Store
from runbook.rehearsal.clouds.web import cloudflare, grafana, loki, pagerduty, slack, supabase, vercel
from runbook.rehearsal.clouds.web.asking import Clock, Vendor
from runbook.rehearsal.clouds.web.deployments import builds_take, release
from runbook.rehearsal.clouds.web.server import WebServer

__all__ = ["VENDORS", "WebServer", "builds_take", "catch_up", "facts", "release", "serve"]

VENDORS: tuple[Vendor, ...] = tuple(
    module.VENDOR for module in (cloudflare, vercel, supabase, slack, pagerduty, grafana, loki)
)


def serve(store: Store, faults: Faults, clock: Clock) -> WebServer:
    """All vendors on one port of the loopback, and the clock at /clock, until `close`."""
    return WebServer(store, faults, clock, VENDORS)


def catch_up(store: Store, now: datetime, faults: Faults) -> None:
    """What is due by now, as every request does first: for whoever moved the clock and then looks into the store."""
    for vendor in VENDORS:
        vendor.catch_up(store, now, faults)


def facts() -> dict[str, tuple[int, int]]:
    """By vendor: how many facts its interface rests on, and how many of these nobody has seen."""
    return {
        vendor.name: (len(vendor.facts), sum(UNVERIFIED in fact.source for fact in vendor.facts))
        for vendor in VENDORS
    }
