"""HTTP as every step does it: time limits, repeats that respect Retry-After, and errors that are sentences.

A request takes at most 5 s to connect and may be silent for 10 s, and never goes past the deadline of its call. Steps
that talk to a vendor use `vendors.py`, which adds the token and says which one to mend.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Mapping
from typing import Any

import httpx
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_before_delay, wait_exponential_jitter

from runbook.steps import wire
from runbook.steps.call import Call, StepError
from runbook.steps.certificates import trusted
from runbook.steps.said import excerpt

CONNECT, READ = 5.0, 10.0  # seconds
_BACKOFF = wait_exponential_jitter(multiplier=0.2, max=4, jitter=0.2)
_NOTHING_SENT = (httpx.ConnectError, httpx.ConnectTimeout)
_SPARE = 1.0  # seconds of the call in which no further try begins: it would end as "no answer in time"
_ELSE = "Check the endpoint and the proxy."
_OTHER = "Mend what it names, then run up again."


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

    Without an answer, on 429 and on 5xx the request is repeated until the deadline of `call`, after the time that the
    answer asks for; when that is longer than what is left, at once no more. `retry=False` is for a request that must
    not be carried out twice: it is repeated only where nothing was (no connection, 429).
    `what` answers, for the errors ("Vercel"); without it, the host of the URL. `remedy`: what to do, by status; the
    key 500 stands for all of 5xx. Raises StepError. An observation makes itself a Call with the deadline it wants.
    """
    who = what or httpx.URL(url).host
    asked = f"{method} {httpx.URL(url).path}"
    sent = {"headers": headers, "params": params, "json": json, "data": data, "files": files}

    def once() -> httpx.Response:
        response = _send(call, method, url, who, asked, retry, sent)
        status = response.status_code
        if status in expect:
            return response
        after = wire.asked_to_wait(response) if status == 429 or status >= 500 else None
        sentence = f"{_said(call, response, who, asked)} {_remedy(call, response, remedy or {}, after)}"
        if status == 429 or (status >= 500 and retry):
            raise _Again(sentence, after)
        raise StepError(sentence)

    retrying = Retrying(
        retry=retry_if_exception_type(_Again),
        wait=_wait,
        stop=stop_before_delay(call.left() - _SPARE),
        reraise=True,
    )
    try:
        return retrying(once)
    except _Again as error:
        raise StepError(str(error)) from None


def _send(
    call: Call, method: str, url: str, who: str, asked: str, retry: bool, sent: Mapping[str, Any]
) -> httpx.Response:
    left = call.left()
    if left <= 0:
        raise StepError(f"No time was left for {asked} at {who}. Run up again.")
    limits = httpx.Timeout(min(READ, left), connect=min(CONNECT, left))
    env, trust = not _is_loopback(httpx.URL(url).host), trusted(call.reach.ca)
    try:
        return wire.fetch(method, url, left, limits=limits, trust=trust, env=env, **sent)
    except httpx.RequestError as error:
        sentence, repeatable = _lost(error, who, asked)
        if repeatable and (retry or isinstance(error, _NOTHING_SENT)):
            raise _Again(sentence) from None
        raise StepError(sentence) from None


def _lost(error: httpx.RequestError, who: str, asked: str) -> tuple[str, bool]:
    """What became of a request that has no answer, and whether another try may end differently."""
    if isinstance(error, httpx.ConnectError) and "CERTIFICATE_VERIFY_FAILED" in str(error):
        why = str(error).partition("failed: ")[2].partition(" (_ssl")[0].rstrip(".") or "not trusted"
        return f"{who} showed a certificate that is not accepted, for {asked}: {why}. {_ELSE}", False
    if isinstance(error, httpx.ConnectTimeout):
        return f"{who} took no connection in time for {asked}. Check the network, then run up again.", True
    if isinstance(error, httpx.ConnectError):
        return f"There is no connection to {who} for {asked}. Check the network, then run up again.", True
    done = "" if asked.startswith("GET ") else " It may have acted all the same."
    if isinstance(error, httpx.TimeoutException):
        return f"{who} did not answer {asked} in time.{done} Run up again.", True
    if isinstance(error, wire.TooLong):
        size = f"more than {wire.MOST // 1_000_000} MB"
        return f"{who} answered {asked} with {size}: something else may answer there.{done} {_ELSE}", False
    if isinstance(error, httpx.DecodingError):
        return f"{who} answered {asked} with a body that cannot be unpacked.{done} Run up again.", True
    if isinstance(error, httpx.LocalProtocolError | httpx.UnsupportedProtocol):
        return f"{asked} could not be sent to {who}: its URL or a header is malformed. {_ELSE}", False
    return f"{who} broke off during {asked}.{done} Run up again.", True


def _said(call: Call, response: httpx.Response, who: str, asked: str) -> str:
    said = excerpt(call, response)
    return f"{who} answered {response.status_code} to {asked}" + (f": {said.rstrip('.')}." if said else ".")


def _remedy(call: Call, response: httpx.Response, remedies: Mapping[int, str], after: float | None) -> str:
    status = response.status_code
    if after is not None:
        return wire.come_back(after)
    if status == 429:
        return "Run up again in a minute."
    known = remedies.get(status) or (remedies.get(500) if status >= 500 else None)
    return known or (_OTHER if excerpt(call, response) else _ELSE)


def _wait(state: RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    if isinstance(error, _Again) and error.after is not None:
        return error.after
    return _BACKOFF(state)


def _is_loopback(host: str) -> bool:
    """Proxies of the environment are for the vendors, never for what runs on this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
