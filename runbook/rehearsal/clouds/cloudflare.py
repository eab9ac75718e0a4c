"""What Cloudflare and its provider do, row by row.

Where a source reads "provider source", the file is in github.com/cloudflare/terraform-provider-cloudflare.
"""

from __future__ import annotations

import ipaddress
import re
import uuid
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from runbook.rehearsal.clouds.behaviours import API, FOUND, OWN, SEEN, UNVERIFIED, Draft, Row, rows
from runbook.rehearsal.clouds.faults import CloudError
from runbook.rehearsal.clouds.net.clock import Clock
from runbook.rehearsal.clouds.net.expressions import HOST, PATH, meant
from runbook.rehearsal.clouds.refusals import absent, matches, one_of
from runbook.rehearsal.clouds.store import Held, Store
from runbook.rehearsal.clouds.wire import known

RECORD = "cloudflare:index/dnsRecord:DnsRecord"
RULESET = "cloudflare:index/ruleset:Ruleset"
ZONE = "zone"
CACHE_ACTION = "set_cache_settings"
NAME_SERVERS = ("ada.ns.example", "bob.ns.example")  # of every zone here; made up
_RECORDS = "provider source: internal/services/dns_record/schema.go, custom.go and resource.go"
_RULESETS = "provider source: internal/services/ruleset/schema.go"
_NAMES = "https://developers.cloudflare.com/dns/manage-dns-records/troubleshooting/records-with-same-name/"
_TYPES = """A AAAA CAA CERT CNAME DNSKEY DS HTTPS LOC MX NAPTR NS OPENPGPKEY PTR SMIMEA SRV SSHFP SVCB TLSA TXT URI"""
_PHASES = """ddos_l4 ddos_l7 http_config_settings http_custom_errors http_log_custom_fields http_ratelimit
http_request_cache_settings http_request_dynamic_redirect http_request_firewall_custom
http_request_firewall_managed http_request_late_transform http_request_origin http_request_redirect
http_request_sanitize http_request_sbfm http_request_transform http_response_cache_settings
http_response_compression http_response_firewall_managed http_response_headers_transform magic_transit
magic_transit_ids_managed magic_transit_managed magic_transit_ratelimit"""
_ACTIONS = """block challenge compress_response ddos_dynamic execute force_connection_close js_challenge log
log_custom_field managed_challenge redirect rewrite route score serve_error set_cache_control
set_cache_settings set_cache_tags set_config skip"""


def now(draft: Draft) -> str:
    return Clock(draft.store).now().strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def add_zone(store: Store, name: str) -> None:
    """Give the account a zone, unless it has it. The id derives from the name, so that it is the same every time."""
    if not store.find("cloudflare", ZONE, name=name):
        store.put(Held("cloudflare", ZONE, uuid.uuid5(uuid.NAMESPACE_DNS, name).hex, {"name": name}))


def _zone(draft: Draft) -> str:
    """The name of the zone that the draft's zoneId says, or "" when there is none."""
    held = draft.store.get("cloudflare", ZONE, str(draft["zoneId"]))
    return str(held.properties["name"]) if held else ""


def _full_name(draft: Draft, name: str) -> str:
    zone, name = _zone(draft), name.rstrip(".").lower()
    if not zone or name == zone or name.endswith(f".{zone}"):
        return name
    return zone if name == "@" else f"{name}.{zone}"


def _held_content(draft: Draft, content: str) -> str:
    if draft["type"] == "CNAME":
        return content.lower().rstrip(".")
    if draft["type"] == "TXT" and not content.startswith('"'):
        return f'"{content}"'
    return content


