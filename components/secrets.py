"""The one door through which a secret of the settings becomes an input of a resource."""

from __future__ import annotations

import json

import pulumi
from pydantic import SecretStr


def only_secret(value: SecretStr) -> pulumi.Output[str]:
    """A secret Output. For fields that the SDK does not mark secret: a plain string there would be kept in clear.

    Raises: TypeError for anything that is no SecretStr, whatever the type checker was told.
    """
    if not isinstance(value, SecretStr):
        raise TypeError("A plain value was given where only a secret may stand: read it as a SecretStr.")
    return pulumi.Output.secret(value.get_secret_value())


def given(value: str | SecretStr) -> pulumi.Input[str]:
    """A plain value as it is, a secret as a secret Output, which the engine keeps encrypted."""
    return only_secret(value) if isinstance(value, SecretStr) else value


def secret_json(field: str, value: SecretStr) -> pulumi.Output[str]:
    """A JSON object with one field, secret as a whole."""
    return pulumi.Output.secret(json.dumps({field: value.get_secret_value()}))
