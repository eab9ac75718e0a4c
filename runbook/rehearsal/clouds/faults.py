"""Ways to make a stand-in cloud slow, refuse a call, or be down altogether, and to break one host in a known way."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


@dataclass(frozen=True)
class Answer:
    """An HTTP answer in place of the right one. Without `body` it is an error as the vendor words it; with a `body`
    and status 200 it is an answer that makes no sense. A Retry-After is one of the `headers`."""

    status: int = 503
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str | None = None


@dataclass(frozen=True)
class Hang:
    """No answer for so many seconds, then the connection ends."""

    seconds: float = 3600


@dataclass(frozen=True)
class Reset:
    """The connection is reset before a byte is answered."""


@dataclass(frozen=True)
class Swallowed:
    """It is answered well, and nothing was done."""


@dataclass(frozen=True)
class Lost:
    """It is done, and nobody learns of it: no answer for so many seconds, then the connection ends."""

    seconds: float = 3600


How = Answer | Hang | Reset | Swallowed | Lost


class Knob(StrEnum):
    """A known way to be broken, for one place: a host name, or for NEVER_READY the name of a Vercel project."""

    UNHEALTHY = "the health paths answer 503"
    WRONG_CERTIFICATE = "the certificate is for another name"
    EXPIRED_CERTIFICATE = "the certificate has expired"
    STALE_WORKER = "the service worker is one of another build"
    LOGIN_FAILS = "the login answers 500"
    WRONG_ISSUER = "tokens name another issuer"
    WRONG_KEY = "tokens name a key that is not published"
    WRONG_REDIRECT = "a login leads back to another address"
    NEVER_READY = "a build never becomes ready"


class CloudError(Exception):
    """The cloud refused a call; the text is the sentence its user sees. `how` is for HTTP."""

    def __init__(self, text: str, how: How | None = None) -> None:
        super().__init__(text)
        self.how = how or Answer()


@dataclass
class _Fault:
    cloud: str
    method: str
    kind: str
    name: str
    message: str
    times: int
    how: How | None

    def meets(self, cloud: str, method: str, kind: str, name: str) -> bool:
        same = self.cloud == cloud and self.method in ("", method) and self._same_kind(kind)
        return same and self.name in name

    def _same_kind(self, kind: str) -> bool:
        parts = map(re.escape, self.kind.split("…"))
        return not self.kind or re.fullmatch("[^/]+".join(parts), kind) is not None


class Faults:
    """What is to go wrong. One object is shared by all front ends of the clouds."""

    def __init__(self, delay: float = 0.0) -> None:
        self.delay = delay
        self.over = threading.Event()  # set when the clouds end: nothing hangs any longer
        self._lock = threading.Lock()
        self._faults: list[_Fault] = []
        self._down: dict[str, tuple[str, How | None]] = {}
        self._broken: set[tuple[str, Knob]] = set()

    def fail(
        self,
        cloud: str,
        *,
        method: str = "",
        kind: str = "",
        name: str = "",
        times: int = 1,
        message: str,
        how: How | None = None,
    ) -> None:
        """Make the next `times` calls fail that go to `cloud` and match everything given.

        Of the engine's calls `method` is Create, Read, Update, Delete, Invoke or Configure, `kind` a type token and
        `name` a part of the resource's URN. Of HTTP calls they are GET, POST and so on, the path with … for each
        part that varies, and a part of the path as it was asked; `cloud` may be a host name. What is left out
        matches everything. `how` a call goes wrong: when it is not given HTTP answers 503. Of the engine's calls
        Create, Update and Delete can be Lost, and the last two Swallowed; whatever else `how` says they fail with
        the message.
        """
        with self._lock:
            self._faults.append(_Fault(cloud, method, kind, name, message, times, how))

    def due(self) -> int:
        """How many calls are still to fail."""
        with self._lock:
            return sum(fault.times for fault in self._faults)

    def down(self, cloud: str, message: str = "503 Service Unavailable", how: How | None = None) -> None:
        """Every call over the network to this cloud, or to this host, fails until `up`."""
        with self._lock:
            self._down[cloud] = (message, how)

    def up(self, cloud: str) -> None:
        with self._lock:
            self._down.pop(cloud, None)

    def meet(self, cloud: str, method: str, kind: str, name: str) -> None:
        """Called for each call over the network: waits `delay` seconds, then raises CloudError if one is due.

        A front end that speaks HTTP gives the path of its rule as `kind`, whatever stands there for a part that
        varies, and the path as asked as `name`; `net/broken.py` does what the error's `how` says.
        """
        time.sleep(self.delay)
        with self._lock:
            if cloud in self._down:
                message, how = self._down[cloud]
                raise CloudError(f"{cloud}: {message}", how)
            for fault in self._faults:
                if fault.times > 0 and fault.meets(cloud, method, kind, name):
                    fault.times -= 1
                    raise CloudError(f"{cloud}: {fault.message}", fault.how)

    def turn(self, knob: Knob, place: str) -> None:
        """Break this place in this way until `turn_back`."""
        with self._lock:
            self._broken.add((place, knob))

    def turn_back(self, knob: Knob, place: str) -> None:
        with self._lock:
            self._broken.discard((place, knob))

    def turned(self, knob: Knob, place: str) -> bool:
        with self._lock:
            return (place, knob) in self._broken
