"""Grafana's annotations."""

from __future__ import annotations

from typing import Any

from runbook.rehearsal.clouds.behaviours import API, UNVERIFIED
from runbook.rehearsal.clouds.store import Held
from runbook.rehearsal.clouds.web import tokens
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

ANNOTATION = "annotation"
_DOCS = "https://grafana.com/docs/grafana/latest/developers/http_api/annotations"
_SOURCE = "Grafana's source: pkg/api/annotations.go"
NO_TOKEN = Refusal(401, "", "Unauthorized", "Grafana's HTTP API documentation, authentication")
BAD_TOKEN = Refusal(401, "api-key.invalid", "Invalid API key", UNVERIFIED)
NO_TEXT = Refusal(400, "", "Failed to save annotation", _SOURCE)
MALFORMED = Refusal(400, "", "bad request data", _SOURCE)
NO_ROUTE = Refusal(404, "", "Not found", UNVERIFIED)
ALL_TAGS = Fact("An annotation is listed when it has all the tags asked for, or one with matchAny.", _DOCS)
MOST = Fact("100 annotations are listed when no limit is given, newest first.", _DOCS)


def said(refusal: Refusal, text: str) -> Any:
    return {"message": text} | ({"messageId": refusal.code} if refusal.code else {})


def admit(ask: Ask) -> None:
    basic = ask.request.authorization
    token = tokens.bearer(ask.request)
    if basic is not None and basic.type == "basic":
        token = f"{basic.username}:{basic.password}"
    if not token:
        raise Refused(NO_TOKEN)
    if not tokens.known(ask.store, "grafana", token):
        raise Refused(BAD_TOKEN)


def list_annotations(ask: Ask) -> Answer:
    wanted, has = set(ask.query.getlist("tags")), ask.query
    enough = any if has.get("matchAny") == "true" else all
    since, until = ask.number("from", 0), ask.number("to", 2**63)
    found = [
        held.properties | {"id": int(held.id)}
        for held in ask.store.find("grafana", ANNOTATION)
        if (not wanted or enough(tag in held.properties["tags"] for tag in wanted))
        and since <= held.properties["time"] <= until
    ]
    newest = sorted(found, key=lambda one: (one["time"], one["id"]), reverse=True)
    return Answer(newest[: ask.number("limit", 100)])


def add_annotation(ask: Ask) -> Answer:
    body = ask.json()
    if not body.get("text"):
        raise Refused(NO_TEXT)
    time = body.get("time") or milliseconds(ask.now)
    values = {
        "text": body["text"],
        "tags": body.get("tags") or [],
        "time": time,
        "timeEnd": body.get("timeEnd", time),
    }
    placed = {name: body[name] for name in ("dashboardUID", "panelId") if name in body}
    id = len(ask.store.find("grafana", ANNOTATION)) + 1
    ask.store.put(Held("grafana", ANNOTATION, str(id), values | placed))
    return Answer({"message": "Annotation added", "id": id})


ROUTES = [
    Route("GET", "/api/annotations", list_annotations, API),
    Route("POST", "/api/annotations", add_annotation, API),
]
VENDOR = Vendor("grafana", ROUTES, said, admit, NO_ROUTE, MALFORMED, known_in(globals()))
