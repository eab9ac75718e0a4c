"""One request over HTTP, held to a time and a size, and what its answer asks those to do who come again."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from runbook.steps.together import together

MOST = 10_000_000  # bytes of an answer, unpacked: the longest that is read is a service worker
_LONGEST = 86_400.0  # seconds: whoever asks to wait for more than a day is not taken at his word


class TooLong(httpx.TransportError):
    """There is more of the answer than anyone reads."""


def fetch(
    method: str,
    url: str,
    seconds: float,
    *,
    limits: httpx.Timeout,
    trust: ssl.SSLContext | bool,
    env: bool,
    **rest: Any,
) -> httpx.Response:
    """The whole answer, in at most so many seconds from the look-up of the host to the last byte; `limits` hold for
    each read and write on their own. `env`: whether the proxies of the environment are used; `rest` is httpx's own.
    Redirects are not followed, so no token goes to another host. Over TLS the extension `certificate` is the one that
    was verified, as ssl's getpeercert gives it. Raises: httpx.RequestError."""

    def work() -> httpx.Response:
        with (
            httpx.Client(verify=trust, timeout=limits, trust_env=env) as client,
            client.stream(method, url, **rest) as answer,
        ):
            secured = answer.extensions["network_stream"].get_extra_info("ssl_object")
            shown = {"certificate": secured.getpeercert()} if secured else {}
            body = bytearray()
            for part in answer.iter_bytes():
                body += part
                if len(body) > MOST:
                    raise TooLong("", request=answer.request)
            answer.headers.pop("content-encoding", None)  # the body is unpacked
            return httpx.Response(
                answer.status_code,
                headers=answer.headers,
                content=bytes(body),
                request=answer.request,
                extensions=shown,
            )

    done = together({"request": work}, seconds)["request"]
    if isinstance(done, TimeoutError):
        raise httpx.ReadTimeout("nothing whole in time") from done
    if isinstance(done, Exception):
        raise done
    return done


def asked_to_wait(answer: httpx.Response) -> float | None:
    """Seconds of Retry-After: a number, or an HTTP date, which counts from the server's own Date, since clocks differ
    (RFC 9110, 10.2.3)."""
    given = answer.headers.get("retry-after", "").strip()
    if given.isdecimal():
        return min(float(given), _LONGEST)
    until = _date(given)
    if until is None:
        return None
    wait = until - (_date(answer.headers.get("date", "")) or datetime.now(UTC))
    return min(max(0.0, wait.total_seconds()), _LONGEST)


def come_back(after: float) -> str:
    """When to try again, for people."""
    when = datetime.now(UTC) + timedelta(seconds=after)
    return f"It asks to wait {after:.0f} s: run up again after {when:%H:%M:%S} UTC."


def _date(text: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
