"""Cloudflare's API v4: zones, DNS records, rulesets and the purge of its cache.

Records obey the same table of rows as the engine's do: what one front end refuses, the other refuses. Left out: the
limit of 1,200 requests in 5 minutes.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from runbook.rehearsal.clouds import cloudflare as table
from runbook.rehearsal.clouds.behaviours import API, OWN, UNVERIFIED, Behaviour, Draft
from runbook.rehearsal.clouds.cloudflare import RECORD, RULESET, ZONE
from runbook.rehearsal.clouds.net.cache import forget
from runbook.rehearsal.clouds.store import Held
from runbook.rehearsal.clouds.web import tokens
from runbook.rehearsal.clouds.web.asking import Answer, Ask, Fact, Refusal, Refused, Route, Vendor, known_in

PURGE = "purge"
_CODES = "https://developers.cloudflare.com/fundamentals/api/troubleshooting"
_PURGES = "https://developers.cloudflare.com/cache/how-to/purge-cache"
NO_TOKEN = Refusal(400, "9106", "Missing X-Auth-Key, X-Auth-Email or Authorization headers", UNVERIFIED)
BAD_FORM = Refusal(400, "6003", "Invalid request headers", _CODES)
BAD_TOKEN = Refusal(403, "9109", "Invalid access token", _CODES)
NO_ZONE = Refusal(404, "7003", "Could not route to {path}, perhaps your object identifier is invalid?", _CODES)
NO_RECORD = Refusal(404, "81044", "Record does not exist.", UNVERIFIED)
NO_RULESET = Refusal(404, "10000", "could not find ruleset {id}", UNVERIFIED)
NO_ROUTE = Refusal(404, "7000", "No route for that URI", _CODES)
MALFORMED = Refusal(400, "9207", "Request is invalid: the body is no JSON object, or a number is none.", UNVERIFIED)
BAD_RECORD = Refusal(400, "9000", "{text}", "the rows of the table for DnsRecord")
MISSING = Refusal(
    400, "9005", "DNS record: {name} is required.", "API reference, dns_records; the text is unverified"
)
UNKNOWN = Refusal(400, "9000", "{name} is no property of a DNS record that the stand-in changes.", OWN)
NEW_TYPE = Refusal(400, "9208", "The type of a DNS record cannot be changed.", UNVERIFIED)
PURGE_WHAT = Refusal(
    400, "1012", "Request must contain one of hosts, tags, prefixes, files, purge_everything", _PURGES
)
PURGE_HOW = Refusal(400, "1012", "The stand-in purges by hosts or everything, not by {what}.", OWN)
PURGE_MANY = Refusal(400, "1094", "At most 100 items can be purged at once.", _PURGES)
PURGE_HOST = Refusal(400, "1016", "{host} is not in this zone.", UNVERIFIED)
PURGE_OFTEN = Refusal(429, "1134", "Unable to purge, rate limit reached: 5 requests a minute.", _PURGES)
LIMIT, PER = 5, timedelta(minutes=1)
FREE = Fact("The plan is Free: 5 purges a minute in an account.", _PURGES)
NO_BURST = Fact("The bucket of 25 purges that Free may have saved up is taken to be empty.", OWN)
FIELDS = ("name", "type", "content", "ttl", "proxied", "comment", "tags", "priority")
_BEHAVIOUR = Behaviour(RECORD, table.ROWS)


def said(refusal: Refusal, text: str) -> Any:
    code = int(refusal.code) if refusal.code.isdigit() else refusal.status
    known = re.match(r"(\d{4,5}): (.*)", text, re.DOTALL)
    if known:
        code, text = int(known[1]), known[2]
    return {"success": False, "errors": [{"code": code, "message": text}], "messages": [], "result": None}


def admit(ask: Ask) -> None:
    if "Authorization" not in ask.request.headers:
        raise Refused(NO_TOKEN)
    token = tokens.bearer(ask.request)
    if not re.fullmatch("[A-Za-z0-9_-]{40}", token):
        raise Refused(BAD_FORM)
    if not tokens.known(ask.store, "cloudflare", token):
        raise Refused(BAD_TOKEN)


def _done(result: Any, **more: Any) -> Answer:
    return Answer({"success": True, "errors": [], "messages": [], "result": result} | more)


def _page(ask: Ask, found: list[Any]) -> Answer:
    page, size = max(ask.number("page", 1), 1), max(ask.number("per_page", 100), 1)
    shown = found[(page - 1) * size : page * size]
    info = {"page": page, "per_page": size, "count": len(shown), "total_count": len(found)}
    return _done(shown, result_info=info | {"total_pages": -(-len(found) // size)})


def snake(value: Any) -> Any:
    """The engine's camelCase names as the API has them."""
    if isinstance(value, dict):
        return {re.sub("[A-Z]", lambda one: f"_{one[0].lower()}", name): snake(one) for name, one in value.items()}
    return [snake(one) for one in value] if isinstance(value, list) else value


