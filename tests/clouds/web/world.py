"""The stand-in vendors over real sockets, and a client that has a token for each."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from runbook.rehearsal.clouds.cloudflare import RECORD, RULESET, add_zone
from runbook.rehearsal.clouds.faults import Faults
from runbook.rehearsal.clouds.store import Held, Store
from runbook.rehearsal.clouds.vercel import DOMAIN, PROJECT, VARIABLE
from runbook.rehearsal.clouds.web import serve

TOKEN = "t0k3n" * 8  # 40 letters and digits, which every vendor's form allows
BASIC = httpx.BasicAuth("100002", TOKEN)
TEAM = {"slug": "ibimina"}
REF = "ibiminaprodplacehold"
GIT = {"type": "github", "org": "ibimina", "repo": "app", "ref": "v2"}


class Still:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.time = datetime(2026, 11, 22, 20, 0, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time

    def move(self, **by: float) -> None:
        self.time += timedelta(**by)


class World:
    def __init__(self, path: Path) -> None:
        self.store, self.faults, self.clock = Store(path), Faults(), Still()
        self.web = serve(self.store, self.faults, self.clock)
        self.client = httpx.Client(
            base_url=f"http://127.0.0.1:{self.web.port}", trust_env=False, verify=False
        )  # no TLS here

    def close(self) -> None:
        self.client.close()
        self.web.close()
        self.store.close()

    def ask(self, method: str, path: str, **rest: Any) -> httpx.Response:
        """As a client with a token; `path` begins with the vendor."""
        if path.startswith("/loki"):
            rest.setdefault("auth", BASIC)
        rest.setdefault("headers", {"Authorization": f"Bearer {TOKEN}"})
        if path.startswith("/vercel"):
            rest["params"] = TEAM | rest.get("params", {})
        return self.client.request(method, path, **rest)

    def get(self, path: str, **rest: Any) -> Any:
        """The JSON of an answer that is no refusal."""
        return self.ask("GET", path, **rest).raise_for_status().json()

    def post(self, path: str, body: Any = None, **rest: Any) -> Any:
        return self.ask("POST", path, json={} if body is None else body, **rest).raise_for_status().json()

    def refused(self, method: str, path: str, **rest: Any) -> tuple[int, str]:
        answer = self.ask(method, path, **rest)
        return answer.status_code, answer.text

    def zone(self) -> str:
        """The zone ibimina.rw with one record and one ruleset, as the engine makes them: its id."""
        add_zone(self.store, "ibimina.rw")
        id = self.store.find("cloudflare", "zone")[0].id
        record = {"zoneId": id, "name": "staff.ibimina.rw", "type": "CNAME", "content": "a.example", "ttl": 300}
        times = {"createdOn": "2026-01-01T00:00:00.000000Z", "modifiedOn": "2026-01-01T00:00:00.000000Z"}
        self.store.put(Held("cloudflare", RECORD, "r" * 32, record | times | {"proxied": False, "comment": "kept"}))
        rule = {"ref": "auth", "action": "set_cache_settings", "actionParameters": {"edgeTtl": {"default": 60}}}
        rules = {"zoneId": id, "phase": "http_request_cache_settings", "kind": "zone", "rules": [rule]}
        self.store.put(Held("cloudflare", RULESET, "s" * 32, rules))
        return id

    def project(self, **more: Any) -> str:
        """A Vercel project with a domain and two variables, as the engine makes them: its id."""
        values = {"name": "ibimina-staff", "teamId": "team_x", "autoAssignCustomDomains": True, "framework": "nextjs"}
        self.store.put(Held("vercel", PROJECT, "prj_1", values | more))
        self.store.put(Held("vercel", DOMAIN, "d", {"projectId": "prj_1", "domain": "staff.ibimina.rw"}))
        self.variable("SITE", "https://auth.ibimina.rw", sensitive=False)
        self.variable("COOKIE_SECRET", "hunter2", sensitive=True)
        return "prj_1"

    def variable(self, key: str, value: str, *, sensitive: bool, targets: tuple[str, ...] = ("production",)) -> None:
        values = {"projectId": "prj_1", "key": key, "value": value, "sensitive": sensitive, "targets": list(targets)}
        self.store.put(Held("vercel", VARIABLE, key, values, frozenset({("value",)})))

    def build(self, **more: Any) -> dict[str, Any]:
        """POST a production build that takes no domain, and look at it once more."""
        body = {"name": "ibimina-staff", "target": "production", "autoAssignCustomDomains": False, "gitSource": GIT}
        made = self.post("/vercel/v13/deployments", body | more)
        found: dict[str, Any] = self.get(f"/vercel/v13/deployments/{made['id']}")
        return found

    def served(self) -> str | None:
        """The id of the production deployment, as the project says."""
        targets = self.get("/vercel/v9/projects/prj_1")["targets"]
        return str(targets["production"]["id"]) if targets else None
