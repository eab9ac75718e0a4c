"""What a company has at its vendors beside what the program declares: put into the stores as its people did."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from runbook.model.platform import Platform
from runbook.rehearsal.clouds import Clouds, Held
from runbook.rehearsal.clouds.cloudflare import RECORD, ZONE
from runbook.rehearsal.clouds.net import auth
from runbook.rehearsal.clouds.web import auth_state, release, tokens

_USERS = 3
_VENDORS = {
    "CLOUDFLARE_API_TOKEN": "cloudflare",
    "VERCEL_API_TOKEN": "vercel",
    "SUPABASE_ACCESS_TOKEN": "supabase",
    "SLACK_BOT_TOKEN": "slack",
    "GRAFANA_AUTH": "grafana",
    "LOKI_TOKEN": "loki",
}


def settle_in(
    clouds: Clouds, platform: Platform, config: Mapping[str, Any], next_ref: str, next_host: str | None = None
) -> None:
    """The receivers of drains have names; both Supabase projects are there, the one that serves with its host name,
    its redirects and people who are signed in. `next_host`: a name of its own that the other one stands by with."""
    current, store = config["current"], clouds.store
    for name in sorted({str(urlsplit(url).hostname) for url in config["drains"].values()}):
        _record(clouds, config["zone"], name)
    allowed = [f"https://{config['apps'][app.name]['host']}" for app, _ in platform.vercel_apps]
    _project(clouds, current["supabaseRef"], allowed, current.get("authHost"))
    if next_host:
        _project(clouds, next_ref, allowed, next_host, current["authHost"])
    else:
        auth_state.add_project(store, next_ref)
    for number in range(_USERS):
        auth_state.sign_in(store, current["supabaseRef"], f"user-{number}@made-up.example", clouds.clock.now())


def hand_out(clouds: Clouds, secrets: Mapping[str, str], current_ref: str, next_ref: str) -> None:
    """From now on each vendor lets in its own token alone, of a stack's secrets, and each of the two projects its own
    API key and one account, where the stack has any to log in with."""
    store = clouds.store
    pagers = {name: "pagerduty" for name in secrets if name.startswith("PAGERDUTY_")}
    for name, vendor in {**_VENDORS, **pagers}.items():
        if name in secrets:
            tokens.accept(store, vendor, secrets[name])
    if "LOGIN_EMAIL" not in secrets:
        return
    for ref, key in ((current_ref, "LOGIN_API_KEY"), (next_ref, "LOGIN_API_KEY_NEXT")):
        tokens.accept(store, auth.keys_of(ref), secrets[key])
        tokens.accept(store, auth.accounts_of(ref), f"{secrets['LOGIN_EMAIL']} {secrets['LOGIN_PASSWORD']}")


def release_all(clouds: Clouds, platform: Platform, environment: str, version: str) -> None:
    """What the company does day to day with Vercel's own tools: a production build of every app."""
    for app, _ in platform.vercel_apps:
        release(clouds.store, f"{platform.name}-{app.name}-{environment}", version, clouds.clock.now())


def sources(platform: Platform, folder: Path) -> dict[str, dict[str, str]]:
    """Check the functions' sources out below the folder: the section `functions` of a cutover that names them."""
    made: dict[str, dict[str, str]] = {}
    for name in platform.recovery.functions:
        source = folder / name / "index.ts"
        source.parent.mkdir(parents=True)
        source.write_text('Deno.serve(() => new Response("ok"));\n', encoding="utf-8")
        made[name] = {"source": str(source), "tag": "v1.0.0"}
    return made


def _project(clouds: Clouds, ref: str, urls: Sequence[str], host: str | None, *more: str) -> None:
    """A Supabase project that answers as `host`, if it has one, and lets logins by it and by `more` lead back to the
    apps."""
    callbacks = [f"https://{each}/auth/v1/callback" for each in sorted({*filter(None, [host]), *more})]
    allowed = ",".join([*(f"{url}/**" for url in urls), *callbacks])
    auth_state.add_project(clouds.store, ref, site_url=urls[0], uri_allow_list=allowed)
    if host:
        active = {"custom_hostname": host, "status": auth_state.ACTIVE}
        clouds.store.put(Held("supabase", auth_state.HOSTNAME, ref, active))


def _record(clouds: Clouds, zone: str, name: str) -> None:
    id, now = uuid.uuid4().hex, clouds.clock.now().isoformat()
    held = clouds.store.find("cloudflare", ZONE, name=zone)[0]
    clouds.store.put(
        Held(
            "cloudflare",
            RECORD,
            id,
            {
                "zoneId": held.id,
                "name": name,
                "type": "A",
                "content": "203.0.113.10",
                "ttl": 3600,
                "proxied": False,
                "createdOn": now,
                "modifiedOn": now,
            },
        )
    )