def _zone(ask: Ask) -> Held:
    held = ask.store.get("cloudflare", ZONE, ask.path["zone"])
    if held is None:
        raise Refused(NO_ZONE, path=f"/zones/{ask.path['zone']}")
    return held


def list_zones(ask: Ask) -> Answer:
    wanted = {"name": ask.query["name"]} if "name" in ask.query else {}
    found = [table.get_zone(ask.store, {"zoneId": one.id}) for one in ask.store.find("cloudflare", ZONE, **wanted)]
    shown = ("id", "name", "status", "type", "paused", "nameServers", "account")
    return _page(ask, [snake({name: one[name] for name in shown}) for one in found])


def _shown(zone: Held, held: Held) -> dict[str, Any]:
    names = {"id": held.id, "zone_id": zone.id, "zone_name": zone.properties["name"]}
    shown: dict[str, Any] = snake(held.properties)
    return shown | names


def list_records(ask: Ask) -> Answer:
    zone = _zone(ask)
    wanted = {name: ask.query[name] for name in ("name", "type", "content") if name in ask.query}
    wanted |= {name: ask.query[f"{name}.exact"] for name in ("name", "content") if f"{name}.exact" in ask.query}
    found = ask.store.find("cloudflare", RECORD, zoneId=zone.id, **wanted)
    return _page(ask, [_shown(zone, held) for held in found])


def _record(ask: Ask) -> tuple[Held, Held]:
    zone, held = _zone(ask), ask.store.get("cloudflare", RECORD, ask.path["record"])
    if held is None or held.properties["zoneId"] != zone.id:
        raise Refused(NO_RECORD)
    return zone, held


def get_record(ask: Ask) -> Answer:
    return _done(_shown(*_record(ask)))


def put_record(ask: Ask) -> Answer:
    """Replaces the record whole."""
    _, held = _record(ask)
    body = ask.json()
    for name in ("name", "type", "ttl"):
        if body.get(name) is None:
            raise Refused(MISSING, name=name)
    return _write(ask, {key: value for key, value in held.properties.items() if key not in FIELDS}, body)


def patch_record(ask: Ask) -> Answer:
    """Changes only what is given."""
    _, held = _record(ask)
    return _write(ask, held.properties, ask.json())


def _write(ask: Ask, kept: dict[str, Any], body: dict[str, Any]) -> Answer:
    zone, old = _record(ask)
    for name in body:
        if name not in FIELDS:
            raise Refused(UNKNOWN, name=name)
    if body.get("type", old.properties["type"]) != old.properties["type"]:
        raise Refused(NEW_TYPE)
    draft = Draft(ask.store, "cloudflare", RECORD, old.id, kept | body)
    for _, sentence in [*_BEHAVIOUR.refusals("check", draft), *_BEHAVIOUR.refusals("apply", draft)]:
        raise Refused(BAD_RECORD, text=sentence)
    values = _BEHAVIOUR.held(draft) | {"modifiedOn": _time(ask.now)}
    ask.store.put(Held("cloudflare", RECORD, old.id, values, old.secrets))
    return _done(_shown(zone, Held("cloudflare", RECORD, old.id, values)))