def _held_rules(_draft: Draft, rules: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A rule without a ref gets one from its place here; the real one makes it up."""
    held = []
    for index, rule in enumerate(rules):
        ref = rule.get("ref") or f"rule-{index}"
        id = rule.get("id") or uuid.uuid5(uuid.NAMESPACE_OID, ref).hex
        held.append({"enabled": True, "description": "", "ref": ref, "id": id} | rule)
    return held


def _same_name(draft: Draft) -> Iterator[Held]:
    yield from draft.others(zoneId=draft["zoneId"], name=_full_name(draft, str(draft["name"])))


def _outside_zone(draft: Draft) -> str | None:
    name, zone = str(draft["name"]).rstrip(".").lower(), _zone(draft)
    if not zone or "." not in name or name == zone or name.endswith(f".{zone}"):
        return None
    return f"{name} is not in the zone {zone}: Cloudflare would serve it as {name}.{zone}."


def _proxied_ttl(draft: Draft) -> str | None:
    if draft["proxied"] is not True or draft["ttl"] == 1:
        return None
    return (
        "ttl must be set to 1 when proxied is true: When a DNS record is marked as `proxied` the TTL must be 1 "
        "as Cloudflare will control the TTL internally."
    )


def _ttl_range(draft: Draft) -> str | None:
    if draft["ttl"] == 1 or 60 <= draft["ttl"] <= 86400:
        return None
    return "9021: TTL must be between 60 and 86400 seconds, or 1 for Automatic."


def _one_ttl(draft: Draft) -> str | None:
    for other in [] if draft.id else _same_name(draft):  # else the TTL of two records could never be changed
        if other.properties["type"] == draft["type"] and other.properties["ttl"] != draft["ttl"]:
            ttl = other.properties["ttl"]
            return f"The {draft['type']} records of {draft['name']} share one TTL, which is {ttl} (RFC 2181, 5.2)."
    return None


def _content(draft: Draft) -> str | None:
    try:
        if draft["type"] == "A":
            ipaddress.IPv4Address(draft["content"])
        if draft["type"] == "AAAA":
            ipaddress.IPv6Address(draft["content"])
    except ValueError:
        code, version = ("9005", 4) if draft["type"] == "A" else ("9006", 6)
        return f"{code}: Content for {draft['type']} record must be a valid IPv{version} address."
    if draft["type"] == "CNAME" and not re.fullmatch(r"[A-Za-z0-9_*.-]+", draft["content"] or ""):
        return "9007: Content for CNAME record is invalid."
    return None


def _not_proxiable(draft: Draft) -> str | None:
    if draft["proxied"] is not True or draft["type"] in ("A", "AAAA", "CNAME"):
        return None
    return "9004: This record type cannot be proxied."


def _duplicate(draft: Draft) -> str | None:
    content = _held_content(draft, draft["content"] or "")
    for other in _same_name(draft):
        if (other.properties["type"], other.properties.get("content")) == (draft["type"], content):
            return "81058: An identical record already exists."
    return None


def _beside_cname(draft: Draft) -> str | None:
    others = {other.properties["type"] for other in _same_name(draft)}
    if draft["type"] == "CNAME" and others & {"A", "AAAA", "CNAME"}:
        return "81053: An A, AAAA, or CNAME record with that host already exists."
    if draft["type"] in ("A", "AAAA") and "CNAME" in others:
        return "81054: A CNAME record with that host already exists."
    return None


def _beside_cname_otherwise(draft: Draft) -> str | None:
    types = {other.properties["type"] for other in _same_name(draft)} | {draft["type"]}
    apex = _full_name(draft, str(draft["name"])) == _zone(draft)  # where Cloudflare flattens a CNAME
    if apex or "CNAME" not in types or not types - {"A", "AAAA", "CNAME"}:
        return None
    return f"{draft['name']} holds a CNAME record, beside which no other record may stand (RFC 1034, 3.6.2)."


def _priority(draft: Draft) -> str | None:
    if draft["type"] != "MX" or draft["priority"] is not None:
        return None
    return "1004: DNS Validation Error: priority is required for MX records."


def _rule_action(draft: Draft) -> str | None:
    for rule in draft.items("rules"):
        if rule.get("action") not in (None, *_ACTIONS.split()):
            return f"rules action value must be one of: {', '.join(_ACTIONS.split())}, got: {rule['action']}."
    return None


def _redirect_code(draft: Draft) -> str | None:
    for rule in draft.items("rules"):
        code = ((rule.get("actionParameters") or {}).get("fromValue") or {}).get("statusCode")
        if code not in (None, 301, 302, 303, 307, 308):
            return f"rules statusCode value must be one of: 301, 302, 303, 307, 308, got: {code}."
    return None


def _second_entry_point(draft: Draft) -> str | None:
    if draft["kind"] != "zone" or not draft.others(zoneId=draft["zoneId"], phase=draft["phase"]):
        return None
    return f"20217: exceeded maximum number of rulesets for the phase {draft['phase']} of this zone, which is 1."


def _same_ref(draft: Draft) -> str | None:
    refs = [rule["ref"] for rule in draft.items("rules") if rule.get("ref")]
    twice = sorted({ref for ref in refs if refs.count(ref) > 1})
    return f"20120: the rule ref {twice[0]} is used more than once in one ruleset." if twice else None


def _unread_expression(draft: Draft) -> str | None:
    for rule in draft.items("rules"):
        if rule.get("action") != CACHE_ACTION:
            continue
        try:
            meant(str(rule.get("expression")), {HOST: "", PATH: ""})
        except ValueError as error:
            return f"The stand-in cannot tell what the cache rule {rule.get('ref')} is for: {error}."
    return None


_NO_ZONE = absent(
    ZONE, "zoneId", "7003: Could not route to /zones/{zoneId}, perhaps your object identifier is invalid?"
)
_TOKEN_FORMAT = (
    "API tokens must be 40 characters long and only contain characters a-z, A-Z, 0-9, hyphens and underscores"
)
_ZONE_ID = matches("zoneId", "[0-9a-f]{32}", "zoneId must be 32 hexadecimal digits.")

ROWS: list[Row] = [
    *rows(RECORD, "id", UNVERIFIED, id=lambda _: uuid.uuid4().hex),
    *rows(RECORD, "replace", _RECORDS, "zoneId", "type"),
    *rows(RECORD, "default", SEEN, proxied=False),
    *rows(RECORD, "held", SEEN, name=_full_name),
    *rows(RECORD, "held", UNVERIFIED, content=_held_content),
    *rows(RECORD, "computed", _RECORDS, createdOn=now),
    *rows(RECORD, "renewed", _RECORDS, modifiedOn=now),
    *rows(RECORD, "renewed", UNVERIFIED, commentModifiedOn=now, tagsModifiedOn=now),
    *rows(RECORD, "computed", UNVERIFIED, proxiable=lambda d: d["type"] in ("A", "AAAA", "CNAME")),
    *rows(RECORD, "check", SEEN, type=one_of("type", *_TYPES.split())),
    *rows(RECORD, "apply", UNVERIFIED, zoneId=_NO_ZONE),
    *rows(RECORD, "apply", OWN, name=_outside_zone),
    *rows(RECORD, "apply", _RECORDS, ttl=_proxied_ttl),
    *rows(RECORD, "apply", API, ttl=_ttl_range, content=_content, proxied=_not_proxiable, name=_duplicate),
    *rows(RECORD, "apply", UNVERIFIED, ttl=_one_ttl, priority=_priority, name=_beside_cname_otherwise),
    *rows(RECORD, "apply", _NAMES, name=_beside_cname),
    *rows(RULESET, "id", UNVERIFIED, id=lambda _: uuid.uuid4().hex),
    *rows(RULESET, "replace", FOUND, "kind", "name", "phase"),
    *rows(RULESET, "replace", _RULESETS, "zoneId", "accountId"),
    *rows(RULESET, "default", SEEN, description=""),
    *rows(RULESET, "held", SEEN, rules=_held_rules),
    *rows(RULESET, "renewed", UNVERIFIED, lastUpdated=now, version=lambda d: str(int(d["version"] or 0) + 1)),
    *rows(RULESET, "check", SEEN, zoneId=_ZONE_ID, kind=one_of("kind", "managed", "custom", "root", "zone")),
    *rows(RULESET, "check", SEEN, phase=one_of("phase", *_PHASES.split())),
    *rows(RULESET, "check", SEEN, rules=_rule_action),
    *rows(RULESET, "check", SEEN, rules=_redirect_code),
    *rows(RULESET, "apply", UNVERIFIED, zoneId=_NO_ZONE, phase=_second_entry_point, rules=_same_ref),
    *rows(RULESET, "apply", OWN, rules=_unread_expression),
]


def check_config(config: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Refusals of the provider's own configuration. Source: provider source, internal/provider.go."""
    token = config.get("apiToken")
    if not any(config.get(name) for name in ("apiToken", "apiKey", "apiUserServiceKey")):
        yield "apiToken", "must provide one of `api_key`, `api_token`, `api_user_service_key`."
    elif token and known(token) and not re.search("[A-Za-z0-9-_]{40}", token):
        yield "apiToken", _TOKEN_FORMAT


def get_zone(store: Store, args: Mapping[str, Any]) -> dict[str, Any]:
    wanted = (args.get("filter") or {}).get("name")
    for zone in store.find("cloudflare", ZONE):
        if zone.id == args.get("zoneId") or zone.properties["name"] == wanted:
            account = {"id": uuid.uuid5(uuid.NAMESPACE_DNS, "account").hex, "name": "stand-in"}
            names = {"name": zone.properties["name"], "nameServers": list(NAME_SERVERS)}
            state = {"account": account, "status": "active", "type": "full", "paused": False}
            return {"id": zone.id, "zoneId": zone.id} | names | state
    raise CloudError(f"failed to find exactly one result: no zone {wanted or args.get('zoneId')} in this account.")


def get_dns_records(store: Store, args: Mapping[str, Any]) -> dict[str, Any]:
    """Records of a zone, narrowed by name.exact, content.exact and type; other filters are refused."""
    wanted = {key: value for key, value in args.items() if value is not None and key != "maxItems"}
    for key in ("name", "content"):
        if set(wanted.get(key, {})) == {"exact"}:
            wanted[key] = wanted[key]["exact"]
    for key, value in wanted.items():
        if key not in ("zoneId", "name", "content", "type") or not isinstance(value, str):
            raise CloudError(f"The stand-in for Cloudflare cannot narrow records by this {key}.")
    held = store.find("cloudflare", RECORD, **wanted)
    return dict(args) | {"results": [one.properties | {"id": one.id} for one in held]}


LOOKED_UP = ""
LOOKUPS: dict[str, Callable[[Store, Mapping[str, Any]], dict[str, Any]]] = {
    "cloudflare:index/getZone:getZone": get_zone,
    "cloudflare:index/getDnsRecords:getDnsRecords": get_dns_records,
}
