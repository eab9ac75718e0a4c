"""One thread that waits for all sockets of the stand-in internet, and one per connection that it accepted."""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading
from collections.abc import Callable


class Loop:
    """`watch` sockets, then `close`, after which no thread and no socket is left. Safe from several threads."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._wake, woken = socket.socketpair()
        self._selector.register(woken, selectors.EVENT_READ, None)
        self._lock = threading.Lock()
        self._serving: dict[threading.Thread, socket.socket] = {}
        self._over = False
        self._thread = threading.Thread(target=self._run, name="stand-in internet", daemon=True)
        self._thread.start()

    def watch(self, sock: socket.socket, ready: Callable[[socket.socket], None]) -> None:
        """Call `ready(sock)` whenever there is something to read or accept. The socket becomes the loop's."""
        sock.setblocking(False)
        self._selector.register(sock, selectors.EVENT_READ, ready)

    def accept(self, listening: socket.socket, serve: Callable[[socket.socket], None]) -> None:
        """Serve each connection in a thread of its own; `serve` may leave the connection open."""
        self.watch(listening, lambda sock: self._accepted(sock, serve))

    def close(self) -> None:
        self._over = True
        self._wake.send(b"x")
        self._thread.join()
        with self._lock:
            connections = dict(self._serving)
        for connection in connections.values():
            with contextlib.suppress(OSError):  # it has ended meanwhile
                connection.shutdown(socket.SHUT_RDWR)
        for thread in connections:
            thread.join()
        for key in list(self._selector.get_map().values()):
            assert isinstance(key.fileobj, socket.socket)
            key.fileobj.close()
        self._selector.close()
        self._wake.close()

    def _run(self) -> None:
        while not self._over:
            for key, _ in self._selector.select():
                if key.data is not None:
                    with contextlib.suppress(OSError):  # the other side has gone again
                        key.data(key.fileobj)

    def _accepted(self, listening: socket.socket, serve: Callable[[socket.socket], None]) -> None:
        connection, _ = listening.accept()
        connection.settimeout(10)
        thread = threading.Thread(target=self._serve, args=(connection, serve), daemon=True)
        with self._lock:
            self._serving[thread] = connection
        thread.start()

    def _serve(self, connection: socket.socket, serve: Callable[[socket.socket], None]) -> None:
        try:
            # A copy, because wrapping a socket in TLS takes it away, and `close` needs it.
            with contextlib.suppress(OSError), connection.dup() as own:
                own.settimeout(connection.gettimeout())
                serve(own)
        finally:
            connection.close()
            with self._lock:
                del self._serving[threading.current_thread()]