def _time(now: datetime) -> str:
    return now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def list_rulesets(ask: Ask) -> Answer:
    found = ask.store.find("cloudflare", RULESET, zoneId=_zone(ask).id)
    return _done([_ruleset(held, rules=False) for held in found])


def get_ruleset(ask: Ask) -> Answer:
    return _found_ruleset(ask, ask.path["ruleset"], id=ask.path["ruleset"])


def get_entry_point(ask: Ask) -> Answer:
    return _found_ruleset(ask, f"of the phase {ask.path['phase']}", phase=ask.path["phase"])


def _found_ruleset(ask: Ask, called: str, *, id: str = "", **wanted: str) -> Answer:
    for held in ask.store.find("cloudflare", RULESET, zoneId=_zone(ask).id, **wanted):
        if not id or held.id == id:
            return _done(_ruleset(held, rules=True))
    raise Refused(NO_RULESET, id=called)


def _ruleset(held: Held, rules: bool) -> dict[str, Any]:
    shown = snake(held.properties) | {"id": held.id}
    return {name: value for name, value in shown.items() if name != "zone_id" and (rules or name != "rules")}


def purge(ask: Ask) -> Answer:
    zone, body = _zone(ask), ask.json()
    kinds = ("hosts", "tags", "prefixes", "files", "purge_everything")
    given = [name for name in kinds if body.get(name)]
    if len(given) != 1 or len(body) != 1:
        raise Refused(PURGE_WHAT)
    if isinstance(body[given[0]], list) and len(body[given[0]]) > 100:
        raise Refused(PURGE_MANY)
    for host in body.get("hosts", []):
        if not f".{host}".endswith(f".{zone.properties['name']}"):
            raise Refused(PURGE_HOST, host=host)
    if given[0] not in ("hosts", "purge_everything"):
        raise Refused(PURGE_HOW, what=given[0])
    _limit(ask)
    forget(ask.store, zone, body.get("hosts"))
    done = Held("cloudflare", PURGE, f"{len(ask.store.find('cloudflare', PURGE)) + 1}", {"zoneId": zone.id, **body})
    ask.store.put(Held(done.cloud, done.kind, done.id, done.properties | {"at": ask.now.timestamp()}))
    return _done({"id": zone.id})


def _limit(ask: Ask) -> None:
    since = (ask.now - PER).timestamp()
    recent = [one.properties["at"] for one in ask.store.find("cloudflare", PURGE) if one.properties["at"] > since]
    if len(recent) >= LIMIT:
        wait = min(recent) - since
        raise Refused(PURGE_OFTEN, {"Retry-After": f"{int(wait) + 1}"})


ROUTES = [
    Route("GET", "/zones", list_zones, API),
    Route("GET", "/zones/{zone}/dns_records", list_records, API),
    Route("GET", "/zones/{zone}/dns_records/{record}", get_record, API),
    Route("PUT", "/zones/{zone}/dns_records/{record}", put_record, API),
    Route("PATCH", "/zones/{zone}/dns_records/{record}", patch_record, API),
    Route("GET", "/zones/{zone}/rulesets", list_rulesets, API),
    Route("GET", "/zones/{zone}/rulesets/{ruleset}", get_ruleset, API),
    Route("GET", "/zones/{zone}/rulesets/phases/{phase}/entrypoint", get_entry_point, API),
    Route("POST", "/zones/{zone}/purge_cache", purge, API),
]
VENDOR = Vendor("cloudflare", ROUTES, said, admit, NO_ROUTE, MALFORMED, known_in(globals()))
