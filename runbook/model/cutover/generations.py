"""Generations of the secrets that a flip renews.

The secret in the stack config is the first generation; each later one is derived from it, so that a flip needs no new
secret and a build can be made with the next one before the window. Whoever learns the secret learns every generation:
a leaked one is replaced in the config, not renewed.
"""

from __future__ import annotations

import hashlib
import hmac

from pydantic import SecretStr


def generation_of(secret: SecretStr, name: str, number: int) -> SecretStr:
    """The secret's generation `number`, 1 or more: 64 hex digits from the second on (HMAC-SHA256, RFC 2104)."""
    if number == 1:
        return secret
    key = secret.get_secret_value().encode()
    return SecretStr(hmac.new(key, f"{name}:{number}".encode(), hashlib.sha256).hexdigest())
