"""A small server that answers like Prometheus' and Loki's query APIs, and what a test says it holds."""

from __future__ import annotations

import base64
import gzip
import json
import ssl
import threading
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

USER, TOKEN = "100001", "glc_made_up_token"
# Paths of the two APIs: https://prometheus.io/docs/prometheus/latest/querying/api/ and
# https://grafana.com/docs/loki/latest/reference/loki-http-api/.
PATHS = {"/api/prom/api/v1/query": "prometheus", "/loki/api/v1/query": "loki"}
Holds = Callable[[str, str], Any]


@dataclass
class Stores:
    """`holds`: which store and query to what it gives: a number, None for an empty result, "NaN", or (status, body).
    `asked`: what was."""

    port: int
    holds: Holds = lambda store, query: 1.0
    asked: list[tuple[str, str]] = field(default_factory=list)
    drip: float = 0.0  # seconds between the bytes of an answer

    @property
    def prometheus(self) -> str:
        return f"http://127.0.0.1:{self.port}/api/prom"

    @property
    def loki(self) -> str:
        return f"http://127.0.0.1:{self.port}"


def _body(store: str, given: Any) -> tuple[int, bytes]:
    if isinstance(given, tuple):
        return given[0], given[1].encode()
    samples = [] if given is None else [{"metric": {}, "value": [time.time(), str(given)]}]
    data: dict[str, Any] = {"resultType": "vector", "result": samples}
    if store == "loki":
        data["stats"] = {}
    return 200, json.dumps({"status": "success", "data": data}).encode()


@contextmanager
def stores(
    holds: Holds | None = None, tls: ssl.SSLContext | None = None, tokens: Collection[str] = (TOKEN,)
) -> Iterator[Stores]:
    """Running on loopback for the length of a with block; over HTTPS where there is a certificate."""
    found = Stores(0)
    if holds:
        found.holds = holds

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            given = self.rfile.read(int(self.headers["content-length"])).decode()
            store = PATHS.get(self.path)
            wanted = ["Basic " + base64.b64encode(f"{USER}:{token}".encode()).decode() for token in tokens]
            if store is None:
                status, body = 404, b"404 page not found"
            elif self.headers.get("authorization") not in wanted:
                status, body = 401, b'{"status":"error","error":"authentication error: invalid token"}'
            else:
                query = parse_qs(given)["query"][0]
                found.asked.append((store, query))
                status, body = _body(store, found.holds(store, query))
            self.send_response(status)
            if "gzip" in self.headers.get("accept-encoding", ""):  # as Grafana's cloud does
                body = gzip.compress(body)
                self.send_header("content-encoding", "gzip")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            for byte in body if found.drip else ():
                self.wfile.write(bytes([byte]))
                time.sleep(found.drip)
            if not found.drip:
                self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.handle_error = lambda *_: None  # type: ignore[method-assign]  # a client that hangs up is no news
    server.daemon_threads = True
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    found.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
