"""Which tokens a vendor knows.

Any token of the right form is let in until `accept` has named one for the vendor; then only those that were named.
"""

from __future__ import annotations

import hashlib

from werkzeug.wrappers import Request

from runbook.rehearsal.clouds.store import Held, Store

_KIND = "token"


def accept(store: Store, vendor: str, token: str) -> None:
    """From now on the vendor lets in this token, and no other that was not named."""
    store.put(Held(vendor, _KIND, _fingerprint(token), {}))


def known(store: Store, vendor: str, token: str) -> bool:
    named = store.find(vendor, _KIND)
    return not named or _fingerprint(token) in {one.id for one in named}


def bearer(request: Request) -> str:
    """The token of the header Authorization: Bearer, or ""."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _fingerprint(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
