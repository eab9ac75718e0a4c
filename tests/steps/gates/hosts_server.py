"""A small HTTPS server that misbehaves on purpose: on several loopback addresses, one certificate per host."""

from __future__ import annotations

import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import trustme


@dataclass
class Reply:
    """What is answered. `how`: whole, hang (nothing is sent), reset (the connection breaks), drip (a byte now and
    then, so that no single read takes long)."""

    status: int = 200
    body: bytes | str = b"ok"
    headers: Mapping[str, str] = field(default_factory=dict)
    how: str = "whole"


@dataclass(frozen=True)
class Asked:
    """A request as it came in. `address` is the one it was sent to."""

    method: str
    host: str
    path: str
    query: str
    address: str
    headers: Mapping[str, str]
    body: bytes


Answer = Reply | Callable[[Asked], Reply]


class Hosts:
    """`replies`: (host, path), or (host@address, path) for one address alone, to what is answered; a list is used up
    one by one, its last stays. `certificates`: host to what is shown for it."""

    def __init__(self, authority: trustme.CA) -> None:
        self.authority = authority
        self.replies: dict[tuple[str, str], Answer | list[Answer]] = {}
        self.certificates: dict[str, ssl.SSLContext] = {}
        self.asked: list[Asked] = []
        self.greeted: list[str | None] = []  # the names of the handshakes
        self.stopped = threading.Event()

    def certify(
        self,
        shown_for: str,
        *names: str,
        starts: datetime | None = None,
        ends: datetime | None = None,
        by: trustme.CA | None = None,
    ) -> None:
        """The certificate that is shown for a host: for its own name unless other `names` are given."""
        starts = starts or datetime.now(UTC) - timedelta(days=90)
        made = (by or self.authority).issue_cert(*(names or (shown_for,)), not_before=starts, not_after=ends)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        made.configure_cert(context)
        self.certificates[shown_for] = context

    def count(self, path: str) -> int:
        return sum(one.path == path for one in self.asked)

    def next_reply(self, asked: Asked) -> Reply:
        self.asked.append(asked)
        keys = ((f"{asked.host}@{asked.address}", asked.path), (asked.host, asked.path))
        found = next((self.replies[key] for key in keys if key in self.replies), Reply(404, "no such page"))
        if isinstance(found, list):
            found = found.pop(0) if len(found) > 1 else found[0]
        return found if isinstance(found, Reply) else found(asked)

    def context(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.authority.issue_cert("nobody.example").configure_cert(context)
        context.sni_callback = self._choose
        return context

    def _choose(self, secured: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> None:
        self.greeted.append(name)
        if name in self.certificates:
            secured.context = self.certificates[name]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""

    def _answer(self) -> None:
        path, _, query = self.path.partition("?")
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        where = self.request.getsockname()[0]
        reply = self.server.hosts.next_reply(
            Asked(self.command, headers["host"].partition(":")[0], path, query, where, headers, body)
        )
        self.close_connection = True
        if reply.how == "hang":
            self.server.hosts.stopped.wait(20)
        elif reply.how == "reset":
            self.request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.request.close()
        else:
            self._send(reply)

    def _send(self, reply: Reply) -> None:
        body = reply.body.encode() if isinstance(reply.body, str) else reply.body
        head = [f"HTTP/1.1 {reply.status} Said", f"Content-Length: {len(body)}", "Connection: close"]
        head += [f"{name}: {value}" for name, value in reply.headers.items()]
        whole = "\r\n".join(head).encode("latin-1") + b"\r\n\r\n" + body
        if reply.how != "drip":
            self.wfile.write(whole)
            return
        for number in range(len(whole)):
            if self.server.hosts.stopped.is_set():
                return
            self.wfile.write(whole[number : number + 1])
            time.sleep(0.1)

    do_GET = do_POST = _answer


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    hosts: Hosts
    tls: ssl.SSLContext | None

    def finish_request(self, request: Any, client_address: Any) -> None:
        request.settimeout(5)
        if self.tls is None:
            super().finish_request(request, client_address)
            return
        with self.tls.wrap_socket(request, server_side=True) as secured:
            super().finish_request(secured, client_address)

    def handle_error(self, request: object, client_address: object) -> None:
        """Handshakes that the client breaks off, and answers nobody waits for, are what these tests are about."""


class Serving:
    """Servers on one port of each address, with TLS or without. What they answer is put in by `answer`."""

    def __init__(self, addresses: Sequence[str], tls: bool = True) -> None:
        first = _Server((addresses[0], 0), _Handler)
        self.port, self._tls = int(first.server_address[1]), tls
        self._servers = [first, *(_Server((one, self.port), _Handler) for one in addresses[1:])]

    def answer(self, hosts: Hosts) -> None:
        context = hosts.context() if self._tls else None
        for server in self._servers:
            server.hosts, server.tls = hosts, context


@contextmanager
def serving(addresses: Sequence[str], tls: bool = True) -> Iterator[Serving]:
    """Serves until the end of the block."""
    made = Serving(addresses, tls)
    for server in made._servers:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    yield made
    for server in made._servers:
        server.shutdown()
        server.server_close()
