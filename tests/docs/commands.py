"""What the docs tell people to type, and who has run it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from tests.stacks import ROOT

GENERATED = "<!-- Made by "  # the first line of a page that a script writes
_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"`((?:\./cutover|make|script/\w+|pulumi)(?: [^`]+)?)`")

# Command to the test that runs it (file::function), or to the workflow that does. A command of `./cutover` stands by
# its name alone: its options are checked against the application.
RUN: Mapping[str, str] = {
    "./cutover status": "tests/cli/engine/test_journey.py::test_prepared_says_when_the_flip_opens",
    "./cutover phase": "tests/cli/engine/test_journey.py::test_a_phase_is_one_line_of_the_stack_file",
    "./cutover plan": "tests/cli/engine/test_journey.py::test_the_same_config_gives_the_same_hash",
    "./cutover apply": "tests/cli/engine/test_journey.py::test_an_update_outlives_its_terminal",
    "./cutover rollback": "tests/cli/engine/test_journey.py::test_rollback_goes_back_at_once",
    "./cutover drift": "tests/cli/engine/test_journey.py::test_drift_is_what_somebody_changed_and_nothing_else",
    "./cutover evidence": "tests/cli/engine/test_journey.py::test_evidence_carries_the_signature",
    "./cutover way-back": "tests/cli/engine/test_journey.py::test_the_way_back_needs_no_pulumi",
    "./cutover signals": "tests/cli/test_signals.py::test_the_command_lists_and_fails_where_something_has_no_data",
    "./cutover practice": "tests/cli/practice/test_walk.py::test_from_the_first_command_to_settled_and_once_back",
    "script/drains": ".github/workflows/tests.yml",
    "make check": ".github/workflows/tests.yml",
    "make rehearsal": ".github/workflows/tests.yml",
    "make test": ".ci/run",
    "pulumi up --yes --skip-preview --continue-on-error --stack prod": (
        "tests/engine/cutover/test_night.py::test_with_all_others_down_names_go_back_by_the_documented_command"
    ),
    "pulumi preview --stack prod": (
        "tests/engine/test_refusals.py::test_bad_config_gives_the_models_own_text_and_changes_nothing"
    ),
}
# What no test can type, each with its reason.
NOT_RUN: Mapping[str, str] = {
    "pulumi login": "asks for an account at Pulumi Cloud",
    "pulumi login 's3://runbook-state?region=eu-west-1'": "asks for a bucket and its keys",
    'make setup && export PATH="$PWD/.venv/engine:$PATH"': "every other test stands on what it made",
    'export PATH="$PWD/.venv/engine:$PATH"': "as every test finds the engine",
    "script/test tests/model tests/steps": "runs tests from a test",
    "script/test tests/engine/test_drift.py": "runs tests from a test",
}


@dataclass(frozen=True)
class Command:
    """A line of a block for the shell. `page` is its path from the root; `text` has no comment."""

    page: str
    text: str

    @property
    def name(self) -> str:
        """What it is listed as: a command of ours by its name, all else whole."""
        words = self.text.split()
        return " ".join(words[:2]) if words[0] == "./cutover" else self.text


@cache
def pages() -> dict[str, str]:
    """Every page that people write or read, by its path from the root."""
    files = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
    return {str(file.relative_to(ROOT)): file.read_text(encoding="utf-8") for file in files}


def blocks(page: str, *languages: str) -> list[str]:
    """The fenced blocks of a page in these languages."""
    return [body for language, body in _BLOCK.findall(pages()[page]) if language in languages]


def commands(page: str) -> Iterator[Command]:
    """Every command of a page's blocks: all lines of `sh`, and of `console` those that are typed."""
    for language, body in _BLOCK.findall(pages()[page]):
        lines = re.sub(r"\\\n\s*", "", body).splitlines()
        typed = lines if language == "sh" else [line[2:] for line in lines if line.startswith("$ ")]
        for line in typed if language in ("sh", "console") else ():
            text = re.sub(r"\s+#.*$", "", line).strip()
            if text:
                yield Command(page, text)


def typed() -> dict[str, str]:
    """The blocks that tests/docs/test_backends.py and tests/engine/test_adopting.py type as they stand, by what they
    are for."""
    local, _, _, move, cancel, mend = blocks("docs/state-backends.md", "sh")
    first = blocks("docs/first-cutover.md", "sh")
    secret = next(block for block in first if block.startswith("pulumi config set"))
    list_, take = (block for block in first if "existing.json" in block)
    return {
        "local": local,
        "move": move,
        "cancel": cancel,
        "mend": mend,
        "secret": secret,
        "list": list_,
        "take": take,
    }


def inline(page: str) -> list[str]:
    """Commands in running text and tables."""
    return _INLINE.findall(_BLOCK.sub("", pages()[page]))
