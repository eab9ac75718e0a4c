"""Slack's Web API as a bot uses it: messages now and at a time. Slack answers 200 to what it refuses, too.

Kept: kind "message" {channel, text, ts, metadata, scheduled}, kind "scheduled" {channel, text, postAt, metadata}.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from datetime import datetime, timedelta
from typing import Any

from runbook.rehearsal.clouds.behaviours import API, UNVERIFIED
from runbook.rehearsal.clouds.store import Held, Store
from runbook.rehearsal.clouds.web import tokens
from runbook.rehearsal.clouds.web.asking import Answer, Ask, Fact, Refusal, Refused, Route, Vendor, known_in

MESSAGE, SCHEDULED = "message", "scheduled"
_DOCS = "https://docs.slack.dev/reference/methods/"
_LATER = _DOCS + "chat.scheduleMessage"
NOT_AUTHED = Refusal(200, "not_authed", "", _DOCS + "chat.postMessage")
INVALID_AUTH = Refusal(200, "invalid_auth", "", _DOCS + "chat.postMessage")
NO_TEXT = Refusal(200, "no_text", "", _DOCS + "chat.postMessage")
NO_CHANNEL = Refusal(200, "channel_not_found", "", _DOCS + "chat.postMessage")
IN_PAST = Refusal(200, "time_in_past", "", _LATER)
TOO_FAR = Refusal(200, "time_too_far", "", _LATER)
TOO_MANY = Refusal(200, "restricted_too_many", "", _LATER)
BAD_ARGUMENTS = Refusal(200, "invalid_arguments", "", _LATER)
NO_SCHEDULED = Refusal(200, "invalid_scheduled_message_id", "", _DOCS + "chat.deleteScheduledMessage")
INVALID_CHANNEL = Refusal(200, "invalid_channel", "", f"{_DOCS}chat.scheduledMessages.list; for a name unverified")
NO_ROUTE = Refusal(200, "unknown_method", "", _DOCS)
MALFORMED = Refusal(200, "invalid_json", "", UNVERIFIED)
FURTHEST, WINDOW, MOST = timedelta(days=120), timedelta(minutes=5), 30
AHEAD = Fact("A message can be scheduled at most 120 days ahead.", _LATER)
CROWDED = Fact("At most 30 messages can be scheduled for one channel within 5 minutes.", _LATER)
TOO_LATE = Fact(
    "A scheduled message cannot be deleted in its last 60 seconds.", _DOCS + "chat.deleteScheduledMessage"
)
LOST = Fact("A scheduled message with metadata is never posted.", _LATER + " (bug alert)")
BY_ID = Fact("Listing and deleting name a channel by its id, not by its name.", f"{_DOCS}; {UNVERIFIED}")


def said(refusal: Refusal, text: str) -> Any:
    return {"ok": False, "error": refusal.code} | ({"response_metadata": {"messages": [text]}} if text else {})


def admit(ask: Ask) -> None:
    token = tokens.bearer(ask.request)
    if not token:
        raise Refused(NOT_AUTHED)
    if not re.fullmatch(r"[A-Za-z0-9-]{20,}", token) or not tokens.known(ask.store, "slack", token):
        raise Refused(INVALID_AUTH)


def channel_id(channel: str) -> str:
    """The id of a channel that is called by its name or by its id."""
    if re.fullmatch("[CDG][A-Z0-9]{8,}", channel):
        return channel
    return "C" + hashlib.sha256(channel.lstrip("#").encode()).hexdigest()[:10].upper()


def catch_up(store: Store, now: datetime) -> None:
    """Post the scheduled messages whose time has come."""
    with store.lock:
        for held in store.find("slack", SCHEDULED):
            values = held.properties
            if values["postAt"] <= now.timestamp() and not values["metadata"]:
                store.delete("slack", SCHEDULED, held.id)
                _post(store, values["channel"], values["text"], values["postAt"], None, scheduled=True)


def _post(store: Store, channel: str, text: str, at: float, metadata: Any, *, scheduled: bool) -> str:
    while store.get("slack", MESSAGE, f"{at:.6f}"):
        at += 1e-6
    ts = f"{at:.6f}"
    values = {"channel": channel, "text": text, "ts": ts, "metadata": metadata, "scheduled": scheduled}
    store.put(Held("slack", MESSAGE, ts, values))
    return ts


def _arguments(ask: Ask) -> dict[str, Any]:
    if ask.request.mimetype == "application/json":
        return ask.json()
    return ask.request.values.to_dict()


def _told(ask: Ask) -> tuple[dict[str, Any], str]:
    """The arguments of a message, and the id of its channel."""
    body = _arguments(ask)
    if not body.get("channel"):
        raise Refused(NO_CHANNEL)
    if not any(body.get(name) for name in ("text", "blocks", "attachments")):
        raise Refused(NO_TEXT)
    return body, channel_id(body["channel"])


def post_message(ask: Ask) -> Answer:
    body, channel = _told(ask)
    text = body.get("text", "")
    ts = _post(ask.store, channel, text, ask.now.timestamp(), body.get("metadata"), scheduled=False)
    return Answer({"ok": True, "channel": channel, "ts": ts, "message": {"type": "message", "text": text, "ts": ts}})


def schedule_message(ask: Ask) -> Answer:
    body, channel = _told(ask)
    try:
        at = int(body["post_at"])
    except (KeyError, TypeError, ValueError):
        raise Refused(BAD_ARGUMENTS) from None
    if at <= ask.now.timestamp():
        raise Refused(IN_PAST)
    if at > (ask.now + FURTHEST).timestamp():
        raise Refused(TOO_FAR)
    others = ask.store.find("slack", SCHEDULED, channel=channel)
    if sum(abs(one.properties["postAt"] - at) < WINDOW.total_seconds() for one in others) >= MOST:
        raise Refused(TOO_MANY)
    id = "Q" + secrets.token_hex(5).upper()
    values = {"channel": channel, "text": body.get("text", ""), "postAt": at, "metadata": body.get("metadata")}
    ask.store.put(Held("slack", SCHEDULED, id, values | {"created": int(ask.now.timestamp())}))
    message = {"type": "delayed_message", "text": values["text"]}
    return Answer(
        {"ok": True, "channel": channel, "scheduled_message_id": id, "post_at": str(at), "message": message}
    )


def list_scheduled(ask: Ask) -> Answer:
    wanted = _arguments(ask).get("channel")
    if wanted and channel_id(wanted) != wanted:
        raise Refused(INVALID_CHANNEL)
    found = [
        {
            "id": held.id,
            "channel_id": held.properties["channel"],
            "post_at": held.properties["postAt"],
            "date_created": held.properties["created"],
            "text": held.properties["text"],
        }
        for held in ask.store.find("slack", SCHEDULED)
        if wanted in (None, "", held.properties["channel"])
    ]
    return Answer({"ok": True, "scheduled_messages": found, "response_metadata": {"next_cursor": ""}})


def delete_scheduled(ask: Ask) -> Answer:
    body = _arguments(ask)
    channel = str(body.get("channel") or "")
    if not channel or channel_id(channel) != channel:
        raise Refused(NO_CHANNEL)
    held = ask.store.get("slack", SCHEDULED, str(body.get("scheduled_message_id") or ""))
    if held is None or held.properties["channel"] != channel:
        raise Refused(NO_SCHEDULED)
    if held.properties["postAt"] - ask.now.timestamp() < 60:
        raise Refused(NO_SCHEDULED)
    ask.store.delete("slack", SCHEDULED, held.id)
    return Answer({"ok": True})


ROUTES = [
    Route("POST", "/chat.postMessage", post_message, API),
    Route("POST", "/chat.scheduleMessage", schedule_message, API),
    Route("POST", "/chat.scheduledMessages.list", list_scheduled, API),
    Route("GET", "/chat.scheduledMessages.list", list_scheduled, API),
    Route("POST", "/chat.deleteScheduledMessage", delete_scheduled, API),
]
VENDOR = Vendor(
    "slack", ROUTES, said, admit, NO_ROUTE, MALFORMED, known_in(globals()),
    lambda store, now, _faults: catch_up(store, now),
)  # fmt: skip
