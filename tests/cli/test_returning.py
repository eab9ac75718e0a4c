"""Which stack file a way back is made with: it returns traffic whatever the file asks for at that hour."""

from __future__ import annotations

import os
import subprocess
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from runbook.cli import edits, returning
from runbook.cli.errors import CliError
from runbook.cli.place import Place
from runbook.cli.stack import Here
from runbook.model.cutover.ledger import COMPLETE, Ledger, Memory
from runbook.model.cutover.phases import Direction, Phase
from runbook.rehearsal.cutover.edits import Block, StackConfig
from tests.stacks import ROOT, settings

FILE = "Pulumi.prod.yaml"
REF = "ibiminanextplacehold"
NEXT: dict[str, Any] = {"supabaseRef": REF, "targets": {"auth": f"{REF}.supabase.co"}}
OPENS = datetime(2026, 11, 27, 20, tzinfo=UTC)
BLOCK = Block(next=NEXT, opens=OPENS, functions={}, owners=("on-call",), back_out=("auth-availability",))


def _git(folder: Path, *words: str) -> str:
    who = ("-c", "user.name=Ada", "-c", "user.email=ada@made-up.example")
    return subprocess.run(
        ["git", *who, *words], cwd=folder, check=True, capture_output=True, text=True
    ).stdout.strip()


@pytest.fixture
def here(tmp_path: Path) -> Here:
    """A stack that was flipped from a commit, and settled since."""
    (tmp_path / FILE).write_text((ROOT / FILE).read_text(encoding="utf-8"), encoding="utf-8")
    StackConfig(tmp_path / FILE).write(cutover=BLOCK.section("flipped"))
    _git(tmp_path, "init", "-q")
    _git(tmp_path, "add", "-A")
    _git(tmp_path, "commit", "-q", "-m", "Flip")
    made = Here(Place(tmp_path, dict(os.environ)), "prod")
    current = settings("prod").current
    side = current.model_copy(update={"supabase_ref": REF, "targets": {**current.targets, **NEXT["targets"]}})
    ledger = Ledger(
        phase=Phase.SETTLED,
        side=side,
        crossing=1,
        direction=Direction.FLIP,
        before=current,
        commits={"1-flip": _git(tmp_path, "rev-parse", "HEAD")},
    )
    made.memory = Memory(ledger, {COMPLETE: "1-flip"}, {COMPLETE: {}})
    return made


def _remember(here: Here, *, acted: str = "1-flip", **changed: Any) -> None:
    assert here.memory.ledger is not None
    here.memory = Memory(replace(here.memory.ledger, **changed), {COMPLETE: acted}, {COMPLETE: {}})


def _text(here: Here) -> str:
    return here.file.read_text(encoding="utf-8")


def _asks(text: str) -> tuple[str, str]:
    config = yaml.safe_load(text)["config"]
    return edits.phase_of(text, FILE), config["runbook:current"]["targets"]["auth"]


@pytest.mark.parametrize("phase", ["flipped", "settled", "rolled-back"])
def test_the_word_alone_where_the_cutover_stands(here: Here, phase: str) -> None:
    text = edits.with_phase(_text(here), phase, FILE)
    found, said = returning.returning(here, text)
    assert found == edits.with_phase(text, "rolled-back", FILE)
    assert said == ""


@pytest.mark.parametrize("phase", ["steady", "prepared"])
def test_a_file_from_before_the_flip_is_as_good(here: Here, phase: str) -> None:
    text = edits.with_phase(_text(here), phase, FILE)
    assert returning.returning(here, text) == (text, "")


@pytest.mark.parametrize("broken", [False, True])
def test_a_file_that_would_end_the_cutover_is_no_way_back(here: Here, broken: bool) -> None:
    """`phase steady` after settled writes current := next: an update with that would forget what served before."""
    text = edits.without_cutover(_text(here), FILE)
    assert _asks(text) == ("steady", f"{REF}.supabase.co")
    found, said = returning.returning(here, f"{text}\n  : [" if broken else text)
    assert _asks(found) == ("rolled-back", settings("prod").current.targets["auth"])
    assert said.startswith(f"{FILE} as it stands cannot go back. Instead: {FILE} of commit ")


@pytest.mark.parametrize("broken", [False, True])
def test_no_file_goes_back(here: Here, monkeypatch: pytest.MonkeyPatch, broken: bool) -> None:
    monkeypatch.setattr(here.engine, "history", lambda: [{"config": {}}])
    text = edits.without_cutover(_text(here), FILE)
    _remember(here, commits={})
    here.file.write_text(f"{text}\n  : [" if broken else text, encoding="utf-8")
    with pytest.raises(CliError) as error:
        returning.returning(here, text)
    assert "asks for no way back" in error.value.sentence
    assert error.value.remedy.endswith("./cutover way-back --stack prod")


def test_a_way_back_under_way_goes_on(here: Here) -> None:
    """Also when main, which still asks for the flip, was checked out again in between."""
    assert here.memory.ledger is not None
    before = here.memory.ledger.before
    assert before is not None
    _remember(here, side=before, before=None, crossing=2, direction=Direction.BACK)
    assert returning.nothing_to_leave(here) == ""
    text = edits.with_phase(_text(here), "flipped", FILE)
    assert _asks(returning.returning(here, text)[0])[0] == "rolled-back"
    ended, said = returning.returning(here, edits.without_cutover(text, FILE))
    assert _asks(ended) == ("rolled-back", before.targets["auth"])
    assert said


@pytest.mark.parametrize(
    ("changed", "acted", "said"),
    [
        ({"before": None, "crossing": 0, "direction": None}, "", "has made no flip"),
        ({"before": None, "crossing": 2, "direction": Direction.BACK}, "2-back", "is back since crossing 2-back"),
        ({"before": None}, "1-flip", "is steady on what crossing 1-flip moved to"),
        ({}, "1-flip", ""),
    ],
)
def test_whether_there_is_something_to_leave(here: Here, changed: dict[str, Any], acted: str, said: str) -> None:
    _remember(here, acted=acted, **changed)
    found = returning.nothing_to_leave(here)
    assert (said in found) if said else (found == "")
