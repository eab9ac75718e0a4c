"""What is wrong with a config, said so that the person on call can mend it at two in the morning.

Every check yields `Problem`s; they are collected and raised once, as one `ConfigError`, so that nobody mends a
stack file one message at a time.
"""

from __future__ import annotations

import difflib
import re
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import NoReturn

from pydantic_core import PydanticCustomError

NAMESPACE = "runbook"  # the project's name in Pulumi.yaml, in front of every key of a stack file
WIDTH = 80  # a terminal on a bad connection
_URL = re.compile(r"//(?:\S*@)?([^/?#\s]*)(\S*)")


class Said(Enum):
    """What is said of a value in place of showing it."""

    MISSING = "is missing"
    UNKNOWN = "is not known here"
    MISNAMED = "is not a name that is allowed here"
    CLEAR = "is in clear text"
    EMPTY = "is empty"
    TEXT = "is a text"
    HIDDEN = "= (not shown)"
    SAME = "changes nothing"
    NOBODY = "has nobody in Slack"


@dataclass(frozen=True)
class Problem:
    """One mistake: config path, value as given or what is said of it, what is allowed, the edit to make.

    Texts are sentences. After a line break in `edit` stands a command, which is shown as it is, to be pasted;
    {stack} in it is the stack's name.
    """

    path: str
    value: object
    allowed: str
    edit: str

    def text(self, stack: str) -> str:
        sentence, *commands = self.edit.replace("{stack}", stack).splitlines()
        return "\n".join(
            [
                f"{self.path} {_shown(self.value, WIDTH - len(self.path) - 6)}",
                _indented("allowed: ", self.allowed),
                _indented("edit:    ", sentence),
                *(f"   {command}" for command in commands),
            ]
        )


class ConfigError(Exception):
    """All problems of one stack's config. `str()` is the whole text for the terminal."""

    def __init__(self, stack: str, problems: Sequence[Problem]) -> None:
        self.stack = stack
        self.problems = tuple(problems)
        count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        lines = [f"{count} in Pulumi.{stack}.yaml; nothing was changed."]
        lines += [f"{number}. {problem.text(stack)}" for number, problem in enumerate(problems, 1)]
        super().__init__("\n\n".join(lines))


class PlatformError(Exception):
    """The platform's own data breaks a rule; the message is one sentence that names the place."""


def path(*parts: str | int) -> str:
    """Config path as `pulumi config --path` takes it: path("records", 0, "ttl") is runbook:records[0].ttl."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts)
    return f"{NAMESPACE}:{text.removeprefix('.')}"


def refuse(allowed: str, edit: str, said: Said | None = None) -> NoReturn:
    """Called by field validators: pydantic adds path and value, unless `said` stands for it."""
    raise PydanticCustomError("refused", "{allowed} {edit}", {"allowed": allowed, "edit": edit, "said": said})


def nearest(word: object, known: Iterable[str]) -> str | None:
    """The known word that was meant, as far as one can tell."""
    text, names = str(word).lower(), list(known)
    close = difflib.get_close_matches(text, [name.lower() for name in names], 1)
    return next(
        (
            name
            for name in names
            if name.lower() in close or _begins(name.lower(), text) or _begins(text, name.lower())
        ),
        None,
    )


def _begins(word: str, start: str) -> bool:
    return len(start) > 2 and word.startswith(start)


def _shown(value: object, room: int) -> str:
    """Nothing that may hold a secret: of a URL scheme and host alone, and nothing of a list or section."""
    if isinstance(value, Said):
        return value.value
    if value is None:
        return "has no value"
    if isinstance(value, Mapping):
        return "is a section"
    if isinstance(value, list):
        return "is a list" if value else Said.EMPTY.value
    if isinstance(value, str):
        if not value:
            return Said.EMPTY.value
        text = repr(_URL.sub(lambda found: f"//{found[1]}" + ("/…" if found[2] else ""), value))
    else:
        text = str(value).lower()  # true and false as YAML has them
    return "= " + (text if len(text) <= room else text[: max(room - 1, 20)] + "…")


def _indented(label: str, text: str) -> str:
    return textwrap.fill(
        text,
        WIDTH,
        initial_indent="   " + label,
        subsequent_indent="   " + " " * len(label),
        break_long_words=False,
        break_on_hyphens=False,
    )
