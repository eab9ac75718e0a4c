"""Whether the drains that each platform's runbook asks for are set, by stack. Run as script/drains.

EasyMO's runbook has scripts/verify-observability-hooks.mjs look at these URLs in each preview deployment. A preview
of the program refuses a missing one with the same text, but needs the stack's secrets; this reads the files alone.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import yaml

from runbook import platforms
from runbook.model.checks import required_drains_are_set
from runbook.model.problems import NAMESPACE, ConfigError, path
from runbook.model.reading import platform_name, sections
from runbook.model.settings import Settings

ROOT = Path(__file__).parent.parent


def drains(stack: str, config: dict[str, Any]) -> list[str]:
    """Names of the drains that are set. `config`: the stack file's, with its namespace. Raises: ConfigError."""
    raw = {key.removeprefix(f"{NAMESPACE}:"): value for key, value in config.items()}
    platform = platforms.load(platform_name(stack, raw, platforms.names()))
    sound, problems = sections(raw)
    found = [problem for problem in problems if problem.path.startswith(path("drains"))]
    if "drains" in sound:
        found += required_drains_are_set(platform, Settings.model_construct(**sound))
    if found:
        raise ConfigError(stack, found)
    return sorted(sound["drains"])


def main(folder: Path) -> int:
    """Exit code: 0 when all are set."""
    code = 0
    for file in sorted(folder.glob("Pulumi.*.yaml")):
        stack = file.name.removeprefix("Pulumi.").removesuffix(".yaml")
        try:
            print(f"{stack}: {', '.join(drains(stack, yaml.safe_load(file.read_text(encoding='utf-8'))['config']))}")
        except ConfigError as error:
            print(error, file=sys.stderr)
            code = 1
    return code


if __name__ == "__main__":
    sys.exit(main(ROOT))
