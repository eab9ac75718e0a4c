"""What the command says when it cannot begin."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import MagicMock

import pytest

from runbook.rehearsal import __main__, command, problems
from runbook.rehearsal.child import kept
from runbook.rehearsal.clouds import Clouds
from runbook.rehearsal.engine import Engine
from runbook.rehearsal.problems import RehearsalError, from_system, refused
from runbook.rehearsal.progress import counts, did
from runbook.rehearsal.report import page
from runbook.rehearsal.result import Act
from tests.rehearsal.samples import result, with_cutover
from tests.stacks import ROOT


def rehearsal(*arguments: str) -> subprocess.CompletedProcess[str]:
    whole = [sys.executable, "-m", "runbook.rehearsal", *arguments]
    return subprocess.run(whole, cwd=ROOT, capture_output=True, text=True, check=False)


def test_a_typo_gets_the_names_that_are_known() -> None:
    done = rehearsal("prod", "esymo-prod")

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.strip() == (
        "There is no stack esymo-prod: the stacks here are easymo-prod, easymo-staging, prod, staging. "
        "Did you mean easymo-prod?"
    )


def test_ctrl_c_before_anything_began_is_quiet(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stopped(_arguments: list[str]) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "main", stopped)

    assert __main__.main() == 130
    assert capsys.readouterr().err == "Stopped before anything began.\n"


def test_a_second_rehearsal_in_the_same_checkout_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "OUT", tmp_path / "rehearsal")
    with (tmp_path / "rehearsal.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)

        assert command.main(["prod"]) == 1
    assert capsys.readouterr().err.strip() == (
        "A rehearsal is running in this checkout already: wait for it and run the same command again."
    )


def test_a_port_that_is_not_to_be_had_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def forbidden(_clouds: Clouds) -> Clouds:
        raise RuntimeError("Failed to bind to address 127.0.0.1:0")

    monkeypatch.setattr(command, "OUT", tmp_path / "rehearsal")
    monkeypatch.setattr(Clouds, "__enter__", forbidden)

    assert command.main(["prod"]) == 1
    assert capsys.readouterr().err.strip() == (
        "The stand-in clouds cannot listen on 127.0.0.1 (Failed to bind to address 127.0.0.1:0): see what forbids it."
    )


def test_nobody_reading_the_page_is_no_traceback(tmp_path: Path) -> None:
    code = f"""
