from __future__ import annotations

import io
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from script.engine.guard import alone, anew, replace_text, whole
from script.engine.progress import Progress
from tests.setup.checkouts import ROOT


def test_a_finished_folder_takes_its_name(tmp_path: Path) -> None:
    final = tmp_path / "cache" / "engine"
    with whole(final) as partial:
        (partial / "pulumi").write_text("whole", encoding="utf-8")
        assert not final.exists()
    assert (final / "pulumi").read_text(encoding="utf-8") == "whole"
    assert os.listdir(final.parent) == ["engine"]


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_an_unfinished_folder_leaves_nothing(tmp_path: Path, error: type[BaseException]) -> None:
    def fail(partial: Path) -> None:
        (partial / "pulumi").write_text("half", encoding="utf-8")
        raise error

    with pytest.raises(error), whole(tmp_path / "engine") as partial:
        fail(partial)
    assert os.listdir(tmp_path) == []


def test_what_a_killed_set_up_left_is_thrown_away(tmp_path: Path) -> None:
    (tmp_path / "engine.partial").mkdir()
    (tmp_path / "engine.partial" / "pulumi").write_text("half", encoding="utf-8")
    with whole(tmp_path / "engine") as partial:
        assert os.listdir(partial) == []


@pytest.mark.parametrize("killed", [False, True])
@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_a_folder_that_cannot_be_made_anew_stays(tmp_path: Path, error: type[BaseException], killed: bool) -> None:
    def fail() -> None:
        place.mkdir()
        (place / "half").touch()
        raise error

    place, aside = tmp_path / "venv", tmp_path / "before"
    (aside if killed else place).mkdir()
    ((aside if killed else place) / "whole").touch()
    if killed:
        place.mkdir()
        (place / "half").touch()
    with pytest.raises(error), anew(place, aside):
        fail()
    assert [(path.name, os.listdir(path)) for path in tmp_path.iterdir()] == [("venv", ["whole"])]


def test_a_folder_that_was_made_anew_has_nothing_of_the_old_one(tmp_path: Path) -> None:
    place = tmp_path / "venv"
    place.mkdir()
    (place / "old").touch()
    with anew(place, tmp_path / "before"):
        place.mkdir()
    assert [(path.name, os.listdir(path)) for path in tmp_path.iterdir()] == [("venv", [])]


def test_a_small_file_is_replaced_in_one_go(tmp_path: Path) -> None:
    replace_text(tmp_path / "stamp", "1")
    replace_text(tmp_path / "stamp", "2")
    assert (tmp_path / "stamp").read_text(encoding="utf-8") == "2"
    assert os.listdir(tmp_path) == ["stamp"]


HOLD = """
import io, sys, pathlib
from script.engine.guard import alone
from script.engine.progress import Progress
with alone(pathlib.Path(sys.argv[1]), Progress(io.StringIO(), {})):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_second_set_up_waits_for_the_first(tmp_path: Path) -> None:
    lock = tmp_path / "deep" / "lock"
    child = subprocess.Popen(
        [sys.executable, "-c", HOLD, lock], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert child.stdin
    assert child.stdout
    assert child.stdout.readline() == "held\n"
    release = child.stdin
    said = io.StringIO()

    class Releasing(Progress):
        def tick(self) -> None:
            release.close()

    began = time.monotonic()
    with alone(lock, Releasing(said, {})):
        assert child.wait(10) == 0
    assert time.monotonic() - began < 10
    assert said.getvalue() == "Waiting for another set-up that does the same work\n"
    child.stdout.close()
