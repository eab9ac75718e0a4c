"""Supabase's management API: auth settings, custom host name, SQL and functions of a project."""

from __future__ import annotations

import hashlib
import json
import re
import uuid
from typing import Any

from runbook.rehearsal.clouds.behaviours import API, OWN, UNVERIFIED
from runbook.rehearsal.clouds.cloudflare import RECORD
from runbook.rehearsal.clouds.store import Held
from runbook.rehearsal.clouds.web import auth_state, sql, tokens
from runbook.rehearsal.clouds.web.asking import (
    Answer,
    Ask,
    Fact,
    Refusal,
    Refused,
    Route,
    Vendor,
    known_in,
    milliseconds,
)
from runbook.rehearsal.clouds.web.auth_state import ACTIVE, FUNCTION, HOSTNAME, SETTINGS

_DOCS = "https://supabase.com/docs/reference/api"
_DOMAINS = "https://supabase.com/docs/guides/platform/custom-domains"
NO_TOKEN = Refusal(401, "", "Unauthorized", _DOCS + "; the text is unverified")
BAD_TOKEN = Refusal(401, "", "JWT could not be decoded", UNVERIFIED)
BAD_REF = Refusal(400, "", "ref: a project ref is 20 lower-case letters", _DOCS + "; the text is unverified")
NO_PROJECT = Refusal(404, "", "Project not found", UNVERIFIED)
NO_ROUTE = Refusal(404, "", "Cannot find that path", UNVERIFIED)
MALFORMED = Refusal(400, "", "The body is no JSON object", UNVERIFIED)
UNKNOWN = Refusal(400, "", "{name} is no auth setting that the stand-in knows", OWN)
NOT_SITE = Refusal(400, "", "site_url must be one URL, without a comma", _DOCS + "; the text is unverified")
NOT_LIST = Refusal(400, "", "uri_allow_list must be one text, its entries joined by commas", _DOCS)
NOT_SECONDS = Refusal(400, "", "jwt_exp must be a whole number from 0 to 604800", _DOCS)
NOT_HOST = Refusal(400, "", "custom_hostname must be a host name", _DOCS + "; the text is unverified")
TAKEN = Refusal(400, "", "The project already answers as {host}: remove that custom hostname first", _DOMAINS)
NOT_STARTED = Refusal(400, "", "No custom hostname is being set up for this project", UNVERIFIED)
NOT_VERIFIED = Refusal(400, "", "The custom hostname {host} is not verified yet", UNVERIFIED)
BAD_SQL = Refusal(400, "", "Failed to run sql query: the stand-in does not know: {query}", OWN)
NO_SLUG = Refusal(400, "", "slug: letters, digits, dash and underscore, first a letter", _DOCS)
NO_METADATA = Refusal(400, "", "metadata: a JSON object with entrypoint_path is required", _DOCS)
NO_ENTRYPOINT = Refusal(400, "", "Entrypoint path does not exist: {path}", UNVERIFIED)
NO_FUNCTION = Refusal(404, "", "Function not found", UNVERIFIED)
TWO_OWNERS = Fact("Two projects may set up the same custom host name at once.", UNVERIFIED)
CHALLENGE = Fact(
    "A TXT record _acme-challenge.HOST is looked for; its content is not compared.", f"{_DOMAINS}; {OWN}"
)
AT_ONCE = Fact(
    "A host name whose TXT record is there is verified at once.", f"{UNVERIFIED}: minutes in the documents"
)
CASCADE = Fact("Ended sessions take their refresh tokens along.", "GoTrue: migrations, foreign key on delete cascade")
_STATUS = {"initiated": "2_initiated", "verified": "4_origin_setup_completed", ACTIVE: "5_services_reconfigured"}
# A few of the settings that the API has: those that a cutover reads or writes, and some of a new project.
_SETTINGS = {"site_url", "uri_allow_list", "jwt_exp", "disable_signup", "refresh_token_rotation_enabled"}


def said(refusal: Refusal, text: str) -> Any:
    return {"message": text}


def admit(ask: Ask) -> None:
    token = tokens.bearer(ask.request)
    if not token:
        raise Refused(NO_TOKEN)
    if not re.fullmatch(r"[A-Za-z0-9_.-]{20,}", token) or not tokens.known(ask.store, "supabase", token):
        raise Refused(BAD_TOKEN)
    if not re.fullmatch("[a-z]{20}", ask.path["ref"]):
        raise Refused(BAD_REF)
    if not auth_state.has_project(ask.store, ask.path["ref"]):
        raise Refused(NO_PROJECT)


def get_settings(ask: Ask) -> Answer:
    return Answer(auth_state.settings_of(ask.store, ask.path["ref"]))


def patch_settings(ask: Ask) -> Answer:
    body, ref = ask.json(), ask.path["ref"]
    for name in body:
        if name not in _SETTINGS:
            raise Refused(UNKNOWN, name=name)
    if not isinstance(body.get("site_url", ""), str) or "," in body.get("site_url", ""):
        raise Refused(NOT_SITE)
    if not isinstance(body.get("uri_allow_list", ""), str):
        raise Refused(NOT_LIST)
    seconds = body.get("jwt_exp", 0)
    if isinstance(seconds, bool) or not isinstance(seconds, int) or not 0 <= seconds <= 604_800:
        raise Refused(NOT_SECONDS)
    values = auth_state.settings_of(ask.store, ref) | body
    ask.store.put(Held("supabase", SETTINGS, ref, values))
    return Answer(values)


def _hostname(ask: Ask) -> dict[str, Any]:
    held = ask.store.get("supabase", HOSTNAME, ask.path["ref"])
    return held.properties if held else {}


