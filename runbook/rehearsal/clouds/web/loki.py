"""Loki's push and query_range, over lines in the store: {labels, ns (Unix nanoseconds), line}."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from runbook.rehearsal.clouds.behaviours import API, OWN, UNVERIFIED
from runbook.rehearsal.clouds.store import Held, Store
from runbook.rehearsal.clouds.web import tokens
from runbook.rehearsal.clouds.web.asking import Answer, Ask, Fact, Refusal, Refused, Route, Vendor, known_in

LINE = "line"
_DOCS = "https://grafana.com/docs/loki/latest/reference/loki-http-api/"
_LOGQL = "https://grafana.com/docs/loki/latest/query/log_queries/"
NO_TOKEN = Refusal(401, "", "no credentials provided", f"{UNVERIFIED}: Grafana Cloud")
BAD_TOKEN = Refusal(401, "", "invalid authentication credentials", f"{UNVERIFIED}: Grafana Cloud")
PARSE = Refusal(400, "", "parse error: the stand-in knows a selector and line filters, not {query}", OWN)
EMPTY = Refusal(
    400, "", "queries require at least one regexp or equality matcher that does not have an empty-compatible value",
    "Loki's source: pkg/logql/syntax/parser.go",
)  # fmt: skip
NO_STREAMS = Refusal(400, "", "a push needs streams, each with labels and values", _DOCS + "; the text is unverified")
NO_ROUTE = Refusal(404, "", "404 page not found", "Go's net/http")
MALFORMED = Refusal(400, "", "the body is no JSON object", UNVERIFIED)
FILTERS = Fact("A line is given when it passes every filter: |= != |~ !~.", _LOGQL)
HOUR = Fact("Without start the last hour is searched, without limit 100 lines are given, newest first.", _DOCS)
_MATCHER = re.compile(r'\s*(\w+)\s*(=~|!~|!=|=)\s*"((?:[^"\\]|\\.)*)"\s*(,|$)')
_FILTER = re.compile(r'\s*(\|=|!=|\|~|!~)\s*(?:"((?:[^"\\]|\\.)*)"|`([^`]*)`)')
_TESTS: dict[str, Any] = {
    "=": lambda wanted, value: value == wanted,
    "!=": lambda wanted, value: value != wanted,
    "=~": lambda wanted, value: re.fullmatch(wanted, value) is not None,
    "!~": lambda wanted, value: re.fullmatch(wanted, value) is None,
}
_LINE_TESTS: dict[str, Any] = {
    "|=": lambda wanted, line: wanted in line,
    "!=": lambda wanted, line: wanted not in line,
    "|~": lambda wanted, line: re.search(wanted, line) is not None,
    "!~": lambda wanted, line: re.search(wanted, line) is None,
}


def add_line(store: Store, labels: Mapping[str, str], line: str, now: datetime) -> None:
    """A line arrives, as through a drain."""
    _keep(store, dict(labels), int(now.timestamp() * 1e6) * 1000, line)


def _keep(store: Store, labels: dict[str, str], ns: int, line: str) -> None:
    store.put(Held("loki", LINE, uuid.uuid4().hex, {"labels": labels, "ns": ns, "line": line}))


def said(refusal: Refusal, text: str) -> Any:
    return text


def admit(ask: Ask) -> None:
    basic = ask.request.authorization
    if basic is None or basic.type != "basic" or not basic.username or not basic.password:
        raise Refused(NO_TOKEN)
    if not tokens.known(ask.store, "loki", basic.password):
        raise Refused(BAD_TOKEN)


def push(ask: Ask) -> Answer:
    streams = ask.json().get("streams")
    try:
        found = [
            ({str(key): str(one) for key, one in stream["stream"].items()}, int(value[0]), str(value[1]))
            for stream in streams or []
            for value in stream["values"]
        ]
    except (AttributeError, IndexError, KeyError, TypeError, ValueError):
        found = []
    if not found:
        raise Refused(NO_STREAMS)
    for labels, ns, line in found:
        _keep(ask.store, labels, ns, line)
    return Answer(status=204)


def _parsed(query: str) -> tuple[list[tuple[str, str, str]], list[tuple[str, str]]]:
    """(label, operator, value) of the selector, and (operator, value) of the line filters."""
    selector = re.match(r'\s*\{((?:[^"}]|"(?:[^"\\]|\\.)*")*)\}', query)
    if not selector:
        raise Refused(PARSE, query=query)
    matchers = [(one[1], one[2], _text(one[3])) for one in _all(_MATCHER, selector[1], query)]
    if not any(not _TESTS[operator](value, "") for _, operator, value in matchers):
        raise Refused(EMPTY)
    filters = _all(_FILTER, query[selector.end() :], query)
    return matchers, [(one[1], one[3] if one[3] is not None else _text(one[2])) for one in filters]


def _all(pattern: re.Pattern[str], text: str, query: str) -> list[re.Match[str]]:
    found, at = [], 0
    while at < len(text.rstrip()):
        match = pattern.match(text, at)
        if not match:
            raise Refused(PARSE, query=query)
        found.append(match)
        at = match.end()
    return found


def _text(quoted: str) -> str:
    return re.sub(r"\\(.)", r"\1", quoted)


def query_range(ask: Ask) -> Answer:
    matchers, filters = _parsed(ask.query.get("query", ""))
    end = _time(ask.query.get("end"), int(ask.now.timestamp() * 1e9))
    start = _time(ask.query.get("start"), end - 3_600_000_000_000)
    found = [
        held.properties
        for held in ask.store.find("loki", LINE)
        if start <= held.properties["ns"] < end
        and all(
            _TESTS[operator](value, held.properties["labels"].get(name, "")) for name, operator, value in matchers
        )
        and all(_LINE_TESTS[operator](value, held.properties["line"]) for operator, value in filters)
    ]
    forward = ask.query.get("direction") == "forward"
    found = sorted(found, key=lambda one: one["ns"], reverse=not forward)[: ask.number("limit", 100)]
    streams: dict[tuple[tuple[str, str], ...], list[list[str]]] = {}
    for one in found:
        streams.setdefault(tuple(sorted(one["labels"].items())), []).append([str(one["ns"]), one["line"]])
    result = [{"stream": dict(labels), "values": values} for labels, values in streams.items()]
    return Answer({"status": "success", "data": {"resultType": "streams", "result": result, "stats": {}}})


def _time(given: str | None, default: int) -> int:
    """Nanoseconds from nanoseconds, seconds (10 digits or a fraction) or RFC 3339."""
    if given is None:
        return default
    if re.fullmatch(r"\d+(\.\d*)?", given):
        return int(float(given) * 1e9) if "." in given or len(given) <= 10 else int(given)
    try:
        return int(datetime.fromisoformat(given).timestamp() * 1e9)
    except ValueError:
        raise Refused(PARSE, query=given) from None


ROUTES = [
    Route("POST", "/loki/api/v1/push", push, API),
    Route("GET", "/loki/api/v1/query_range", query_range, API),
]
VENDOR = Vendor("loki", ROUTES, said, admit, NO_ROUTE, MALFORMED, known_in(globals()))
