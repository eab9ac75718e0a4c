"""One loopback address for each target that DNS names, so that where a client connects says which target it chose."""

from __future__ import annotations

import threading
from collections.abc import Callable

from runbook.rehearsal.clouds.faults import CloudError

_MOST = 52 * 254  # 127.0.1.1 to 127.0.52.254: the name servers stand above


class Addresses:
    """Gives addresses out, the same one for the same target. `bound(address)` makes the hosts answer there, and is
    false when somebody else's socket is in the way: then the next address is taken."""

    def __init__(self, bound: Callable[[str], bool]) -> None:
        self._bound = bound
        self._lock = threading.Lock()
        self._given: dict[str, str] = {}
        self._next = 0

    def of(self, target: str) -> str:
        """The address of a target, which is a name or an address somewhere in the world.

        Raises CloudError when no address of the loopback can be had.
        """
        if target.startswith("127."):
            return target
        with self._lock:
            while target not in self._given:
                address = self._one()
                if self._bound(address):
                    self._given[target] = address
            return self._given[target]

    def target(self, address: str) -> str:
        """The target that an address stands for, "" when it was not given out."""
        with self._lock:
            return next((target for target, given in self._given.items() if given == address), "")

    def _one(self) -> str:
        if self._next >= _MOST:
            raise CloudError("Every loopback address of the stand-in internet is given out or taken.")
        high, low = divmod(self._next, 254)
        self._next += 1
        return f"127.0.{high + 1}.{low + 1}"
