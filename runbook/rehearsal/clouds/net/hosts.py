"""Everything behind a DNS target: TLS and HTTP on one port, at each loopback address as it is given out."""

from __future__ import annotations

import errno
import logging
import socket
import ssl
from collections.abc import Iterable
from typing import Any, cast

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler
from werkzeug.wrappers import Request, Response

from runbook.rehearsal.clouds.faults import CloudError, Faults, Knob
from runbook.rehearsal.clouds.net import broken
from runbook.rehearsal.clouds.net.addresses import Addresses
from runbook.rehearsal.clouds.net.certificates import Certificates
from runbook.rehearsal.clouds.net.edge import json_response
from runbook.rehearsal.clouds.net.loop import Loop
from runbook.rehearsal.clouds.net.services import Services

_ANOTHER = "another.example"


class Hosts:
    """Answers by the address that was connected to and the host that was asked for. `port`: 0 before the first."""

    def __init__(self, certificates: Certificates, faults: Faults, loop: Loop) -> None:
        self._certificates, self._faults, self._loop = certificates, faults, loop
        self.addresses = Addresses(self._listen)
        self.port = 0
        self._services: Services | None = None

    def serve(self, services: Services) -> None:
        """What stands behind the addresses; to be called before the first is given out."""
        self._services = services

    def _listen(self, address: str) -> bool:
        listening = socket.socket()
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((address, self.port))
            listening.listen(128)
        except OSError as error:
            listening.close()
            if error.errno == errno.EADDRINUSE:
                return False
            hint = f"sudo ifconfig lo0 alias {address}"
            raise CloudError(f"The stand-in internet cannot use {address} ({error}). On macOS: {hint}") from error
        self.port = listening.getsockname()[1]
        self._loop.accept(listening, self._connection)
        return True

    def _connection(self, plain: socket.socket) -> None:
        target = self.addresses.target(plain.getsockname()[0])
        with self._context(target).wrap_socket(plain, server_side=True) as secured:
            server = _Server(self, target, secured.getsockname())
            _Handler(secured, secured.getpeername(), cast(BaseWSGIServer, server))

    def _context(self, target: str) -> ssl.SSLContext:
        """Takes the certificate by the name that the client asks for; without one there is none."""

        def choose(secured: ssl.SSLObject | ssl.SSLSocket, name: str | None, _context: ssl.SSLContext) -> int | None:
            if name is None:
                return ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
            secured.context = self._certificate(target, name.lower())
            return None

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.sni_callback = choose
        return context

    def _certificate(self, target: str, host: str) -> ssl.SSLContext:
        assert self._services is not None
        wrong = self._faults.turned(Knob.WRONG_CERTIFICATE, host)
        name = _ANOTHER if wrong else self._services.of(target).certificate(target, host)
        return self._certificates.of(name, self._faults.turned(Knob.EXPIRED_CERTIFICATE, host))

    def answer(self, target: str, request: Request) -> Response:
        """Raises ConnectionError after a fault has cut the connection."""
        assert self._services is not None
        host = request.host.partition(":")[0].lower()
        try:
            self._faults.meet(host, request.method, request.path, request.path)
        except CloudError as error:
            return broken.answer(error, request.environ, self._faults)
        if "health" in request.path and self._faults.turned(Knob.UNHEALTHY, host):
            return json_response({"status": "unhealthy"}, 503)
        return self._services.of(target).answer(target, host, request)


class _Handler(WSGIRequestHandler):
    protocol_version = "HTTP/1.0"  # each connection ends with its answer

    def log(self, type: str, message: str, *args: Any) -> None:
        """Nothing: a line would hold the query."""


class _Server:
    """What werkzeug's handler asks of its server, which here is the loop."""

    ssl_context = True  # the scheme is https
    multithread, multiprocess, passthrough_errors = True, False, False

    def __init__(self, hosts: Hosts, target: str, server_address: tuple[str, int]) -> None:
        self._hosts, self._target, self.server_address = hosts, target, server_address

    def app(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        return self._hosts.answer(self._target, Request(environ))(environ, start_response)

    def log(self, _type: str, message: str) -> None:
        logging.getLogger(__name__).error(message)
