"""An HTTP server on the loopback that answers what a test wrote down, in order, and otherwise misbehaves."""

from __future__ import annotations

import json
import socket
import struct
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


@dataclass(frozen=True)
class Reply:
    """`body`: bytes as they are, everything else as JSON. `echo`: the request's headers and body are the message."""

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    hang: bool = False
    reset: bool = False
    trickle: bool = False
    echo: bool = False


HANG, RESET, TRICKLE = Reply(hang=True), Reply(reset=True), Reply(trickle=True)


@dataclass(frozen=True)
class Asked:
    """One request as it arrived."""

    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    raw: bytes

    @property
    def route(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def json(self) -> Any:
        return json.loads(self.raw)


class Server:
    """`on` says what a route answers: one reply after the other, the last one for ever. Others are 404."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.replies: dict[str, list[Reply]] = {}
        self._lock = threading.Lock()
        self._over = threading.Event()
        server = self

        class Handler(BaseHTTPRequestHandler):
            def handle_one_request(self) -> None:
                self.raw_requestline = self.rfile.readline(65537)
                if not self.raw_requestline or not self.parse_request():
                    self.close_connection = True
                    return
                server._serve(self)
                self.close_connection = True

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._http.server_port}"
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    def forget(self) -> None:
        """As new: for the next test."""
        with self._lock:
            self._over.set()  # whoever hangs may go
            self._over = threading.Event()
            self.asked.clear()
            self.replies.clear()

    def close(self) -> None:
        self._over.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def on(self, route: str, *replies: Any) -> None:
        """`route`: "GET /v9/projects/prj_1". A reply that is no Reply is the JSON of a 200; one that can be called
        is, each time."""
        made = [reply if isinstance(reply, Reply) else Reply(body=reply) for reply in replies]
        with self._lock:
            self.replies[route] = made

    def routes(self) -> list[str]:
        """What was asked, in order."""
        return [asked.route for asked in self.asked]

    def all(self, route: str) -> list[Asked]:
        return [asked for asked in self.asked if asked.route == route]

    def only(self, route: str) -> Asked:
        (found,) = self.all(route)
        return found

    def _serve(self, handler: BaseHTTPRequestHandler) -> None:
        url = urlsplit(handler.path)
        length = int(handler.headers.get("content-length") or 0)
        asked = Asked(
            method=handler.command,
            path=url.path,
            query=parse_qs(url.query, keep_blank_values=True),
            headers={name.lower(): value for name, value in handler.headers.items()},
            raw=handler.rfile.read(length),
        )
        with self._lock:
            self.asked.append(asked)
            left = self.replies.get(asked.route, [Reply(404, {"message": "nothing is here"})])
            reply = left.pop(0) if len(left) > 1 else left[0]
            over = self._over
        if reply.hang:
            over.wait(20)
        elif reply.trickle:
            handler.send_response_only(200)
            handler.end_headers()
            while not over.wait(0.02):
                try:
                    handler.wfile.write(b" ")
                except OSError:
                    return
        elif reply.reset:
            linger = struct.pack("ii", 1, 0)  # close with RST
            handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            handler.connection.close()
        else:
            _answer(handler, reply, asked)


def _answer(handler: BaseHTTPRequestHandler, reply: Reply, asked: Asked) -> None:
    body = reply.body() if callable(reply.body) else reply.body
    if reply.echo:
        body = {"message": f"{asked.headers.get('authorization')} {asked.raw.decode(errors='replace')}"}
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {"content-type": "application/json", "content-length": str(len(content)), **reply.headers}
    handler.send_response_only(reply.status)
    for name, value in headers.items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(content)
