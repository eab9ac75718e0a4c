"""Ways to make a stand-in cloud slow, refuse a call, or be down altogether."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass


class CloudError(Exception):
    """The cloud refused a call; the text is the sentence its user sees."""


@dataclass
class _Fault:
    cloud: str
    method: str
    kind: str
    name: str
    message: str
    times: int

    def meets(self, cloud: str, method: str, kind: str, name: str) -> bool:
        same = self.cloud == cloud and self.method in ("", method) and self.kind in ("", kind)
        return same and self.name in name


class Faults:
    """What is to go wrong. One object is shared by all front ends of the clouds."""

    def __init__(self, delay: float = 0.0) -> None:
        self.delay = delay
        self._lock = threading.Lock()
        self._faults: list[_Fault] = []
        self._down: dict[str, str] = {}

    def fail(
        self, cloud: str, *, method: str = "", kind: str = "", name: str = "", times: int = 1, message: str
    ) -> None:
        """Make the next `times` calls fail that go to `cloud` and match everything given.

        `method` is Create, Read, Update, Delete, Invoke or Configure; `kind` a type token; `name` a part of the
        resource's URN. What is left out matches everything.
        """
        with self._lock:
            self._faults.append(_Fault(cloud, method, kind, name, message, times))

    def down(self, cloud: str, message: str = "503 Service Unavailable") -> None:
        """Every call over the network to this cloud fails until `up`."""
        with self._lock:
            self._down[cloud] = message

    def up(self, cloud: str) -> None:
        with self._lock:
            self._down.pop(cloud, None)

    def meet(self, cloud: str, method: str, kind: str, name: str) -> None:
        """Called for each call over the network: waits `delay` seconds, then raises CloudError if one is due."""
        time.sleep(self.delay)
        with self._lock:
            if cloud in self._down:
                raise CloudError(f"{cloud}: {self._down[cloud]}")
            for fault in self._faults:
                if fault.times > 0 and fault.meets(cloud, method, kind, name):
                    fault.times -= 1
                    raise CloudError(f"{cloud}: {fault.message}")
