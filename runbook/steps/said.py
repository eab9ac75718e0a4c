"""What may be told of an answer: short, without control characters, without a secret."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote, quote_plus

import httpx

from runbook.steps.call import Call

HIDDEN = "(hidden)"
_LONGEST = 200  # characters of an answer that an error shows
_SHORT = 6  # characters: a shorter secret ("true", "1") is hidden only as a word of its own, or ids would suffer
_CONTROL = re.compile(r"[\s\x00-\x1f\x7f-\x9f]+")


def without_secrets(secrets: Mapping[str, str], found: Any) -> Any:
    """The same JSON, with every secret in every text and key hidden, however it is spelled there."""
    spellings = sorted({form for secret in secrets.values() for form in _spellings(secret)}, key=len, reverse=True)
    return _without(spellings, found)


def _without(spellings: list[str], found: Any) -> Any:
    if isinstance(found, str):
        for form in spellings:
            if len(form) >= _SHORT:
                found = found.replace(form, HIDDEN)
            else:
                found = re.sub(rf"(?<!\w){re.escape(form)}(?!\w)", HIDDEN, found)
        return found
    if isinstance(found, Mapping):
        return {_without(spellings, key): _without(spellings, value) for key, value in found.items()}
    if isinstance(found, list | tuple):
        return [_without(spellings, value) for value in found]
    if isinstance(found, int | float) and not isinstance(found, bool) and str(found) in spellings:
        return HIDDEN
    return found


def _spellings(secret: str) -> Iterator[str]:
    """As it is, and as URLs, JSON, Python and Basic authentication spell it; of user:password also the password."""
    user, _, password = secret.partition(":")
    parts = {password} if user and not password.startswith("//") else set()
    for form in ({secret, secret.strip()} | parts) - {""}:
        texts = {form, _escaped(form), json.dumps(form, ensure_ascii=False)[1:-1]}
        yield from texts
        yield from map(_escaped, texts)  # an answer that repeats a body inside its own
        yield quote(form, safe="")
        yield quote(form)
        yield quote_plus(form)
        yield repr(form)[1:-1]
        yield repr(form.encode())[2:-1]
        yield base64.b64encode(form.encode()).decode()


def _escaped(text: str) -> str:
    return json.dumps(text)[1:-1]


def excerpt(call: Call, response: httpx.Response) -> str:
    """The message of a vendor's error: its own field of a JSON body, the first 200 characters of a plain text,
    nothing of a page."""
    kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    try:
        said = _message(response.json())
    except (ValueError, RecursionError):
        said = response.text if kind == "text/plain" else ""
    return plain(call.secrets, said, _LONGEST)


def plain(secrets: Mapping[str, str], said: str, longest: int) -> str:
    """One line of at most so many characters that moves no cursor and tells no secret."""
    said = _CONTROL.sub(" ", without_secrets(secrets, said)).strip()
    return said if len(said) <= longest else said[: longest - 1] + "…"


def _message(body: Any) -> str:
    """Vercel: {error: {message}}; Cloudflare: {errors: [{message}]}; PagerDuty: {message, errors: [text]};
    Supabase and Grafana: {message}; Slack: {error}."""
    if isinstance(body, str):
        return body
    if isinstance(body, list):
        return "; ".join(filter(None, map(_message, body)))
    if not isinstance(body, dict):
        return ""
    return ": ".join(filter(None, (_message(body.get(key)) for key in ("message", "error", "errors"))))
