"""How an HTTP front end of the clouds answers when a fault is due."""

from __future__ import annotations

import json
import os
import socket
import struct
from collections.abc import Callable, Mapping
from typing import Any

from werkzeug.wrappers import Response

from runbook.rehearsal.clouds.faults import Answer, CloudError, Faults, Hang, Lost

Shape = Callable[[int, str], Any]


def message(_status: int, text: str) -> Any:
    """The plainest error body; each vendor has its own."""
    return {"message": text}


def answer(error: CloudError, environ: Mapping[str, Any], faults: Faults, shape: Shape = message) -> Response:
    """What is answered in place of the right thing; `shape(status, text)` is the vendor's error body.

    Raises ConnectionError after the connection was cut, which the server takes as the client having gone away.
    `environ` is werkzeug's: it names the socket.
    """
    how = error.how
    if isinstance(how, Answer):
        body = json.dumps(shape(how.status, str(error))) if how.body is None else how.body
        return Response(body, how.status, dict(how.headers), mimetype="application/json")
    if isinstance(how, Hang | Lost):
        faults.over.wait(how.seconds)
    raise cut(environ["werkzeug.socket"])


def cut(connection: socket.socket) -> ConnectionError:
    """Reset the connection: the other side reads ECONNRESET, and no byte of an answer. The error ends the request."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    ended, other = socket.socketpair()
    other.close()
    # Closed below any wrapper, so without TLS's farewell; the server goes on with a socket that is at its end.
    os.dup2(ended.fileno(), connection.fileno())
    ended.close()
    return ConnectionError("The connection was reset on purpose.")
