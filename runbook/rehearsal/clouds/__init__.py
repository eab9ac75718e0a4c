"""Stand-ins for Cloudflare, Vercel and Grafana that the real engine talks to as it talks to provider plugins.

with Clouds(path_to_store, zones=["ibimina.rw"]) as clouds:
    subprocess.run(["pulumi", "up"], env=os.environ | clouds.env())
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent import futures
from pathlib import Path
from types import TracebackType

import grpc
from pulumi.runtime.proto import provider_pb2_grpc

from runbook.rehearsal.clouds import cloudflare, grafana, vercel
from runbook.rehearsal.clouds.behaviours import UNVERIFIED
from runbook.rehearsal.clouds.faults import CloudError, Faults
from runbook.rehearsal.clouds.server import Provider, Table
from runbook.rehearsal.clouds.shapes import always_there, shape_of
from runbook.rehearsal.clouds.store import Held, Store

__all__ = ["CloudError", "Clouds", "Faults", "Held", "Store", "stand_ins"]

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
    """All three stand-ins over one store, served on the loopback from threads of the calling process.

    `zones` are the DNS zones that the account already has; `delay` is how many seconds each call over the network
    takes. What goes wrong is set on `faults`, what the clouds hold is read and changed by hand on `store`.
    """

    def __init__(self, store_path: Path, zones: Sequence[str] = (), delay: float = 0.0) -> None:
        self.store = Store(store_path)
        self.faults = Faults(delay)
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
        for server in self._servers:
            server.stop(grace=1).wait()
        self.store.close()

    def env(self) -> dict[str, str]:
        """What the engine's environment needs so that it attaches to the stand-ins and downloads no plugin."""
        return {
            "PULUMI_DEBUG_PROVIDERS": ",".join(f"{cloud}:{port}" for cloud, port in self._ports.items()),
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        }
