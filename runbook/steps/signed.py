"""Whether a token is signed with a published key, as an app verifies it (RFC 7515, 7517, 7518)."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256


def signed_with(key: Mapping[str, Any], alg: str, token: str) -> bool:
    """`key`: a public JSON Web Key. `alg`: ES256 or RS256. A key that is none has signed nothing."""
    text, _, last = token.rpartition(".")
    try:
        signature, message = _octets(last), text.encode()
        if alg == "RS256":
            public = rsa.RSAPublicNumbers(_number(key["e"]), _number(key["n"])).public_key()
            public.verify(signature, message, PKCS1v15(), SHA256())
        else:
            point = ec.EllipticCurvePublicNumbers(_number(key["x"]), _number(key["y"]), ec.SECP256R1())
            pair = (int.from_bytes(signature[:32]), int.from_bytes(signature[32:]))
            point.public_key().verify(encode_dss_signature(*pair), message, ec.ECDSA(SHA256()))
    except (InvalidSignature, KeyError, TypeError, ValueError):
        return False
    return True


def _number(text: str) -> int:
    return int.from_bytes(_octets(text))


def _octets(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
