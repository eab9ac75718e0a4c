"""Pulumi's own commands in the docs are commands that the engine has, with options that they take."""

from __future__ import annotations

import re
import shlex
import subprocess
from functools import cache
from itertools import takewhile

import pytest

from runbook.cli.place import ENGINE
from tests.docs.commands import commands, inline, pages

NAMED = sorted(
    {text for page in pages() for text in inline(page)}
    | {part for page in pages() for each in commands(page) for part in each.text.split(" && ")}
)


@cache
def manual(*words: str) -> str:
    done = subprocess.run(
        [ENGINE / "pulumi", *words, "--help"],
        env={"PULUMI_SKIP_UPDATE_CHECK": "1", "HOME": "/nowhere"},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return done.stdout


def wrong(text: str) -> str:
    """What the engine would not understand of a command; "" where it would."""
    _, *words = shlex.split(text)
    plain = list(takewhile(lambda word: re.fullmatch(r"[a-z][a-z-]*", word), words))
    said = manual(*plain)
    group = re.search(r"(?m)^  pulumi ?(.*?) ?\[command\]$", said)
    if group and plain != group[1].split():
        return f"pulumi {group[1]} has no command {plain[-1]}"
    options = [word.partition("=")[0] for word in words if word.startswith("-")]
    unknown = [option for option in options if not re.search(rf"(?m)^ .*{option}\b", said)]
    return f"{text} has no {', '.join(unknown)}" if unknown else ""


@pytest.mark.parametrize("text", [text for text in NAMED if text.startswith("pulumi ")])
def test_the_engine_has_this_command(text: str) -> None:
    assert wrong(text) == ""


@pytest.mark.parametrize(
    "text", ["pulumi state mend", "pulumi undo", "pulumi up --skip-previews", "pulumi stack --yes"]
)
def test_a_command_that_it_has_not_is_found(text: str) -> None:
    assert wrong(text)
