"""What certificate a host shows, and what is wrong with one that was refused."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import httpx

from runbook.steps.reach import Reach

# codes of OpenSSL's X509_verify_cert_error_string, and a flag that the ssl module has no name for
_NOT_YET, _EXPIRED, _OTHER_NAME = 9, 10, 62
_NO_CHECK_TIME = 0x200000
_NAMED = 5  # names of a certificate that a sentence lists


@dataclass(frozen=True)
class Certificate:
    """`names`: the host names it is valid for, wildcards included; `starts` and `ends`: when, with zone."""

    names: tuple[str, ...]
    starts: datetime
    ends: datetime

    @classmethod
    def of(cls, found: Mapping[str, Any]) -> Certificate:
        """From what ssl's getpeercert gives for one whose chain was verified."""
        others = [str(value) for kind, value in found.get("subjectAltName", ()) if kind in ("DNS", "IP Address")]
        return cls(tuple(others), _time(found["notBefore"]), _time(found["notAfter"]))

    def as_json(self) -> dict[str, object]:
        return {"names": list(self.names), "not_after": self.ends.isoformat()}


@lru_cache
def trusted(ca: str | None) -> ssl.SSLContext:
    """Verifies the host's name and the chain up to the file `ca`, else as httpx does: SSL_CERT_FILE, SSL_CERT_DIR or
    the certificates of certifi. Kept, because reading them takes longer than most requests."""
    return _context(ca)


def shown(reach: Reach, host: str, address: str, port: int, seconds: float) -> Certificate:
    """The certificate that is shown for a host at an address. Its chain is verified, its names and dates are not.
    Raises OSError (ssl.SSLError is one)."""
    context = _context(reach.ca)  # its own: it is changed
    context.check_hostname = False
    context.verify_flags |= _NO_CHECK_TIME
    with (
        socket.create_connection((address, port), timeout=seconds) as plain,
        context.wrap_socket(plain, server_hostname=host) as secured,
    ):
        return Certificate.of(secured.getpeercert() or {})


def refusal(reach: Reach, host: str, address: str, port: int, seconds: float, error: Exception) -> str | None:
    """The sentence for a certificate that was not accepted; None when the error is another one."""
    cause = _cause(error)
    if cause is None:
        return None
    where = f"{host} at {address}"
    try:
        found = shown(reach, host, address, port, seconds)
    except OSError:
        return f"{where} shows a certificate that nobody trusted here has signed ({cause.verify_message}). {_MEND}"
    if cause.verify_code == _OTHER_NAME:
        return f"{where} shows a certificate of another name: {_listed(found.names)}. {_MEND}"
    if cause.verify_code == _EXPIRED:
        return f"{where} shows a certificate that expired at {found.ends:%Y-%m-%d %H:%M} UTC. {_MEND}"
    if cause.verify_code == _NOT_YET:
        return f"{where} shows a certificate that is not valid before {found.starts:%Y-%m-%d %H:%M} UTC. {_MEND}"
    return f"{where} shows a certificate that is not accepted ({cause.verify_message}). {_MEND}"


_MEND = "Give that host a valid certificate for its name there, and run up again."


def _context(ca: str | None) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=ca) if ca else httpx.create_ssl_context()


def _cause(error: BaseException | None) -> ssl.SSLCertVerificationError | None:
    while error is not None and not isinstance(error, ssl.SSLCertVerificationError):
        error = error.__cause__ or error.__context__
    return error


def _listed(names: tuple[str, ...]) -> str:
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")


def _time(text: str) -> datetime:
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(text), UTC)
