"""Certificates for the hosts, all signed by one authority that is made anew each time."""

from __future__ import annotations

import ssl
import threading
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

import trustme

_EXPIRED = datetime(2001, 1, 1, tzinfo=UTC)  # trustme's certificates begin in 2000


class Certificates:
    """`path`: where the authority's certificate stands, for clients to trust."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._authority = trustme.CA()
        self._authority.cert_pem.write_to_path(str(path))
        self._lock = threading.Lock()
        self._contexts: dict[tuple[str, bool], ssl.SSLContext] = {}

    @cached_property
    def trusted(self) -> ssl.SSLContext:
        """What a client uses that trusts this authority and nobody else."""
        return ssl.create_default_context(cafile=str(self.path))

    def of(self, name: str, expired: bool = False) -> ssl.SSLContext:
        """A server's context with a certificate for this name; each is made once."""
        with self._lock:
            if (name, expired) not in self._contexts:
                made = self._authority.issue_cert(name, not_after=_EXPIRED if expired else None)
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                made.configure_cert(context)
                self._contexts[name, expired] = context
            return self._contexts[name, expired]
