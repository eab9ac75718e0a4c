"""The one place where stack config is read from the engine."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pulumi
import yaml
from pulumi.runtime import config as engine_config

from runbook import platforms
from runbook.model.dashboards import Dashboard, company_operations
from runbook.model.platform import Platform
from runbook.model.problems import NAMESPACE
from runbook.model.reading import platform_name, read
from runbook.model.settings import Settings


def read_stack() -> tuple[Platform, Settings]:
    """Platform and settings of the stack that runs. Raises: ConfigError with every mistake in the stack's config."""
    stack = pulumi.get_stack()
    raw = _values()
    platform = platforms.load(platform_name(stack, raw, platforms.names()))
    return platform, read(stack, raw, platform, _in_clear(stack, raw))


def _values() -> dict[str, Any]:
    """The project's config without its namespace. The engine hands objects over as JSON texts."""
    prefix = f"{NAMESPACE}:"
    return {
        key.removeprefix(prefix): _parsed(value)
        for key, value in engine_config.get_config_env().items()
        if key.startswith(prefix)
    }


def _parsed(value: str) -> Any:
    """A text that only looks like an object stays a text: the model then says what belongs there."""
    try:
        return json.loads(value) if value[:1] in ("{", "[") else value
    except ValueError:
        return value


def _in_clear(stack: str, raw: Mapping[str, Any]) -> list[str]:
    """Names of secrets that the stack file holds unencrypted. The engine only says whether `secrets` has an encrypted
    part, so the file is looked at too where it is in its usual place."""
    given = raw.get("secrets")
    if not isinstance(given, dict):
        return []
    if f"{NAMESPACE}:secrets" not in engine_config.get_config_secret_keys_env():
        return list(given)
    file = Path(f"Pulumi.{stack}.yaml")
    text = file.read_text(encoding="utf-8") if file.is_file() else ""
    stored = ((yaml.safe_load(text) or {}).get("config") or {}).get(f"{NAMESPACE}:secrets") or {}
    return [name for name, value in stored.items() if name != "secure" and not isinstance(value, dict)]


def own_operations(settings: Settings) -> Dashboard | None:
    """The company's own operations dashboard where the stack names its file. Raises: ConfigError when it cannot be
    used."""
    given = settings.grafana.operations_dashboard
    if given is None:
        return None
    file = Path(given)
    text = file.read_text(encoding="utf-8", errors="replace") if file.is_file() else None
    return company_operations(pulumi.get_stack(), settings, text)
