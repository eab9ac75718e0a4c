"""Access tokens of a Supabase project: JSON Web Tokens with a real signature (ES256, RFC 7518 section 3.4)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm
from jwt.types import Options

_ALG = "ES256"
_UNTIMED: Options = {"verify_exp": False, "verify_iat": False, "verify_nbf": False, "verify_aud": False}


class BadToken(Exception):
    """The token is none, or not signed by this key."""


class Key:
    """A signing key that derives from a name: a second process has the same, and there is nothing to hide with it."""

    def __init__(self, name: str) -> None:
        self.id = hashlib.sha256(name.encode()).hexdigest()[:32]
        self._private = ec.derive_private_key(int(self.id, 16), ec.SECP256R1())

    def public(self) -> dict[str, str]:
        """As it stands in a key set (RFC 7517)."""
        point = ECAlgorithm.to_jwk(self._private.public_key(), as_dict=True)
        return {**point, "alg": _ALG, "use": "sig", "kid": self.id}

    def sign(self, claims: Mapping[str, Any]) -> str:
        return jwt.encode(dict(claims), self._private, _ALG, headers={"kid": self.id})

    def claims(self, token: str) -> dict[str, Any]:
        """What it says, its times not looked at: they are on the clock of the clouds. Raises BadToken."""
        try:
            return jwt.decode(token, self._private.public_key(), algorithms=[_ALG], options=_UNTIMED)
        except jwt.InvalidTokenError as error:
            raise BadToken from error


@lru_cache
def key_of(name: str) -> Key:
    return Key(name)
