"""The stack file of an earlier crossing, from git."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from runbook.cli import earlier
from runbook.cli.errors import CliError
from runbook.cli.place import Place
from runbook.cli.stack import Here
from runbook.model.cutover.ledger import Ledger, Memory
from runbook.model.cutover.phases import Phase
from tests.stacks import ROOT, settings

FILE = "Pulumi.prod.yaml"


def _git(folder: Path, *words: str) -> str:
    who = ("-c", "user.name=Ada", "-c", "user.email=ada@made-up.example")
    done = subprocess.run(["git", *who, *words], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture
def here(tmp_path: Path) -> Here:
    """A stack whose file was committed for 1-flip, and edited since. It lies in a folder of a larger repository."""
    folder = tmp_path / "operations"
    folder.mkdir()
    before = (ROOT / FILE).read_text(encoding="utf-8")
    (folder / FILE).write_text(before, encoding="utf-8")
    _git(tmp_path, "init", "-q")
    _git(tmp_path, "add", "-A")
    _git(tmp_path, "commit", "-q", "-m", "Flip")
    commit = _git(tmp_path, "rev-parse", "HEAD")
    (folder / FILE).write_text(before.replace("release: v1.0.0", "release: v2.0.0"), encoding="utf-8")
    _git(tmp_path, "commit", "-q", "-a", "-m", "Release")
    made = Here(Place(folder, dict(os.environ)), "prod")
    commits = {"1-flip": commit, "2-back": "0" * 40}
    made.memory = Memory(Ledger(phase=Phase.STEADY, side=settings("prod").current, commits=commits))
    return made


def test_the_file_of_the_commit_that_the_ledger_has(here: Here) -> None:
    text, said = earlier.stack_file(here, "1-flip")
    assert "release: v1.0.0" in text
    assert "release: v2.0.0" in here.file.read_text(encoding="utf-8")
    assert said.endswith("which asked for 1-flip.")
    assert earlier.settings_of(text, FILE).current.release == "v1.0.0"


@pytest.mark.parametrize("tag", ["2-back", "7-flip"])
def test_a_crossing_that_nothing_knows(here: Here, tag: str) -> None:
    """Git has lost the commit, or there never was one; and no record says what the crossing asked for."""
    with pytest.raises(CliError) as error:
        earlier.stack_file(here, tag)
    assert error.value.code == 2
    assert f"No stack file of crossing {tag} can be found: the ledger knows the commits of 1-flip, 2-back." in (
        error.value.sentence
    )
    assert "git log -- Pulumi.prod.yaml" in error.value.remedy


def test_a_file_that_is_not_valid_any_more(here: Here) -> None:
    text = here.file.read_text(encoding="utf-8").replace("runbook:zone:", "runbook:zones:")
    with pytest.raises(CliError, match=r"is not valid today \(runbook:zones\)"):
        earlier.settings_of(text, FILE)
