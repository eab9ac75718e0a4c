"""The production stacks of the checkout. No secret is needed to prove an alert, so none is read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from runbook import platforms
from runbook.model.platform import Platform
from runbook.model.problems import NAMESPACE, ConfigError
from runbook.model.reading import platform_name, sections
from runbook.model.settings import Settings


@dataclass(frozen=True)
class Stack:
    name: str
    platform: Platform
    settings: Settings


def production(root: Path) -> list[Stack]:
    """The stacks of the environment prod, by name. Raises: ConfigError for a stack file that is not sound."""
    found = (_load(path) for path in sorted(root.glob("Pulumi.*.yaml")))
    return [stack for stack in found if stack.settings.environment == "prod"]


def _load(path: Path) -> Stack:
    name = path.name.removeprefix("Pulumi.").removesuffix(".yaml")
    whole: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    raw = {key.removeprefix(f"{NAMESPACE}:"): value for key, value in whole["config"].items()}
    raw.pop("secrets", None)
    platform = platforms.load(platform_name(name, raw, platforms.names()))
    sound, problems = sections(raw)
    if problems:
        raise ConfigError(name, problems)
    return Stack(name, platform, Settings.model_construct(**sound))
