"""Every command in the docs is run by a test, is generated, or stands in a short list with its reason."""

from __future__ import annotations

import ast
import re
import shlex
from typing import Any

import pytest
import typer

from runbook.cli.app import build
from runbook.model.cutover.phases import Phase
from tests.docs.commands import GENERATED, NOT_RUN, RUN, Command, blocks, commands, inline, pages, typed
from tests.stacks import ROOT, STACKS

APP: Any = typer.main.get_command(build())
WRITTEN = [each for page, text in pages().items() if not text.startswith(GENERATED) for each in commands(page)]
TYPED = {line for block in typed().values() for line in block.splitlines()}
STAND_INS = {"HASH": "0123456789ab", "NAME": "ada", "REASON": "because"}


@pytest.mark.parametrize("command", WRITTEN, ids=lambda each: f"{each.page}: {each.text}")
def test_command_was_run_or_says_why_not(command: Command) -> None:
    assert {command.name, command.text} & {*RUN, *NOT_RUN, *TYPED}, (
        "Name the test that runs it in tests/docs/commands.py, or the reason why none can."
    )


@pytest.mark.parametrize("command", RUN)
def test_what_is_said_to_run_it_does(command: str) -> None:
    file, _, function = RUN[command].partition("::")
    text = (ROOT / file).read_text(encoding="utf-8")
    if not function:
        assert re.search(rf"\b{re.escape(command)}\b", text)
        return
    assert function in {node.name for node in ast.parse(text).body if isinstance(node, ast.FunctionDef)}
    helpers = "".join(each.read_text(encoding="utf-8") for each in (ROOT / file).parent.glob("*.py"))
    for word in (command.split()[1], *_options(command)):
        assert re.search(rf"[\"' ]{word}\b", helpers), f"nothing there says {word}"


def _options(command: str) -> set[str]:
    """All that any page gives this command, but for those that every command has."""
    said = [each.text for each in WRITTEN if command in (each.name, each.text)]
    said += [text for page in pages() for text in inline(page) if text.startswith(command) and "[" not in text]
    return {word for text in said for word in text.split() if word.startswith("--")} - {"--stack", "--practice"}


def test_nothing_is_listed_that_no_page_says() -> None:
    said = {each.name for each in WRITTEN} | {each.text for each in WRITTEN}
    said |= {" ".join(text.split()[:2]) for page in pages() for text in inline(page)}
    said |= {text.split()[0] for page in pages() for text in inline(page)}
    assert {*RUN, *NOT_RUN} - said == set()


def _ours() -> list[tuple[str, str]]:
    """Page and command of every `./cutover ...`, the generated pages' and the running text's among them."""
    found = [(each.page, each.text) for page in pages() for each in commands(page)]
    found += [(page, text) for page in pages() for text in inline(page) if "[" not in text]
    return [each for each in dict.fromkeys(found) if each[1].startswith("./cutover ")]


@pytest.mark.parametrize(("page", "text"), _ours())
def test_command_of_ours_has_these_options(page: str, text: str) -> None:
    """Raises where there is no such command or option. Running text may leave out what has to follow."""
    _, *words = shlex.split(text)
    group = APP
    while words and words[0] in getattr(group, "commands", {}):
        group = group.commands[words.pop(0)]
    assert group is not APP, f"{page}: there is no ./cutover {words[0]}"
    known = {name for parameter in group.params for name in parameter.opts}
    assert {word for word in words if word.startswith("-")} <= known | {"--help"}
    if (page, text) in {(each.page, each.text) for each in WRITTEN}:
        group.make_context("cutover", [STAND_INS.get(word, word) for word in words])


@pytest.mark.parametrize("page", pages())
def test_stacks_and_phases_of_commands_are_some_that_there_are(page: str) -> None:
    text = "\n".join([*inline(page), *(each.text for each in commands(page))])
    assert set(re.findall(r"--stack (\S+)", text)) <= {*STACKS, "NAME"}
    assert set(re.findall(r"\./cutover phase (\S+)", text)) <= {*Phase, "PHASE"}


@pytest.mark.parametrize("page", pages())
def test_make_and_scripts_that_are_named_are_there(page: str) -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = inline(page) + [each.text for each in commands(page)]
    assert {text.split()[1] for text in named if text.startswith("make ")} <= targets
    assert [text for text in named if text.startswith("script/") and not (ROOT / text.split()[0]).is_file()] == []
    told = {word for text in named for word in text.split() if word.startswith("tests/")}
    assert {path for path in told if not (ROOT / path).exists()} == set()


@pytest.mark.parametrize("page", pages())
def test_a_block_has_a_language(page: str) -> None:
    """So that no command hides in one without."""
    assert blocks(page, "") == []
