"""Supabase's management interface: auth settings, custom host name, sessions, functions.
Source: https://supabase.com/docs/reference/api/introduction; what it does not say is marked unverified."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from runbook.steps.call import Call, StepError
from runbook.steps.vendors import Answer, Vendor

SUPABASE = Vendor(
    name="Supabase",
    key="supabase",
    secret="SUPABASE_ACCESS_TOKEN",
    needs="the role Owner or Administrator in the organization of the project",
    missing="Check the project ref.",
    status="https://status.supabase.com",
)
# There is no bulk sign-out. A session takes its refresh tokens along; what is left are tokens without a session.
_END = """WITH ended AS (DELETE FROM auth.sessions RETURNING 1),
left_over AS (DELETE FROM auth.refresh_tokens WHERE session_id IS NULL RETURNING 1)
SELECT (SELECT count(*) FROM ended) AS sessions, (SELECT count(*) FROM left_over) AS refresh_tokens"""
_RECORDS = "Check the CNAME and TXT records that Supabase names for it, then run up again."
_ACTIVE = "5_services_reconfigured"


def end_sessions(call: Call) -> dict[str, Any]:
    """Everybody signs in again. Twice ends whoever signed in between. Access tokens live on until jwt_exp."""
    ref = call.args["ref"]
    path = f"/v1/projects/{ref}/database/query"
    answer = SUPABASE.ask(call, "POST", path, json={"query": _END}, expect=(200, 201))
    counts = {name: answer.number(0, name) for name in ("sessions", "refresh_tokens")}
    return {"ref": ref, **counts}


def auth_settings(call: Call) -> dict[str, Any]:
    """Site URL and allowed redirects of each project. It looks at all of them first and sends only what differs;
    twice is once.

    args.refs: {ref: {site_url, uri_allow_list: [...]}}; without a site_url it stays as it is. What someone else added
    to the list stays; what this step added to it, and wants no more, goes: but for what it added just before a kill,
    or before another project refused, which it then takes for someone else's.
    """
    found = {ref: SUPABASE.get(call, _config(ref)) for ref in call.args["refs"]}
    return {ref: _settings(call, ref, wanted, found[ref]) for ref, wanted in call.args["refs"].items()}


def _settings(call: Call, ref: str, wanted: dict[str, Any], found: Answer) -> dict[str, Any]:
    asked, before = list(wanted["uri_allow_list"]), _listed(found)
    added = {*call.before.get(ref, {}).get("ours", ())}
    ours = [entry for entry in asked if entry in added or entry not in before]
    after = [entry for entry in before if entry not in added or entry in asked]
    after += [entry for entry in asked if entry not in after]
    change: dict[str, str] = {}
    if "site_url" in wanted and found.at("site_url") != wanted["site_url"]:
        change["site_url"] = wanted["site_url"]
    if after != before:
        change["uri_allow_list"] = ",".join(after)
    if change:
        SUPABASE.ask(call, "PATCH", _config(ref), json=change)
    return {"changed": sorted(change), "already": not change, "ours": ours}


def _config(ref: str) -> str:
    return f"/v1/projects/{ref}/config/auth"


def _listed(found: Answer) -> list[str]:
    """One text with commas; null when there is none."""
    given = found.text("uri_allow_list") if found.at("uri_allow_list") else ""
    return [entry.strip() for entry in given.split(",") if entry.strip()]


def custom_hostname(call: Call) -> dict[str, Any]:
    """The project answers under `host`.

    It looks first; each of the calls may be made twice. A project has only one custom host name
    (https://supabase.com/docs/guides/platform/custom-domains): one that serves is never taken away for another.
    """
    ref, host = call.args["ref"], call.args["host"]
    path = f"/v1/projects/{ref}/custom-hostname"
    # Unverified: a project that never had one answers 404, or 200 without a name.
    found = SUPABASE.get(call, path, expect=(200, 404))
    known = found.at("custom_hostname") if found.status == 200 else None
    status = found.at("status") if known else None
    if known == host and status == _ACTIVE:
        return {"host": host, "status": status, "already": True}
    if known and status == _ACTIVE:
        raise StepError(
            f"Project {ref} answers as {known}, and Supabase keeps one custom host name per project: {host} would"
            f" take it away. Serve {host} from another project, or remove {known} by hand."
        )
    if known != host:
        _host(call, f"{path}/initialize", {"custom_hostname": host})
    _host(call, f"{path}/reverify", None)
    now = _host(call, f"{path}/activate", None).text("status")
    if now != _ACTIVE:
        raise StepError(f"Project {ref} does not serve {host} yet: its status is {now}. {_RECORDS}")
    return {"host": host, "status": now, "already": False}


def _host(call: Call, path: str, body: dict[str, str] | None) -> Answer:
    return SUPABASE.ask(call, "POST", path, json=body, expect=(200, 201), remedy={400: _RECORDS})


def deploy_function(call: Call) -> dict[str, Any]:
    """The function is deployed from its source, a file or a folder. Twice makes one more version of the same source.

    Whether callers need a token (verify_jwt) stays as it is. `tag` is the release the source belongs to, for the
    record.
    """
    ref, slug, tag = call.args["ref"], call.args["slug"], call.args["tag"]
    parts = _source(Path(call.args["source"]))
    known = SUPABASE.get(call, f"/v1/projects/{ref}/functions/{slug}", expect=(200, 404))
    metadata: dict[str, Any] = {"name": slug, "entrypoint_path": _entrypoint(call.args["source"], parts)}
    if known.status == 200 and isinstance(known.at("verify_jwt"), bool):
        metadata["verify_jwt"] = known.at("verify_jwt")  # unverified: that it would go back to true when left out
    answer = SUPABASE.ask(
        call,
        "POST",
        f"/v1/projects/{ref}/functions/deploy",
        params={"slug": slug},
        data={"metadata": json.dumps(metadata)},
        files=[("file", (name, content)) for name, content in parts.items()],
        expect=(200, 201),
    )
    return {"slug": slug, "version": answer.number("version"), "tag": tag, "sha256": _digest(parts)}


def _source(source: Path) -> dict[str, bytes]:
    """Relative name to content, sorted. Hidden files stay here: an .env among them is not source."""
    try:
        if source.is_file():
            return {source.name: source.read_bytes()}
        files = sorted(path for path in source.rglob("*") if path.is_file())
        named = {path.relative_to(source): path for path in files}
        parts = {
            name.as_posix(): path.read_bytes()
            for name, path in named.items()
            if not any(part.startswith(".") for part in name.parts)
        }
    except OSError as error:
        raise StepError(
            f"The source {source} of the function cannot be read: {error.strerror}. Mend its rights."
        ) from None
    if not parts:
        raise StepError(f"There is no source of the function at {source}: name the file or the folder it is in.")
    return parts


def _entrypoint(source: str, parts: dict[str, bytes]) -> str:
    """The only file, else index.ts, as Supabase's own tool takes it."""
    if len(parts) == 1:
        return next(iter(parts))
    if "index.ts" in parts:
        return "index.ts"
    raise StepError(
        f"The folder {source} of the function has no index.ts, which is where it starts: add it, or name the one file"
        " that it is."
    )


def _digest(parts: dict[str, bytes]) -> str:
    """SHA-256 over names and contents, each after its length."""
    digest = hashlib.sha256()
    for piece in (piece for name, content in parts.items() for piece in (name.encode(), content)):
        digest.update(len(piece).to_bytes(8, "big") + piece)
    return digest.hexdigest()