from pathlib import Path
from runbook.rehearsal import command
from tests.rehearsal.samples import result
command.OUT = Path({str(tmp_path)!r})
raise SystemExit(command.conclude(result()))
"""
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, stdout=writing, stderr=subprocess.PIPE, text=True, check=False
    )
    os.close(writing)

    assert (done.returncode, done.stderr) == (1, "")


def test_without_the_cli_there_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(RehearsalError) as missing:
        Engine(tmp_path, tmp_path / "out", {})
    assert str(missing.value) == "The Pulumi CLI is not there (.venv/engine): run `make setup` and try again."


def test_children_see_no_token_of_this_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".venv" / "engine").mkdir(parents=True)
    (tmp_path / ".venv" / "engine" / "pulumi").touch()
    (tmp_path / "Pulumi.yaml").touch()
    for name in ("CLOUDFLARE_API_TOKEN", "VERCEL_API_TOKEN", "GRAFANA_AUTH", "PULUMI_ACCESS_TOKEN", "http_proxy"):
        monkeypatch.setenv(name, "theirs")
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "theirs")
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")

    seen = Engine(tmp_path, tmp_path / "out", {"FROM": "clouds"}).environment

    assert "theirs" not in seen.values()
    assert "PYTHONDONTWRITEBYTECODE" not in seen
    assert seen["FROM"] == "clouds"
    assert seen["PATH"].split(os.pathsep)[0] == str(tmp_path / ".venv" / "engine")
    assert {name: value for name, value in kept().items() if name != "PATH"}.items() <= seen.items()


@pytest.mark.parametrize(("unfinished", "code"), [([], 0), (["update dns-auth"], 1)])
def test_a_change_in_the_second_preview_is_a_failure(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    unfinished: list[str],
    code: int,
) -> None:
    monkeypatch.setattr(command, "OUT", tmp_path)
    found = result(*unfinished)

    assert command.conclude(found) == code
    assert capsys.readouterr().out.splitlines() == list(page(found, 80))
    assert (tmp_path / "result.json").read_text(encoding="utf-8") == found.as_json()


def test_what_a_cutover_does_not_prove_is_a_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "OUT", tmp_path)

    assert command.conclude(with_cutover()) == 0
    assert command.conclude(with_cutover(differs=["It differs."])) == 1
    assert capsys.readouterr().err == "It differs.\n"
    assert '"rollback_identical": false' in (tmp_path / "result.json").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("operations", "rules", "text"),
    [
        ({"same": 60, "update": 27, "failed": 1}, (), "27 updated, 1 failed"),
        ({"create": 1, "delete": 2, "same": 3}, (), "1 created, 2 deleted"),
        ({"same": 93}, (), "nothing to do"),
        ({"same": 1}, ("build", "build", "soak"), "refused: build, soak"),
    ],
)
def test_an_act_is_told_in_words(operations: dict[str, int], rules: tuple[str, ...], text: str) -> None:
    assert did(Act("cutover", "flipped", "up", operations, 1.0, {}, rules)) == text


def test_too_little_room_is_found_out_before_anything_begins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "OUT", tmp_path / "rehearsal")
    monkeypatch.setattr(problems, "NEEDED_BYTES", 10**18)

    assert command.main(["prod"]) == 1
    assert capsys.readouterr().err.strip().startswith("The disk is full")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (
            OSError(errno.ENOSPC, "No space left on device", "/x"),
            "The disk is full, and the rehearsal needs some 100 MB: make room and run the same command again.",
        ),
        (
            PermissionError(errno.EACCES, "Permission denied", "/x/out"),
            "The system refused something that the rehearsal needs (/x/out: Permission denied): mend that and "
            "run the same command again.",
        ),
        (
            sqlite3.OperationalError("database is locked"),
            "The store of the stand-in clouds cannot be used (database is locked): mend that and "
            "run the same command again.",
        ),
    ],
)
def test_what_the_system_refuses_is_one_sentence(error: OSError | sqlite3.Error, sentence: str) -> None:
    assert str(from_system(error, ROOT)) == sentence


def test_whatever_fails_where_nothing_is_left_of_the_disk_the_disk_is_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of a full disk the engine says nothing at all (seen, 3.258), and SQLite something of its own."""
    monkeypatch.setattr(command, "OUT", tmp_path / "not-there-yet" / "rehearsal")
    for error in (RehearsalError("It said nothing."), sqlite3.OperationalError("disk I/O error")):
        monkeypatch.setattr(command, "_rehearsal", MagicMock(side_effect=error))
        assert command.main(["prod"]) == 1
        assert "The disk is full" not in capsys.readouterr().err
        with monkeypatch.context() as full:
            full.setattr(shutil, "disk_usage", lambda _folder: SimpleNamespace(free=0))
            assert command.main(["prod"]) == 1
        assert capsys.readouterr().err.strip().startswith("The disk is full")


def test_a_command_that_failed_says_what_was_refused_and_where_the_rest_is() -> None:
    log = ROOT / "out" / "rehearsal" / "log" / "prod" / "2-up.txt"

    assert str(refused("prod", "up", ["cloudflare: 1004", "grafana: 503"], log)).endswith(
        "\n\ncloudflare: 1004\n\ngrafana: 503"
    )
    assert str(refused("prod", "up", [], log)).startswith("`pulumi up` of prod failed; its whole output is in ")
    full = refused("prod", "up", ["write state: no space left on device"], log)
    assert str(full).startswith("The disk is full")


@pytest.mark.parametrize(
    ("name", "resources", "text"),
    [
        ("preview", {"create": 57}, "57 to create"),
        ("up", {"create": 56, "update": 1}, "56 created, 1 updated"),
        ("second_preview", {"same": 57}, "57 unchanged"),
    ],
)
def test_progress_counts_in_words(name: str, resources: dict[str, int], text: str) -> None:
    assert counts(name, resources) == text
