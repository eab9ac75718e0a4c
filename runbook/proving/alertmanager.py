"""A real Alertmanager: amtool on its configuration, and the live process with a receiver on loopback that records."""

from __future__ import annotations

import http.client
import json
import os
import re
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import yaml

from runbook.model.policies import UID_LABEL
from runbook.proving.routing import KINDS, WORLD, World, alerts, configuration, contacts

START_SECONDS, ARRIVE_SECONDS, SETTLE_SECONDS = 30, 20, 3
_KIND = {"DatasourceNoData": KINDS[1], "DatasourceError": KINDS[2]}

# Contacts that an alert reached, by world, rule's uid and kind of alert.
Arrivals = dict[tuple[str, str, str], set[str]]


class AlertmanagerFailed(Exception):
    """Alertmanager or amtool refuses what it was given, or does not come up; the text says why."""


def routed(amtool: Path, world: World) -> Arrivals:
    """Where amtool says each alert goes, muting left aside. Raises: AlertmanagerFailed."""
    with tempfile.TemporaryDirectory(prefix="amtool-") as folder:
        config = _written(Path(folder), [world], "http://127.0.0.1")
        receivers = {receiver["name"]: receiver for receiver in configuration([world], "")["receivers"]}
        known = contacts(world)

        def ask(labels: Mapping[str, str]) -> set[str]:
            said = _amtool(amtool, "config", "routes", "test", f"--config.file={config}", *_pairs(labels)).strip()
            calls = receivers[said].get("webhook_configs", []) if said in receivers else []
            return {known[int(call["url"].rpartition("/")[2])] for call in calls}

        _amtool(amtool, "check-config", str(config))
        every = list(alerts(world))
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            found = pool.map(ask, [labels for _, _, labels in every])
        return {(world.name, rule.uid, kind): at for (rule, kind, _), at in zip(every, found, strict=True)}


def _amtool(amtool: Path, *arguments: str) -> str:
    done = subprocess.run([str(amtool), *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise AlertmanagerFailed(f"amtool {arguments[0]}: {done.stdout.strip()} {done.stderr.strip()}")
    return done.stdout


def _pairs(labels: Mapping[str, str]) -> list[str]:
    return [f'{name}="{value}"' for name, value in labels.items()]


def delivered(alertmanager: Path, worlds: Sequence[World], least: Arrivals) -> Arrivals:
    """What arrives at each contact when every alert of every world fires at once. Waits until at least what is in
    `least` has arrived, and as long again as that for what should not. Raises: AlertmanagerFailed."""
    with tempfile.TemporaryDirectory(prefix="alertmanager-") as name, _receiver(worlds) as (url, arrived):
        folder = Path(name)
        config = _written(folder, worlds, url)
        with _running(alertmanager, folder, config) as port:
            _post(port, worlds)
            until = time.monotonic() + ARRIVE_SECONDS
            while time.monotonic() < until and not _has(arrived, least):
                time.sleep(0.05)
            time.sleep(SETTLE_SECONDS)
        return {key: set(reached) for key, reached in arrived.items()}


def _has(arrived: Arrivals, least: Arrivals) -> bool:
    return all(reached <= arrived.get(key, set()) for key, reached in least.items())


def _written(folder: Path, worlds: Sequence[World], url: str) -> Path:
    config = folder / "alertmanager.yml"
    config.write_text(yaml.safe_dump(configuration(worlds, url)), encoding="utf-8")
    return config


class _Server(ThreadingHTTPServer):
    request_queue_size = 1024  # all groups call at the same moment


@contextmanager
def _receiver(worlds: Sequence[World]) -> Iterator[tuple[str, Arrivals]]:
    """The local receiver's URL, and what it has recorded so far."""
    arrived: Arrivals = {}
    known = [contacts(world) for world in worlds]
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            _, world, contact = self.path.split("/")
            with lock:
                for alert in body["alerts"]:
                    labels = alert["labels"]
                    key = (labels[WORLD], labels[UID_LABEL], _KIND.get(labels["alertname"], KINDS[0]))
                    arrived.setdefault(key, set()).add(known[int(world)][int(contact)])
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = _Server(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", arrived
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def _running(program: Path, folder: Path, config: Path) -> Iterator[int]:
    """The port of a running Alertmanager of one."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    log = folder / "log"
    command = [f"{program}", f"--config.file={config}", f"--storage.path={folder}/data", "--cluster.listen-address="]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*command, f"--web.listen-address=127.0.0.1:{port}"], stdout=output, stderr=output, cwd=folder
        )
    try:
        until = time.monotonic() + START_SECONDS
        while not _ready(port):
            if process.poll() is not None or time.monotonic() > until:
                said = re.findall(r'\berr="((?:[^"\\]|\\.)*)"', log.read_text(errors="replace"))
                raise AlertmanagerFailed(f"Alertmanager did not start: {said[-1] if said else 'it said nothing'}")
            time.sleep(0.05)
        yield port
    finally:
        process.terminate()
        process.wait()


def _ready(port: int) -> bool:
    try:
        return _request(port, "GET", "/-/ready") == 200
    except OSError:
        return False


def _post(port: int, worlds: Sequence[World]) -> None:
    now = datetime.now(UTC)
    times = {"startsAt": now.isoformat(), "endsAt": (now + timedelta(hours=1)).isoformat()}
    body = [{"labels": labels, **times} for world in worlds for _, _, labels in alerts(world)]
    status = _request(port, "POST", "/api/v2/alerts", json.dumps(body))
    if status != 200:
        raise AlertmanagerFailed(f"Alertmanager answers {status} to the alerts.")


def _request(port: int, method: str, path: str, body: str | None = None) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request(method, path, body, {"Content-Type": "application/json"})
        return connection.getresponse().status
    finally:
        connection.close()
