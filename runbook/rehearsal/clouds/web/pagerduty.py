"""PagerDuty's Events API v2: one alert per dedup_key, kept as {summary, source, severity, status, events}."""

from __future__ import annotations

import uuid
from typing import Any

from runbook.rehearsal.clouds.behaviours import API, UNVERIFIED
from runbook.rehearsal.clouds.store import Held
from runbook.rehearsal.clouds.web import tokens
from runbook.rehearsal.clouds.web.asking import Answer, Ask, Fact, Refusal, Refused, Route, Vendor, known_in

ALERT = "alert"
_DOCS = "https://developer.pagerduty.com/docs/events-api-v2; the text is unverified"
NO_KEY = Refusal(400, "invalid event", "'routing_key' is missing or blank", _DOCS)
LENGTH = Refusal(400, "invalid event", "Length of 'routing_key' is incorrect (should be 32 characters)", _DOCS)
BAD_KEY = Refusal(400, "invalid event", "Invalid routing key", _DOCS)
ACTION = Refusal(400, "invalid event", "'event_action' must be one of trigger, acknowledge, resolve", _DOCS)
MISSING = Refusal(400, "invalid event", "'payload.{name}' is missing or blank", _DOCS)
SEVERITY = Refusal(400, "invalid event", "'payload.severity' must be one of {allowed}", _DOCS)
LONG = Refusal(400, "invalid event", "'{name}' is too long: at most {most} characters", _DOCS)
NO_DEDUP = Refusal(400, "invalid event", "'dedup_key' is missing or blank", _DOCS)
MALFORMED = Refusal(400, "invalid event", "Event object is invalid JSON", UNVERIFIED)
NO_ROUTE = Refusal(404, "not found", "Not Found", UNVERIFIED)
SEVERITIES = ("critical", "error", "warning", "info")
MERGED = Fact("Events of one dedup_key are one alert.", "https://support.pagerduty.com/docs/event-management")
_STATUS = {"trigger": "triggered", "acknowledge": "acknowledged", "resolve": "resolved"}


def said(refusal: Refusal, text: str) -> Any:
    return {"status": refusal.code, "message": "Event object is invalid", "errors": [text]}


def admit(ask: Ask) -> None:
    """The key stands in the body here, and no header does."""
    key = ask.json().get("routing_key")
    if not key or not isinstance(key, str):
        raise Refused(NO_KEY)
    if len(key) != 32:
        raise Refused(LENGTH)
    if not tokens.known(ask.store, "pagerduty", key):
        raise Refused(BAD_KEY)


def _check(body: dict[str, Any]) -> dict[str, Any]:
    payload = body.get("payload")
    payload = payload if isinstance(payload, dict) else {}
    for name in ("summary", "source", "severity"):
        if not payload.get(name):
            raise Refused(MISSING, name=name)
    if payload["severity"] not in SEVERITIES:
        raise Refused(SEVERITY, allowed=", ".join(SEVERITIES))
    if len(payload["summary"]) > 1024:
        raise Refused(LONG, name="payload.summary", most=1024)
    return payload


def enqueue(ask: Ask) -> Answer:
    body = ask.json()
    action, key = body.get("event_action"), str(body.get("dedup_key") or "")
    if action not in _STATUS:
        raise Refused(ACTION)
    if len(key) > 255:
        raise Refused(LONG, name="dedup_key", most=255)
    payload = _check(body) if action == "trigger" else {}
    if action != "trigger" and not key:
        raise Refused(NO_DEDUP)
    key = key or uuid.uuid4().hex
    held = ask.store.get("pagerduty", ALERT, key)
    kept = {"events": 0} | (held.properties if held else {}) | payload
    told = {"status": _STATUS[action], "events": kept["events"] + 1, "at": ask.now.isoformat()}
    ask.store.put(Held("pagerduty", ALERT, key, kept | told))
    return Answer({"status": "success", "message": "Event processed", "dedup_key": key}, 202)


ROUTES = [Route("POST", "/v2/enqueue", enqueue, API)]
VENDOR = Vendor("pagerduty", ROUTES, said, admit, NO_ROUTE, MALFORMED, known_in(globals()))
