"""Texts and exit codes that need no engine."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from runbook.cli.__main__ import main
from runbook.cli.app import COMMANDS, build
from runbook.cli.codes import Code, table
from runbook.cli.errors import CliError
from runbook.cli.out import Out

HEAVY = ("pulumi", "runbook.model.settings", "httpx", "grpc", "yaml", "rich.live", "dns")


def test_help_and_mistakes_need_nothing_heavy() -> None:
    """What makes them fast: a time would be another on every machine."""
    program = (
        "import sys\nfrom runbook.cli.__main__ import main\n"
        "for words in (['--help'], ['status', '--foo'], ['plan', '--help']):\n    main(words)\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stderr.splitlines()[-1] == "[]"


def test_every_command_explains_itself() -> None:
    shown = CliRunner().invoke(build(), ["--help"]).stdout
    for name in COMMANDS:
        assert f"\n  {name} " in shown
        done = CliRunner().invoke(build(), [name, "--help"])
        assert done.exit_code == 0
        assert "--stack" in done.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["status", "--foo"], "No such option: --foo. See ./cutover status --help."),
        (["stauts"], "No such command 'stauts'. Did you mean 'status'? See ./cutover --help."),
        (["practice", "strat"], "Did you mean 'start', 'status'? See ./cutover practice --help."),
        (["status"], "No stack is named: the stacks here are "),
        (["status", "--stack", "prdo"], "Did you mean --stack prod?"),
        (["status", "--stack", "nothing-like-it"], "Make Pulumi.nothing-like-it.yaml, or name one of these."),
        (["apply", "--stack", "prod"], "Missing option '--plan'"),
        (["apply", "--stack", "prod", "--plan", "12345678"], "12 hex digits or more, and got 12345678. Copy it from"),
        (["apply", "--stack", "prod", "--plan", "*" * 12], "12 hex digits or more, and got ************."),
        (["phase", "flopped", "--stack", "prod"], "Did you mean flipped?"),
        (["phase", "prepared", "--stack", "prod"], "has no cutover, so it has no phase to change."),
        (["evidence", "--stack", "prod", "--by", "Ada"], "A signature says who and why. Give both --by and --why."),
        (["evidence", "--stack", "prod", "--by", "", "--why", "x"], "A signature says who and why."),
    ],
)
def test_a_mistake_is_one_sentence_with_a_remedy(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PULUMI_STACK", raising=False)
    assert main(words) == Code.USAGE
    out, err = capsys.readouterr()
    assert said in " ".join(err.split())
    assert out == ""


def test_a_mistake_in_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["status", "--stack", "prdo", "--json"]) == Code.USAGE
    found = json.loads(capsys.readouterr().out)
    assert found["code"] == 2
    assert found["error"].startswith("There is no stack prdo")
    assert found["remedy"] == "Did you mean --stack prod?"
    assert list(found) == ["error", "remedy", "code", "details"]


def test_a_command_in_a_remedy_stands_on_one_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is pasted, also from a narrow terminal."""
    monkeypatch.setenv("COLUMNS", "60")
    said = CliError("No. " * 30, f"Then: ./cutover apply --plan {'0' * 12} --stack easymo-staging --practice")
    Out().failed(said)
    lines = capsys.readouterr().err.splitlines()
    assert lines[-1] == said.remedy
    assert max(map(len, lines[:-1])) <= 60


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopped_outside_the_engine(number: signal.Signals) -> None:
    """Before anything was begun; a program reads that in JSON too."""
    program = (
        "import os, runpy, sys\nimport runbook.cli.stack as stack\n"
        f"stack.place = lambda practice: os.kill(os.getpid(), {number.value})\n"
        "sys.argv = ['cutover', 'status', '--practice', '--json']\n"
        "runpy.run_module('runbook.cli', run_name='__main__')"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == Code.INTERRUPTED, done.stderr
    found = json.loads(done.stdout)
    assert (found["error"], found["code"]) == ("Stopped.", 130)
    assert found["remedy"] == "Where the stack stands: ./cutover status --practice"
    assert "Traceback" not in done.stderr


def test_a_closed_terminal_does_not_keep_a_command_from_its_end() -> None:
    program = (
        "import os, runpy, signal, sys\nimport runbook.cli.stack as stack\n"
        "place = stack.place\n"
        "stack.place = lambda practice: os.kill(os.getpid(), signal.SIGHUP) or place(practice)\n"
        "sys.argv = ['cutover', 'status', '--stack', 'prdo']\n"
        "runpy.run_module('runbook.cli', run_name='__main__')"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == Code.USAGE
    assert "There is no stack prdo" in done.stderr


def test_a_terminal_that_is_not_set_to_utf_8(tmp_path: Path) -> None:
    program = "from runbook.cli.out import Out\nOut().raw('a … b')\nOut(True).data({'a': '…'})"
    environment = {**os.environ, "PYTHONIOENCODING": "latin-1"}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, env=environment)
    assert done.stdout.startswith(b"a ? b")


def test_a_file_that_is_no_yaml(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "Pulumi.prod.yaml").write_text("config:\n  runbook:cutover: {phase: steady\n")
    monkeypatch.setattr("runbook.cli.place.ROOT", tmp_path)
    assert main(["phase", "prepared", "--stack", "prod"]) == Code.USAGE
    said = "".join(capsys.readouterr().err.split())  # the folder's name may be longer than a line
    assert "Pulumi.prod.yaml is no valid YAML in line 3. Mend it".replace(" ", "") in said


def test_colour_that_is_asked_for_makes_no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """As CI does: nothing is written over then."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert not Out().lively


def test_a_way_back_leaves_nothing_out(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rollback", "--stack", "prod", "--target", "x"]) == Code.REFUSED
    assert "A way back leaves nothing out." in capsys.readouterr().err


def test_no_argument_shows_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == Code.DONE
    assert "rollback" in capsys.readouterr().out
    assert main(["practice"]) == Code.DONE
    out, err = capsys.readouterr()
    assert err == ""
    assert [line for line in out.splitlines()[1:] if line.endswith("...")] == []  # none is cut


def test_a_fault_of_ours_is_told_in_a_sentence(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    def fault(_words: object) -> int:
        raise RuntimeError("hunter2")

    monkeypatch.setattr("runbook.cli.__main__._run", fault)
    monkeypatch.setattr("runbook.cli.place.ROOT", tmp_path)
    assert main(["plan"]) == Code.FAILED
    said = " ".join(capsys.readouterr().err.split())
    assert said.startswith("`plan` met something that this program did not expect (RuntimeError); out/cutover/fault-")
    assert "Traceback" not in said
    assert "hunter2" not in said


def test_what_the_system_refuses_is_no_fault_of_ours(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_words: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device", "out/cutover/prod")

    monkeypatch.setattr("runbook.cli.__main__._run", full)
    assert main(["rollback", "--json"]) == Code.FAILED
    found = json.loads(capsys.readouterr().out)
    assert found["error"] == (
        "The system refused something that this command needs (out/cutover/prod: No space left on device)."
    )
    assert "The way back does not need this program" in found["remedy"]


def test_the_codes_are_a_contract() -> None:
    assert {code.name: code.value for code in Code} == {
        "DONE": 0,
        "FAILED": 1,
        "USAGE": 2,
        "REFUSED": 3,
        "OTHER_PLAN": 4,
        "DRIFT": 5,
        "LOCKED": 6,
        "INTERRUPTED": 130,
    }
    assert table().count("\n") == len(Code) + 1
