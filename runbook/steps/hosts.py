"""Requests to the hosts that people reach: each at an address that is known, with its certificate verified."""

from __future__ import annotations

import random
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from runbook.steps import names, wire
from runbook.steps.call import Call, StepError
from runbook.steps.certificates import refusal, trusted

CONNECT, WHOLE = 5.0, 10.0  # seconds: to be connected, and for one try from its beginning to its end
TRIES = 3
_LOOK = "Look at that host and run up again."
_PASSING = frozenset({429, 500, 502, 503, 504})  # what may be over a moment later


@dataclass(frozen=True)
class Place:
    """Where a request goes: the host it is for, and the address and port it is sent to."""

    host: str
    address: str
    port: int
    scheme: str = "https"

    def url(self, path: str) -> str:
        literal = f"[{self.address}]" if ":" in self.address else self.address
        return f"{self.scheme}://{literal}:{self.port}{path}"

    def __str__(self) -> str:
        return self.host if self.host == self.address else f"{self.host} at {self.address}"


def get(
    call: Call,
    host: str,
    path: str,
    *,
    address: str | None = None,
    headers: Mapping[str, str] | None = None,
    expect: Collection[int] = (200,),
) -> httpx.Response:
    """The answer to GET https://{host}{path}; redirects are not followed. Errors: StepError.

    It is asked at `address` when given, else at what the resolver says, with the host's name either way.
    """
    return send(call, "GET", host, path, address=address, headers=headers, expect=expect)


def send(
    call: Call,
    method: str,
    host: str,
    path: str,
    *,
    address: str | None = None,
    headers: Mapping[str, str] | None = None,
    json: Any = None,
    expect: Collection[int] = (200,),
) -> httpx.Response:
    """As `get`, with any method. It may be sent more than once."""
    found = (address,) if address else names.addresses(call.reach, host, _seconds(call, WHOLE))
    places = [Place(host, one, call.reach.https_port) for one in found]
    return at(call, places, method, path, headers=headers, json=json, expect=expect)


def at(
    call: Call,
    places: Sequence[Place],
    method: str,
    path: str,
    *,
    headers: Mapping[str, str] | None = None,
    json: Any = None,
    expect: Collection[int] = (200,),
    told: str | None = None,
) -> httpx.Response:
    """The answer of the first place, or of the next one when a try failed for what may be over a moment later.

    `told`: how errors call the path, when it may hold a token. Of a query, which may too, they never speak.
    """
    asked = f"{method} {told or path.partition('?')[0]}"
    for number in range(TRIES):
        place = places[number % len(places)]
        last = number == TRIES - 1
        if not call.left():
            raise StepError(f"No time was left for {asked} at {place.host}. Run up again.")
        limit = _seconds(call, WHOLE)
        try:
            answer = _once(call, place, method, path, headers or {}, json, limit)
        except httpx.RequestError as error:
            final = refusal(call.reach, place.host, place.address, place.port, _seconds(call, CONNECT), error)
            wait = _backoff(number)
            if final or last or isinstance(error, wire.TooLong) or call.left() < wait + 1:
                raise StepError(final or _unreached(place, asked, limit, error)) from error
        else:
            if answer.status_code in expect:
                return answer
            wait = wire.asked_to_wait(answer) or _backoff(number)
            if answer.status_code not in _PASSING or last or call.left() < wait + 1:
                raise StepError(_wrong_status(place, asked, answer, expect))
        time.sleep(wait)
    raise AssertionError("the last try returns or raises")


def _once(
    call: Call, place: Place, method: str, path: str, headers: Mapping[str, str], json: Any, limit: float
) -> httpx.Response:
    """One request, at most `limit` seconds. Raises httpx.RequestError."""
    return wire.fetch(
        method,
        place.url(path),
        limit,
        limits=httpx.Timeout(limit, connect=min(CONNECT, limit)),
        trust=trusted(call.reach.ca) if place.scheme == "https" else False,
        env=False,  # without the environment's proxies: what is asked is this very address
        headers={"host": place.host, "accept-encoding": "identity", **headers},
        json=json,
        extensions={"sni_hostname": place.host},
    )


def _seconds(call: Call, most: float) -> float:
    """A time limit inside the step's own. Never 0, which sockets take for no waiting at all."""
    return max(0.1, min(most, call.left()))


def _backoff(number: int) -> float:
    return random.uniform(0.25, 0.5) * float(2**number)  # jitter: several gates ask one host


def _unreached(place: Place, asked: str, limit: float, error: httpx.RequestError) -> str:
    where = f"{place}:{place.port}"
    if isinstance(error, httpx.ConnectTimeout):
        what = f"{where} accepted no connection within {min(CONNECT, limit):.3g} s"
    elif isinstance(error, httpx.TimeoutException):
        what = f"{where} did not answer {asked} within {limit:.3g} s"
    elif isinstance(error, wire.TooLong):
        what = f"{where} answered {asked} with more than {wire.MOST // 1_000_000} MB"
    elif isinstance(error, httpx.DecodingError):
        what = f"{where} answered {asked} with a body that cannot be unpacked"
    elif isinstance(_first(error), ConnectionRefusedError):
        what = f"{where} refused the connection: nothing listens there"
    elif isinstance(error, httpx.ConnectError):
        what = f"{where} cannot be connected to ({error})"
    else:
        what = f"{where} broke the connection off instead of answering {asked}"
    return f"{what}. {_LOOK}"


def _first(error: BaseException) -> BaseException:
    while inner := error.__cause__ or error.__context__:
        error = inner
    return error


def _wrong_status(place: Place, asked: str, answer: httpx.Response, expect: Collection[int]) -> str:
    good = [one for one in expect if one < 400]  # the others are told in better words by who expects them
    wanted = "less than 500" if isinstance(expect, range) else " or ".join(str(one) for one in good)
    what = f"{place} answered {answer.status_code} to {asked}; expected {wanted}."
    if answer.has_redirect_location:
        what += f" It redirects to {leads_to(answer, f'{place.scheme}://{place.host}').host}."
    wait = wire.asked_to_wait(answer)
    return f"{what} {_LOOK if wait is None else wire.come_back(wait)}"


def leads_to(answer: httpx.Response, asked: str) -> httpx.URL:
    """Where the answer to what was asked redirects; httpx passes on no location that is no URL."""
    return httpx.URL(asked).join(answer.headers.get("location", ""))
