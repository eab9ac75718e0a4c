"""The SQL that steps send to a Supabase project, and no other: read word by word, run over the auth state.

Statements: SELECT count(*) FROM a table of auth; DELETE of all sessions, of refresh tokens without a session; and one
WITH of such deletes, each RETURNING, followed by a SELECT of how many each deleted.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from runbook.rehearsal.clouds.store import Store
from runbook.rehearsal.clouds.web import auth_state

_DELETES: dict[str, Callable[[Store, str], int]] = {
    "delete from auth.sessions": auth_state.end_sessions,
    "delete from auth.refresh_tokens where session_id is null": auth_state.end_loose_tokens,
}
_TABLES = {
    "users": auth_state.USER,
    "sessions": auth_state.SESSION,
    "refresh_tokens": auth_state.REFRESH_TOKEN,
}
_PART = re.compile(r"(\w+) as \((delete from .*?) returning \w+\)")
_COUNT = re.compile(r"\(select count\(\*\)(?:::int)? from (\w+)\)(?:::int)? as (\w+)")


class NotUnderstood(Exception):
    """The text says what of the query the stand-in does not know."""


def run(store: Store, ref: str, query: str) -> list[dict[str, int]]:
    """The rows of the last statement. Raises: NotUnderstood."""
    words = re.sub(r"\s+", " ", query.strip().rstrip(";")).lower().replace("( ", "(").replace(" )", ")")
    if words in _DELETES:
        _DELETES[words](store, ref)
        return []
    counted = re.fullmatch(r"select count\(\*\)(?: as (\w+))? from auth\.(\w+)", words)
    if counted and counted[2] in _TABLES:
        return [{counted[1] or "count": len(store.find("supabase", _TABLES[counted[2]], ref=ref))}]
    if words.startswith("with "):
        return [_together(store, ref, words.removeprefix("with "))]
    raise NotUnderstood(query.strip()[:60])


def _together(store: Store, ref: str, words: str) -> dict[str, int]:
    """Nothing is deleted before the whole of it was understood."""
    parts: dict[str, Callable[[Store, str], int]] = {}
    while part := _PART.match(words):
        if part[2] not in _DELETES:
            raise NotUnderstood(part[2])
        parts[part[1]] = _DELETES[part[2]]
        words = words[part.end() :].removeprefix(",").lstrip()
    if not words.startswith("select "):
        raise NotUnderstood(words[:60])
    columns: dict[str, str] = {}
    for column in words.removeprefix("select ").split(", "):
        found = _COUNT.fullmatch(column)
        if not found or found[1] not in parts:
            raise NotUnderstood(column)
        columns[found[2]] = found[1]
    done = {name: parts[name](store, ref) for name in parts}
    return {column: done[name] for column, name in columns.items()}
