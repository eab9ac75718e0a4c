"""HTTP as every step does it: time limits, repeats that respect Retry-After, and errors that are sentences.

A request takes at most 5 s to connect and 10 s to answer, and never goes past the deadline of its call. Steps that
talk to a vendor use `vendors.py`, which adds the token and says which one to mend.
"""

from __future__ import annotations

import ipaddress
import ssl
from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Any

import httpx
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_before_delay, wait_exponential_jitter

from runbook.steps.call import Call, StepError
from runbook.steps.said import excerpt

CONNECT, READ = 5.0, 10.0  # seconds
_LONGEST = 86_400.0  # seconds: whoever asks to wait for more than a day is not taken at his word
_BACKOFF = wait_exponential_jitter(multiplier=0.2, max=4, jitter=0.2)
_NOTHING_SENT = (httpx.ConnectError, httpx.ConnectTimeout)


class _Again(Exception):
    """Worth another try. `after`: seconds that the server asked to wait, when it did."""

    def __init__(self, sentence: str, after: float | None = None) -> None:
        super().__init__(sentence)
        self.after = after


def ask(
    call: Call,
    method: str,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    params: Mapping[str, Any] | None = None,
    json: Any = None,
    data: Mapping[str, Any] | None = None,
    files: Any = None,
    expect: Collection[int] = (200,),
    retry: bool = True,
    what: str | None = None,
    remedy: Mapping[int, str] | None = None,
) -> httpx.Response:
    """The answer, whose status is in `expect`. Redirects are not followed.

    Without an answer, on 429 and on 5xx the request is repeated until the deadline of `call`. `retry=False` is for a
    request that must not be carried out twice: it is repeated only where nothing was (no connection, 429).
    `what` answers, for the errors ("Vercel"); without it, the host of the URL. `remedy`: what to do, by status; the
    key 500 stands for all of 5xx. Raises StepError. An observation makes itself a Call with the deadline it wants.
    """
    who = what or httpx.URL(url).host
    asked = f"{method} {httpx.URL(url).path}"
    remedies = remedy or {}

    def once() -> httpx.Response:
        response = _send(call, method, url, who, asked, retry, headers, params, json, data, files)
        if response.status_code in expect:
            return response
        sentence = _refusal(call, response, who, asked, remedies)
        if response.status_code == 429:
            after = _retry_after(response)
            raise _Again(sentence + _come_back(after, call.left()), after)
        if response.status_code >= 500 and retry:
            raise _Again(sentence)
        raise StepError(sentence)

    retrying = Retrying(
        retry=retry_if_exception_type(_Again),
        wait=_wait,
        stop=stop_before_delay(call.left()),
        reraise=True,
    )
    try:
        return retrying(once)
    except _Again as error:
        raise StepError(str(error)) from None


def _send(call: Call, method: str, url: str, who: str, asked: str, retry: bool, *rest: Any) -> httpx.Response:
    headers, params, json, data, files = rest
    left = call.left()
    if left <= 0:
        raise StepError(f"No time was left for {asked} at {who}. Run up again.")
    limit = httpx.Timeout(min(READ, left), connect=min(CONNECT, left))
    try:
        with httpx.Client(
            timeout=limit, verify=_trust(call.reach.ca), trust_env=not _is_loopback(httpx.URL(url).host)
        ) as client:
            return client.request(method, url, headers=headers, params=params, json=json, data=data, files=files)
    except httpx.RequestError as error:
        sentence, repeatable = _lost(error, who, asked)
        if repeatable and (retry or isinstance(error, _NOTHING_SENT)):
            raise _Again(sentence) from None
        raise StepError(sentence) from None


def _lost(error: httpx.RequestError, who: str, asked: str) -> tuple[str, bool]:
    """What became of a request that has no answer, and whether another try may end differently."""
    if isinstance(error, httpx.ConnectError) and "CERTIFICATE_VERIFY_FAILED" in str(error):
        why = str(error).partition("failed: ")[2].partition(" (_ssl")[0].rstrip(".") or "not trusted"
        return f"{who} showed a certificate that is not accepted, for {asked}: {why}.", False
    if isinstance(error, httpx.ConnectTimeout):
        return f"{who} took no connection in time for {asked}. Check the network, then run up again.", True
    if isinstance(error, httpx.ConnectError):
        return f"There is no connection to {who} for {asked}. Check the network, then run up again.", True
    done = "" if asked.startswith("GET ") else " It may have acted all the same."
    if isinstance(error, httpx.TimeoutException):
        return f"{who} did not answer {asked} in time.{done} Run up again.", True
    if isinstance(error, httpx.DecodingError):
        return f"{who} answered {asked} with a body that cannot be unpacked.{done} Run up again.", True
    if isinstance(error, httpx.LocalProtocolError | httpx.UnsupportedProtocol):
        return f"{asked} could not be sent to {who}: its URL or a header is malformed.", False
    return f"{who} broke off during {asked}.{done} Run up again.", True


def _refusal(call: Call, response: httpx.Response, who: str, asked: str, remedies: Mapping[int, str]) -> str:
    status = response.status_code
    said = excerpt(call, response)
    remedy = remedies.get(status) or remedies.get(500 if status >= 500 else 0) or ""
    sentence = f"{who} answered {status} to {asked}" + (f": {said.rstrip('.')}." if said else ".")
    return f"{sentence} {remedy}".rstrip()


def _wait(state: RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    if isinstance(error, _Again) and error.after is not None:
        return error.after
    return _BACKOFF(state)


def _retry_after(response: httpx.Response) -> float | None:
    """Seconds, or an HTTP date, which counts from the server's own Date: clocks differ (RFC 9110, 10.2.3)."""
    given = response.headers.get("retry-after", "").strip()
    if given.isdecimal():
        return min(float(given), _LONGEST)
    until = _date(given)
    if until is None:
        return None
    wait = until - (_date(response.headers.get("date", "")) or datetime.now(UTC))
    return min(max(0.0, wait.total_seconds()), _LONGEST)


def _date(text: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _come_back(after: float | None, left: float) -> str:
    if after is None or after < left:
        return " Run up again in a minute."
    when = datetime.now(UTC) + timedelta(seconds=after)
    return f" It asks to wait {after:.0f} s, longer than a step may take. Run up again at {when:%H:%M:%S} UTC."


@lru_cache
def _trust(ca: str | None) -> ssl.SSLContext:
    """Kept, because reading the certificates takes longer than most requests."""
    return ssl.create_default_context(cafile=ca) if ca else httpx.create_ssl_context()


def _is_loopback(host: str) -> bool:
    """Proxies of the environment are for the vendors, never for what runs on this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
