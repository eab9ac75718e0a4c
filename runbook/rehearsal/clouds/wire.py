"""Property values as the engine sends them: secrets wrapped, unknowns as one string, numbers as floats.

Source: pulumi/runtime/rpc.py of the SDK, which names the same signatures.
"""

from __future__ import annotations

from typing import Any

from google.protobuf import json_format, struct_pb2
from pulumi.runtime import rpc

from runbook.rehearsal.clouds.store import SecretPath

UNKNOWN = rpc.UNKNOWN
_KEY, _SECRET = rpc._special_sig_key, rpc._special_secret_sig
ASSETS = {rpc._special_asset_sig: "asset", rpc._special_archive_sig: "archive"}


def decode(struct: struct_pb2.Struct) -> tuple[dict[str, Any], frozenset[SecretPath]]:
    """Plain values, and the paths inside them that were secret. Whole numbers come back as int."""
    secrets: set[SecretPath] = set()

    def plain(value: Any, path: SecretPath) -> Any:
        if isinstance(value, dict):
            if value.get(_KEY) == _SECRET:
                secrets.add(path)
                return plain(value.get("value"), path)
            return {key: plain(one, (*path, key)) for key, one in value.items()}
        if isinstance(value, list):
            return [plain(one, (*path, index)) for index, one in enumerate(value)]
        return int(value) if isinstance(value, float) and value.is_integer() else value

    return plain(json_format.MessageToDict(struct), ()), frozenset(secrets)


def encode(values: dict[str, Any], secrets: frozenset[SecretPath] = frozenset()) -> struct_pb2.Struct:
    """The reverse of `decode`. A path in `secrets` that the values do not have is left out."""

    def wrapped(value: Any, path: SecretPath) -> Any:
        if isinstance(value, dict):
            value = {key: wrapped(one, (*path, key)) for key, one in value.items()}
        elif isinstance(value, list):
            value = [wrapped(one, (*path, index)) for index, one in enumerate(value)]
        return {_KEY: _SECRET, "value": value} if path in secrets else value

    struct = struct_pb2.Struct()
    struct.update(wrapped(values, ()))
    return struct


def asset(value: Any) -> str | None:
    """'asset' or 'archive' when the value is one, else None."""
    return ASSETS.get(value.get(_KEY, "")) if isinstance(value, dict) else None


def known(value: Any) -> bool:
    """False when the value, or anything inside it, is not known before `pulumi up`."""
    if isinstance(value, dict):
        return all(known(one) for one in value.values())
    if isinstance(value, list):
        return all(known(one) for one in value)
    return bool(value != UNKNOWN)


def known_part(value: Any) -> Any:
    """The value without anything inside it that is not known before `pulumi up`."""
    if isinstance(value, dict):
        return {key: known_part(one) for key, one in value.items() if one != UNKNOWN}
    if isinstance(value, list):
        return [known_part(one) for one in value if one != UNKNOWN]
    return value
