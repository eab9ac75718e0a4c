"""The stack files of this repository as tests read them: with a made-up value for each secret they need."""

from __future__ import annotations

from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import yaml

from runbook import platforms
from runbook.model.platform import Platform
from runbook.model.problems import NAMESPACE
from runbook.model.reading import read
from runbook.model.secrets_needed import required_secrets
from runbook.model.settings import Settings

ROOT = Path(__file__).parent.parent
STACKS = ("prod", "staging", "easymo-prod", "easymo-staging")


def stack_file(stack: str) -> dict[str, Any]:
    """The whole file, a fresh copy each time."""
    text = (ROOT / f"Pulumi.{stack}.yaml").read_text(encoding="utf-8")
    loaded: dict[str, Any] = yaml.safe_load(text)
    return loaded


def raw(stack: str) -> dict[str, Any]:
    """The stack's config without its namespace, a fresh copy each time."""
    return {key.removeprefix(f"{NAMESPACE}:"): value for key, value in stack_file(stack)["config"].items()}


@cache
def platform(stack: str) -> Platform:
    return platforms.load(raw(stack)["platform"])


def secrets(stack: str) -> dict[str, str]:
    """A made-up value for every secret that the stack needs, of a form that every provider takes for a token."""
    without = Settings.model_validate(raw(stack))
    return {name: sha256(name.encode()).hexdigest()[:40] for name in required_secrets(platform(stack), without)}


@cache
def settings(stack: str) -> Settings:
    """The stack's settings, secrets included. Frozen, so one object serves all tests."""
    return read(stack, {**raw(stack), "secrets": secrets(stack)}, platform(stack))
