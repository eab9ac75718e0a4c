"""What is wrong with a config, said so that the person on call can mend it at two in the morning.

Every check yields `Problem`s; they are collected and raised once, as one `ConfigError`, so that nobody mends a
stack file one message at a time.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NoReturn

from pydantic_core import PydanticCustomError

NAMESPACE = "runbook"  # the project's name in Pulumi.yaml, in front of every key of a stack file
WIDTH = 80  # a terminal on a bad connection


@dataclass(frozen=True)
class Problem:
    """One mistake: config path, value as given (None: nothing was given), what is allowed, the edit to make."""

    path: str
    value: object
    allowed: str
    edit: str

    def __str__(self) -> str:
        found = f"{self.path} is missing" if self.value is None else f"{self.path} = {_shown(self.value)}"
        return "\n".join([found, _indented("allowed: ", self.allowed), _indented("edit:    ", self.edit)])


class ConfigError(Exception):
    """All problems of one stack's config. `str()` is the whole text for the terminal."""

    def __init__(self, stack: str, problems: Sequence[Problem]) -> None:
        self.stack = stack
        self.problems = tuple(problems)
        count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        lines = [f"{count} in the config of stack {stack}; nothing was changed."]
        lines += [f"{number}. {problem}" for number, problem in enumerate(problems, 1)]
        super().__init__("\n\n".join(lines))


class PlatformError(Exception):
    """The platform's own data breaks a rule; the message is one sentence that names the place."""


def path(*parts: str | int) -> str:
    """Config path as `pulumi config --path` takes it: path("records", 0, "ttl") is runbook:records[0].ttl."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts)
    return f"{NAMESPACE}:{text.removeprefix('.')}"


def refuse(allowed: str, edit: str) -> NoReturn:
    """Called by field validators: pydantic adds path and value. Texts are sentences without a line break."""
    raise PydanticCustomError("refused", "{allowed} {edit}", {"allowed": allowed, "edit": edit})


def _shown(value: object) -> str:
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _indented(label: str, text: str) -> str:
    return textwrap.fill(
        text,
        WIDTH,
        initial_indent="   " + label,
        subsequent_indent="   " + " " * len(label),
        break_long_words=False,
        break_on_hyphens=False,
    )
