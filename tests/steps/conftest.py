from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from tenacity import wait_exponential_jitter

from runbook.steps import http, vendors
from runbook.steps.call import Call
from runbook.steps.reach import Reach
from tests.steps.misbehaving import Reply, Server

VENDORS = ("cloudflare", "vercel", "supabase", "slack", "pagerduty", "grafana")
NOW = "2026-03-01T20:00:00+00:00"


@pytest.fixture(scope="session")
def _server() -> Iterator[Server]:
    server = Server()
    yield server
    server.close()


@pytest.fixture
def server(_server: Server) -> Server:
    _server.forget()
    _server.on("GET /clock", Reply(body=NOW.encode(), headers={"content-type": "text/plain"}))
    return _server


@pytest.fixture
def call(server: Server) -> Callable[..., Call]:
    """call(args, secrets, ...): a Call that reaches only the server, with a second and a half to act."""

    def make(
        args: Mapping[str, Any] | None = None,
        secrets: Mapping[str, str] | None = None,
        *,
        trigger: str = "1-flip",
        seconds: float = 1.5,
        **rest: Any,
    ) -> Call:
        reach = Reach(apis=dict.fromkeys(VENDORS, server.url), clock=f"{server.url}/clock")
        deadline = time.monotonic() + seconds
        return Call("the-step", trigger, args or {}, secrets or {}, reach, deadline=deadline, **rest)

    return make


@pytest.fixture(autouse=True)
def _fast(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits are as in a real run, but shorter; test_http has one test with the real ones."""
    monkeypatch.setattr(vendors, "PAUSE", 0.02)
    monkeypatch.setattr(vendors, "_LOOK", 0.1)
    monkeypatch.setattr(http, "_SPARE", 0.1)
    monkeypatch.setattr(http, "_BACKOFF", wait_exponential_jitter(multiplier=0.01, max=0.1, jitter=0.01))
