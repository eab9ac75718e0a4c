"""The emitted LogQL on a real Loki, with lines as the log drains write them.

One process on loopback for one run. Each scenario has a tenant of its own, so none sees another's lines.
"""

from __future__ import annotations

import http.client
import json
import re
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import yaml

from runbook.proving.emitted import Emitted
from runbook.proving.scenario import Broken, Line, Lines, QueryFailed, Scenario

SECOND = 10**9  # Loki's time is in nanoseconds
_AT_ONCE = 5000  # lines per push: Loki's own gRPC takes 4 MB
_START_SECONDS = 60
_KEEP = "168h"  # longer than any window


class NotStarted(RuntimeError):
    """Loki does not come up; the text says why."""


@dataclass
class Loki:
    """A running Loki. `now`: the moment, in nanoseconds, that ages of lines count from and queries look at."""

    port: int
    now: int = field(default_factory=lambda: int(time.time()) * SECOND)
    _tenants: dict[tuple[str, str], str] = field(default_factory=dict)

    def value(self, rule: Emitted, scenario: Scenario) -> float | None:
        """The number that the rule's query returns on the scenario's lines; None when it returns nothing.

        Raises: QueryFailed
        """
        if isinstance(scenario.data, Broken):
            return self._ask(rule.expression, None)  # Loki refuses who says not which tenant they are
        return self._ask(rule.expression, self._tenant(scenario))

    def _tenant(self, scenario: Scenario) -> str:
        """The tenant that holds the scenario's lines, which are pushed the first time they are asked for."""
        if not isinstance(scenario.data, Lines):
            raise TypeError(f"Scenario {scenario.title!r} has no lines for Loki.")
        key = (scenario.rule, scenario.title)
        if key not in self._tenants:
            tenant = f"scenario-{len(self._tenants)}"
            self._push(tenant, scenario.data.lines)
            self._check(tenant, scenario.data.lines)
            self._tenants[key] = tenant
        return self._tenants[key]

    def _push(self, tenant: str, lines: tuple[Line, ...]) -> None:
        entries = [
            (line.labels, [str(self._at(line)), _text(line, number, self._at(line))])
            # Oldest first: Loki refuses lines much older than the newest of their stream.
            for line in sorted(lines, key=lambda line: -line.age)
            for number in range(line.count)
        ]
        for start in range(0, len(entries), _AT_ONCE):
            some = entries[start : start + _AT_ONCE]
            streams: dict[str, list[list[str]]] = {}
            for labels, entry in some:
                streams.setdefault(json.dumps(dict(labels)), []).append(entry)
            body = [{"stream": json.loads(labels), "values": values} for labels, values in streams.items()]
            self._send("POST", "/loki/api/v1/push", tenant, json.dumps({"streams": body}))

    def _check(self, tenant: str, lines: tuple[Line, ...]) -> None:
        """That every line can be found again: a Loki that has put lines away would prove the wrong thing."""
        window = max((line.age for line in lines), default=timedelta()) // timedelta(seconds=1) + 1
        for labels in {tuple(sorted(line.labels.items())) for line in lines}:
            pushed = sum(line.count for line in lines if dict(labels).items() <= line.labels.items())
            selector = "{" + ",".join(f'{name}="{value}"' for name, value in labels) + "}"
            found = self._ask(f"sum(count_over_time({selector} [{window}s]))", tenant)
            if found != pushed:
                raise QueryFailed(f"Loki holds {found} of the {pushed} lines pushed to {selector}.")

    def _at(self, line: Line) -> int:
        return self.now - line.age // timedelta(microseconds=1) * 1000

    def _ask(self, expression: str, tenant: str | None) -> float | None:
        query = urlencode({"query": expression, "time": self.now})
        answer = json.loads(self._send("GET", f"/loki/api/v1/query?{query}", tenant))["data"]
        if answer["resultType"] != "vector":
            raise QueryFailed(f"Loki returns a {answer['resultType']}; Grafana alerts on metric queries only.")
        samples = answer["result"]
        if len(samples) > 1:
            raise QueryFailed(f"Loki returns {len(samples)} series; wanted is one.")
        return float(samples[0]["value"][1]) if samples else None

    def _send(self, method: str, path: str, tenant: str | None, body: str | None = None) -> str:
        headers = {"Content-Type": "application/json"} | ({"X-Scope-OrgID": tenant} if tenant else {})
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            text = response.read().decode()
        finally:
            connection.close()
        if response.status >= 300:
            raise QueryFailed(f"Loki refuses the query: {text.strip()}")
        return text