def _keep_hostname(ask: Ask, host: str, status: str) -> Answer:
    ask.store.put(Held("supabase", HOSTNAME, ask.path["ref"], {"custom_hostname": host, "status": status}))
    return Answer(_shown_hostname(ask), 201)


def _shown_hostname(ask: Ask) -> dict[str, Any]:
    found = _hostname(ask)
    host = found.get("custom_hostname", "")
    result = {"hostname": host, "custom_origin_server": f"{ask.path['ref']}.supabase.co"}
    shown = {"status": _STATUS.get(found.get("status", ""), "1_not_started"), "custom_hostname": host}
    return shown | {"data": {"success": True, "errors": [], "messages": [], "result": result}}


def get_hostname(ask: Ask) -> Answer:
    return Answer(_shown_hostname(ask))


def initialize(ask: Ask) -> Answer:
    host, found = ask.json().get("custom_hostname"), _hostname(ask)
    if not isinstance(host, str) or not re.fullmatch(r"([a-z0-9-]+\.){2,}[a-z]{2,}", host):
        raise Refused(NOT_HOST)
    if found.get("status") == ACTIVE:
        if found["custom_hostname"] != host:
            raise Refused(TAKEN, host=found["custom_hostname"])
        return Answer(_shown_hostname(ask), 201)
    return _keep_hostname(ask, host, "initiated")


def reverify(ask: Ask) -> Answer:
    found = _hostname(ask)
    if not found:
        raise Refused(NOT_STARTED)
    name = f"_acme-challenge.{found['custom_hostname']}"
    if found["status"] == "initiated" and ask.store.find("cloudflare", RECORD, name=name, type="TXT"):
        return _keep_hostname(ask, found["custom_hostname"], "verified")
    return Answer(_shown_hostname(ask), 201)


def activate(ask: Ask) -> Answer:
    found = _hostname(ask)
    if not found:
        raise Refused(NOT_STARTED)
    if found["status"] == "initiated":
        raise Refused(NOT_VERIFIED, host=found["custom_hostname"])
    return _keep_hostname(ask, found["custom_hostname"], ACTIVE)


def query(ask: Ask) -> Answer:
    try:
        return Answer(sql.run(ask.store, ask.path["ref"], str(ask.json().get("query") or "")), 201)
    except sql.NotUnderstood as error:
        raise Refused(BAD_SQL, query=error) from None


def deploy(ask: Ask) -> Answer:
    ref, slug = ask.path["ref"], ask.query.get("slug", "")
    if not re.fullmatch("[A-Za-z][A-Za-z0-9_-]*", slug):
        raise Refused(NO_SLUG)
    metadata = _metadata(ask)
    files = {str(one.filename): one.read() for one in ask.request.files.getlist("file")}
    if metadata["entrypoint_path"] not in files:
        raise Refused(NO_ENTRYPOINT, path=metadata["entrypoint_path"])
    before = ask.store.get("supabase", FUNCTION, f"{ref}/{slug}")
    old: dict[str, Any] = (
        before.properties if before else {"id": str(uuid.uuid4()), "version": 0, "created_at": _ms(ask)}
    )
    digest = hashlib.sha256(b"".join(name.encode() + files[name] for name in sorted(files))).hexdigest()
    values = {
        "ref": ref,
        "slug": slug,
        "name": metadata.get("name", slug),
        "status": "ACTIVE",
        "version": old["version"] + 1,
        "created_at": old["created_at"],
        "updated_at": _ms(ask),
        "id": old["id"],
        "verify_jwt": metadata.get("verify_jwt", True),
        "entrypoint_path": metadata["entrypoint_path"],
        "sha256": digest,
    }
    ask.store.put(Held("supabase", FUNCTION, f"{ref}/{slug}", values))
    return Answer(_shown_function(values), 201)


def _ms(ask: Ask) -> int:
    return milliseconds(ask.now)


def _metadata(ask: Ask) -> dict[str, Any]:
    """A form field, or a part with a file name: the real one takes both (unverified)."""
    part = ask.request.files.get("metadata")
    text = part.read().decode() if part else ask.request.form.get("metadata", "")
    try:
        found = json.loads(text)
    except ValueError:
        raise Refused(NO_METADATA) from None
    if not isinstance(found, dict) or not isinstance(found.get("entrypoint_path"), str):
        raise Refused(NO_METADATA)
    return found


def _shown_function(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name not in ("ref", "sha256")}


def list_functions(ask: Ask) -> Answer:
    found = ask.store.find("supabase", FUNCTION, ref=ask.path["ref"])
    return Answer([_shown_function(one.properties) for one in found])


def get_function(ask: Ask) -> Answer:
    held = ask.store.get("supabase", FUNCTION, f"{ask.path['ref']}/{ask.path['slug']}")
    if held is None:
        raise Refused(NO_FUNCTION)
    return Answer(_shown_function(held.properties))


_BASE = "/v1/projects/{ref}"
ROUTES = [
    Route("GET", f"{_BASE}/config/auth", get_settings, API),
    Route("PATCH", f"{_BASE}/config/auth", patch_settings, API),
    Route("GET", f"{_BASE}/custom-hostname", get_hostname, API),
    Route("POST", f"{_BASE}/custom-hostname/initialize", initialize, API),
    Route("POST", f"{_BASE}/custom-hostname/reverify", reverify, API),
    Route("POST", f"{_BASE}/custom-hostname/activate", activate, API),
    Route("POST", f"{_BASE}/database/query", query, API),
    Route("POST", f"{_BASE}/functions/deploy", deploy, API),
    Route("GET", f"{_BASE}/functions", list_functions, API),
    Route("GET", f"{_BASE}/functions/{{slug}}", get_function, API),
]
VENDOR = Vendor("supabase", ROUTES, said, admit, NO_ROUTE, MALFORMED, known_in(globals()))
