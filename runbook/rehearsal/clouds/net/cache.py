"""What Cloudflare's proxy keeps of the answers that went through it, and for how long.

By host, path and query it keeps what a cache rule makes eligible, else what has one of the extensions, as long as the
rule's edge TTL or the origin's own header says. Sources, below developers.cloudflare.com/cache: concepts/ with
default-cache-behavior, cache-control and cache-responses, how-to/cache-rules/ with settings and order. What of this
nobody has seen is marked in facts.py. Browsers keep nothing here: browser_ttl is not looked at.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from typing import Any

from werkzeug.wrappers import Request, Response

from runbook.rehearsal.clouds.cloudflare import CACHE_ACTION, RULESET
from runbook.rehearsal.clouds.net.clock import Clock
from runbook.rehearsal.clouds.net.expressions import HOST, PATH, meant
from runbook.rehearsal.clouds.store import Held, Store

KEPT = "kept"  # {zoneId, host, path, status, headers, body, since, until}; times in seconds since 1970
# Status to seconds, where neither a rule nor the origin says how long; others are not kept.
_SECONDS = {200: 7200, 206: 7200, 301: 7200, 302: 1200, 303: 1200, 404: 180, 410: 180}
_EXTENSIONS = """7z avi avif apk bin bmp bz2 class css csv doc docx dmg ejs eot eps exe flac gif gz ico iso jar jpg
jpeg js mid midi mkv mp3 mp4 ogg otf pdf pict pls png ppt pptx ps rar svg svgz swf tar tif tiff ttf webm webp woff
woff2 xls xlsx zip zst"""
_NEVER = re.compile(r"\b(private|no-store|no-cache)\b")
_AGE = re.compile(r"\bmax-age=(\d+)")
_SHARED_AGE = re.compile(r"\bs-maxage=(\d+)")


class Cache:
    """Stands before the origins of proxied names."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock

    def answer(self, zone: Held, host: str, request: Request, origin: Callable[[], Response]) -> Response:
        """What a client gets, with the header cf-cache-status: HIT, MISS, EXPIRED, BYPASS (the origin forbids it) or
        DYNAMIC (no rule and no extension makes it eligible, or a rule says never)."""
        settings = _settings(self._store, zone, host, request.path)
        eligible = settings.get("cache")
        if eligible is None:
            extension = request.path.rpartition(".")[2].lower()
            eligible = extension in _EXTENSIONS.split() or request.path == "/robots.txt"
        if request.method != "GET" or not eligible:
            return _marked(origin(), "DYNAMIC")
        path = request.full_path.removesuffix("?")
        kept, now = self._store.get("cloudflare", KEPT, f"{host}{path}"), self._clock.now().timestamp()
        if kept and kept.properties["since"] <= now < kept.properties["until"]:
            return _again(kept, now)
        answer = origin()
        seconds = _seconds(answer, settings.get("edgeTtl") or {})
        if not seconds:
            return _marked(answer, "BYPASS")
        values = {"zoneId": zone.id, "host": host, "path": path, "status": answer.status_code}
        values |= {"headers": list(answer.headers.items()), "body": answer.get_data(as_text=True)}
        times = {"since": now, "until": now + seconds}
        self._store.put(Held("cloudflare", KEPT, f"{host}{path}", values | times))
        return _marked(answer, "EXPIRED" if kept else "MISS")


def forget(store: Store, zone: Held, hosts: Collection[str] | None) -> None:
    """Forget all that is kept of these hosts; None: of every host of the zone."""
    for kept in store.find("cloudflare", KEPT, zoneId=zone.id):
        if hosts is None or kept.properties["host"] in hosts:
            store.delete("cloudflare", KEPT, kept.id)


def _settings(store: Store, zone: Held, host: str, path: str) -> dict[str, Any]:
    """What the zone's cache rules say of a request: they stack, and of one setting the last rule's value counts."""
    found: dict[str, Any] = {}
    for ruleset in store.find("cloudflare", RULESET, zoneId=zone.id):
        rules = [one for one in ruleset.properties.get("rules") or [] if one.get("action") == CACHE_ACTION]
        for rule in rules:
            if rule.get("enabled", True) and meant(str(rule.get("expression")), {HOST: host, PATH: path}):
                found |= rule.get("actionParameters") or {}
    return found


def _seconds(answer: Response, ttl: Mapping[str, Any]) -> int:
    """How long an answer is kept; 0: it is not."""
    if answer.status_code not in _SECONDS or "set-cookie" in answer.headers:
        return 0
    for one in ttl.get("statusCodeTtls") or []:
        codes = one.get("statusCodeRange") or {"from": one.get("statusCode"), "to": one.get("statusCode")}
        if codes.get("from", 0) <= answer.status_code <= codes.get("to", 999):
            return max(0, int(one["value"]))
    mode, said = ttl.get("mode"), answer.headers.get("cache-control", "").lower()
    if mode == "override_origin":
        return int(ttl["default"])
    if _NEVER.search(said):
        return 0
    age = _SHARED_AGE.search(said) or _AGE.search(said)
    if age:
        return int(age[1])
    return 0 if mode == "bypass_by_default" and not said else _SECONDS[answer.status_code]


def _again(kept: Held, now: float) -> Response:
    values = kept.properties
    answer = Response(values["body"], values["status"], values["headers"])
    answer.headers["age"] = f"{int(now - values['since'])}"
    return _marked(answer, "HIT")


def _marked(answer: Response, status: str) -> Response:
    answer.headers["cf-cache-status"] = status
    return answer
