"""Mistakes in stack config as text files: what is edited in a committed stack file, and the whole message it gives.

A file holds cases. A case is a title after `## `, the stack, its edits, an empty line and the message. An edit is
`path: value in YAML`, `- path` (the key is removed), `with a cutover` (a sound one is added, with its secrets) or
`clear text: NAME` (that secret is not encrypted).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from runbook import platforms
from runbook.model.checks import CHECKS, Check
from runbook.model.problems import ConfigError
from runbook.model.reading import platform_name, read, sections
from runbook.model.settings import Settings
from tests.model.cutover import examples
from tests.stacks import platform, raw, secrets

WITH = "with a cutover"


@dataclass(frozen=True)
class Case:
    title: str
    stack: str
    edits: tuple[str, ...]
    message: str

    def __str__(self) -> str:
        return "\n".join([f"## {self.title}", self.stack, *self.edits, "", self.message])


def cases(file: Path) -> Iterator[Case]:
    for text in re.split(r"^## ", file.read_text(encoding="utf-8"), flags=re.M)[1:]:
        head, _, message = text.partition("\n\n")
        title, stack, *edits = head.splitlines()
        yield Case(title, stack, tuple(edits), message.rstrip("\n"))


def update(file: Path) -> None:
    """Writes the messages as they are now."""
    fresh = [replace(case, message=message(case)) for case in cases(file)]
    file.write_text("\n\n".join(map(str, fresh)) + "\n", encoding="utf-8")


def message(case: Case) -> str:
    try:
        read_edited(case)
    except ConfigError as error:
        return str(error)
    return "Nothing is wrong with it."


def read_edited(case: Case) -> Settings:
    """Raises: ConfigError"""
    config, in_clear = edited(case)
    name = platform_name(case.stack, config, platforms.names())
    return read(case.stack, config, platforms.load(name), in_clear)


@cache
def refusing(case: Case, *broken: str) -> set[Check]:
    """The checks that refuse something in this case, while the sections named in `broken` cannot be read."""
    config, _ = edited(case)
    sound, _ = sections(config | dict.fromkeys(broken, 0))
    settings = Settings.model_construct(**sound)
    found = platform(case.stack)
    return {check for needs, check in CHECKS if needs <= sound.keys() and any(check(found, settings))}


def edited(case: Case) -> tuple[dict[str, Any], list[str]]:
    """The case's config, and the names of its secrets that are in clear text."""
    config = deepcopy(with_a_cutover(case.stack) if WITH in case.edits else whole(case.stack))
    in_clear = []
    for edit in case.edits:
        at, _, value = edit.partition(":")
        if at == "clear text":
            in_clear.append(value.strip())
        elif edit != WITH:
            _apply(config, at, yaml.safe_load(value))
    return config, in_clear


@cache
def whole(stack: str) -> dict[str, Any]:
    """The stack's config with its secrets; not to be changed."""
    return raw(stack) | {"secrets": secrets(stack)}


@cache
def with_a_cutover(stack: str) -> dict[str, Any]:
    """The same with a sound cutover; not to be changed."""
    return examples.config(stack)


def _apply(config: Any, at: str, value: object) -> None:
    *inside, last = _steps(at.removeprefix("- "))
    for step in inside:
        config = config[step]
    if at.startswith("- "):
        del config[last]
    elif isinstance(config, list) and last == len(config):
        config.append(value)
    else:
        config[last] = value


def _steps(at: str) -> list[Any]:
    return [int(step) if step.isdecimal() else step for step in re.findall(r"[^.\[\]]+", at)]
