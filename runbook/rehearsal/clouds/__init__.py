"""Stand-ins for Cloudflare, Vercel and Grafana that the real engine talks to as it talks to provider plugins, and for
what the program's steps and people's clients talk to: the vendors' HTTP, DNS, and hosts behind TLS.

with Clouds(path_to_store, zones=["ibimina.rw"]) as clouds:
    subprocess.run(["pulumi", "up"], env=os.environ | clouds.env())
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent import futures
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import grpc
from pulumi.runtime.proto import provider_pb2_grpc

from runbook.rehearsal.clouds import cloudflare, grafana, vercel
from runbook.rehearsal.clouds.behaviours import UNVERIFIED
from runbook.rehearsal.clouds.faults import CloudError, Faults
from runbook.rehearsal.clouds.net.clock import Clock
from runbook.rehearsal.clouds.server import Provider, Table
from runbook.rehearsal.clouds.shapes import always_there, shape_of
from runbook.rehearsal.clouds.store import Held, Store
from runbook.steps.reach import Reach

if TYPE_CHECKING:
    from runbook.rehearsal.clouds.world import World

__all__ = ["Clock", "CloudError", "Clouds", "Faults", "Held", "Store", "stand_ins"]

_TABLES: dict[str, Table] = {"cloudflare": cloudflare, "vercel": vercel, "grafana": grafana}


def stand_ins() -> list[dict[str, str | int]]:
    """For a report: each stand-in with how many facts it rests on, and how many of these nobody has seen.

    An output that the SDK promises and no row knows is such a fact too: it is given the neutral value of its type.
    """
    report: list[dict[str, str | int]] = []
    for cloud, table in _TABLES.items():
        told = {(row.kind, row.property) for row in table.ROWS}
        kinds = {row.kind for row in table.ROWS}
        outputs = {(kind, name) for kind in kinds for name in always_there(kind).keys() - shape_of(kind).required}
        neutral = len(outputs - told)
        unverified = sum(row.source == UNVERIFIED for row in table.ROWS) + neutral
        what = f"the {cloud} provider plugin and the service behind it"
        facts = len(table.ROWS) + neutral
        report.append({"name": cloud, "stands_in_for": what, "facts": facts, "unverified": unverified})
    return report


def _derive_shapes() -> None:
    for cloud, table in _TABLES.items():
        for token in (cloud, *{row.kind for row in table.ROWS}):
            shape_of(token)


class Clouds:
    """All stand-ins over one store, served on the loopback from threads of the calling process.

    `zones` are the DNS zones that the account already has; `delay` is how many seconds each call over the network
    takes. What goes wrong is set on `faults`, what the clouds hold is read and changed by hand on `store`, and what
    time it is on `clock`. HTTP, DNS and hosts start when they are first asked for.
    """

    def __init__(self, store_path: Path, zones: Sequence[str] = (), delay: float = 0.0) -> None:
        self.store = Store(store_path)
        self.faults = Faults(delay)
        self.clock = Clock(self.store)
        self._path = store_path
        self._lock = threading.Lock()
        self._world: World | None = None
        self._servers: list[grpc.Server] = []
        self._ports: dict[str, int] = {}
        for zone in zones:
            cloudflare.add_zone(self.store, zone)

    def __enter__(self) -> Clouds:
        # The SDKs take seconds to import; the engine and the program need longer until they ask for a check.
        threading.Thread(target=_derive_shapes, daemon=True).start()
        for cloud, table in _TABLES.items():
            server = grpc.server(futures.ThreadPoolExecutor(16))
            provider = Provider(cloud, table, self.store, self.faults)
            provider_pb2_grpc.add_ResourceProviderServicer_to_server(provider, server)
            self._ports[cloud] = server.add_insecure_port("127.0.0.1:0")
            server.start()
            self._servers.append(server)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.faults.over.set()
        for server in self._servers:
            server.stop(grace=1).wait()
        if self._world:
            self._world.close()
        self.store.close()

    def env(self) -> dict[str, str]:
        """What the engine's environment needs so that it attaches to the stand-ins and downloads no plugin."""
        return {
            "PULUMI_DEBUG_PROVIDERS": ",".join(f"{cloud}:{port}" for cloud, port in self._ports.items()),
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        }

    @property
    def world(self) -> World:
        """What there is beside the engine's protocol. Raises OSError when no port is free."""
        from runbook.rehearsal.clouds.world import World  # half a second that not every use of the clouds needs

        with self._lock:
            if self._world is None:
                self._world = World(self.store, self.faults, self.clock, self._path.with_suffix(".ca.pem"))
            return self._world

    def reach(self) -> Reach:
        """Where steps and observations find everything."""
        return self.world.reach()

    def endpoints(self) -> dict[str, Any]:
        """The same, as the section `endpoints` of a stack's config."""
        return self.world.endpoints()

    def client_view(self, host: str, path: str) -> dict[str, Any]:
        """What a client observes at a host; `path` is its health path. See `net/client.py`."""
        return self.world.client_view(host, path)