def _text(line: Line, number: int, at: int) -> str:
    """A line as the drain writes it: JSON with the request's context, so no two are the same; else plain text."""
    if not line.fields:
        return f"request {number} took 12 ms"
    moment = datetime.fromtimestamp(at / SECOND, UTC).isoformat()
    context = {"request_id": f"{number:032x}", "user_id": None}
    return json.dumps({"timestamp": moment, **line.fields, "context": context})


@contextmanager
def running(program: Path) -> Iterator[Loki]:
    """Loki for the length of a with block. Raises: NotStarted."""
    with tempfile.TemporaryDirectory(prefix="loki-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        port, grpc = _free_ports(2)
        config, log = folder / "loki.yaml", folder / "log"
        config.write_text(yaml.safe_dump(configuration(folder, port, grpc)), encoding="utf-8")
        with log.open("wb") as output:
            command = [str(program), f"-config.file={config}", "-target=all"]
            process = subprocess.Popen(command, stdout=output, stderr=output, cwd=folder)
        try:
            _wait(process, port, log)
            yield Loki(port)
        finally:
            process.terminate()
            process.wait()


def configuration(folder: Path, port: int, grpc: int) -> Mapping[str, Any]:
    """Everything in memory and on loopback. Limits of queries are Loki's own, as a hosted Loki has them."""
    loopback = "127.0.0.1"
    return {
        "auth_enabled": True,
        "analytics": {"reporting_enabled": False},
        "server": {
            "http_listen_address": loopback,
            "http_listen_port": port,
            "grpc_listen_address": loopback,
            "grpc_listen_port": grpc,
            "log_level": "warn",
        },
        "common": {
            "path_prefix": str(folder),
            "instance_addr": loopback,
            "replication_factor": 1,
            "ring": {"kvstore": {"store": "inmemory"}},
            "storage": {"filesystem": {"chunks_directory": f"{folder}/chunks", "rules_directory": f"{folder}/rules"}},
        },
        "schema_config": {
            "configs": [
                {
                    "from": "2020-01-01",
                    "store": "tsdb",
                    "object_store": "filesystem",
                    "schema": "v13",
                    "index": {"prefix": "index_", "period": "24h"},
                }
            ]
        },
        # Lines stay with the ingester: what it has put away is found again only minutes later.
        "ingester": {
            "max_chunk_age": _KEEP,
            "chunk_idle_period": _KEEP,
            "chunk_target_size": 100 * 2**20,
            "flush_check_period": "24h",
            "wal": {"enabled": False},
            "lifecycler": {"min_ready_duration": "0s", "final_sleep": "0s"},
        },
        "querier": {"query_ingesters_within": "0s"},
        # Found through the scheduler's ring instead, the queriers would be ready 10 s later.
        "frontend_worker": {"frontend_address": f"{loopback}:{grpc}"},
        "query_range": {"cache_results": False},
        "pattern_ingester": {"enabled": False},
        "limits_config": {
            "reject_old_samples": False,
            "ingestion_rate_mb": 1000,
            "ingestion_burst_size_mb": 1000,
            "per_stream_rate_limit": "1GB",
            "per_stream_rate_limit_burst": "1GB",
        },
    }


def _free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    until = time.monotonic() + _START_SECONDS
    while not _ready(port):
        if process.poll() is not None or time.monotonic() > until:
            said = re.findall(r'level=error .*err="((?:[^"\\]|\\[^n])*)', log.read_text(errors="replace"))
            why = said[-1] if said else "it said nothing"
            raise NotStarted(f"Loki did not start: {why}. Run the same command again: a port may have been taken.")
        time.sleep(0.05)


def _ready(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/ready")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()
