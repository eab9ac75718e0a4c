"""What a Supabase project has of auth, as objects in the store of the cloud "supabase".

kind           id        properties
project        ref       {}
auth-config    ref       {site_url, uri_allow_list (one text with commas), jwt_exp (seconds), …}
custom-hostname ref      {custom_hostname, status: initiated, verified or active}
user           user id   {ref, email}
session        id        {ref, user_id, created_at}
refresh-token  id        {ref, user_id, session_id, or without session_id}
function       ref/slug  {slug, name, version, sha256, entrypoint_path, verify_jwt, …}
"""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from runbook.rehearsal.clouds.store import Held, Store

PROJECT, SETTINGS, HOSTNAME, FUNCTION = "project", "auth-config", "custom-hostname", "function"
USER, SESSION, REFRESH_TOKEN = "user", "session", "refresh-token"
ACTIVE = "active"
# Of a new project, as Supabase's dashboard shows them.
_DEFAULTS: dict[str, Any] = {
    "site_url": "http://localhost:3000",
    "uri_allow_list": "",
    "jwt_exp": 3600,
    "disable_signup": False,
    "refresh_token_rotation_enabled": True,
}


def add_project(store: Store, ref: str, **settings: Any) -> None:
    """A project with these auth settings. Until one is added, every well-formed ref counts as a project."""
    store.put(Held("supabase", PROJECT, ref, {}))
    store.put(Held("supabase", SETTINGS, ref, _DEFAULTS | settings))


def has_project(store: Store, ref: str) -> bool:
    added = store.find("supabase", PROJECT)
    return not added or ref in {one.id for one in added}


def settings_of(store: Store, ref: str) -> dict[str, Any]:
    held = store.get("supabase", SETTINGS, ref)
    return _DEFAULTS | (held.properties if held else {})


def sign_in(store: Store, ref: str, email: str, now: datetime) -> Held:
    """A session of this user, who is made when not there, and its refresh token: the session."""
    with store.lock:
        user = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{ref}/{email}"))
        store.put(Held("supabase", USER, user, {"ref": ref, "email": email}))
        who = {"ref": ref, "user_id": user}
        session = Held("supabase", SESSION, str(uuid.uuid4()), who | {"created_at": now.isoformat()})
        store.put(session)
        store.put(Held("supabase", REFRESH_TOKEN, str(uuid.uuid4()), who | {"session_id": session.id}))
        return session


def end_sessions(store: Store, ref: str) -> int:
    """DELETE FROM auth.sessions: refresh tokens of a session go with it."""
    ended = store.find("supabase", SESSION, ref=ref)
    for session in ended:
        for token in store.find("supabase", REFRESH_TOKEN, session_id=session.id):
            store.delete("supabase", REFRESH_TOKEN, token.id)
        store.delete("supabase", SESSION, session.id)
    return len(ended)


def end_loose_tokens(store: Store, ref: str) -> int:
    """DELETE FROM auth.refresh_tokens WHERE session_id IS NULL."""
    ended = store.find("supabase", REFRESH_TOKEN, ref=ref, session_id=None)
    for token in ended:
        store.delete("supabase", REFRESH_TOKEN, token.id)
    return len(ended)
