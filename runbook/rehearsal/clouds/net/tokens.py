"""Access tokens of a Supabase project: JSON Web Tokens with a real signature (ES256, RFC 7518 section 3.4)."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

_ES256 = ec.ECDSA(SHA256())


class BadToken(Exception):
    """The token is none, or not signed by this key."""


class Key:
    """A signing key that derives from a name: a second process has the same, and there is nothing to hide with it."""

    def __init__(self, name: str) -> None:
        self.id = hashlib.sha256(name.encode()).hexdigest()[:32]
        self._private = ec.derive_private_key(int(self.id, 16), ec.SECP256R1())

    def public(self) -> dict[str, str]:
        """As it stands in a key set (RFC 7517)."""
        numbers = self._private.public_key().public_numbers()
        point = {"x": _encode(numbers.x.to_bytes(32)), "y": _encode(numbers.y.to_bytes(32))}
        return {"kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": self.id} | point

    def sign(self, claims: Mapping[str, Any]) -> str:
        head = _encode(json.dumps({"alg": "ES256", "kid": self.id, "typ": "JWT"}).encode())
        signed = f"{head}.{_encode(json.dumps(dict(claims)).encode())}"
        r, s = decode_dss_signature(self._private.sign(signed.encode(), _ES256))
        return f"{signed}.{_encode(r.to_bytes(32) + s.to_bytes(32))}"

    def claims(self, token: str) -> dict[str, Any]:
        """Raises BadToken."""
        try:
            head, body, signature = token.split(".")
            numbers = _decode(signature)
            pair = (int.from_bytes(numbers[:32]), int.from_bytes(numbers[32:]))
            self._private.public_key().verify(encode_dss_signature(*pair), f"{head}.{body}".encode(), _ES256)
            claims = json.loads(_decode(body))
        except (ValueError, InvalidSignature) as error:
            raise BadToken from error
        return dict(claims)


@lru_cache
def key_of(name: str) -> Key:
    return Key(name)


def _encode(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
