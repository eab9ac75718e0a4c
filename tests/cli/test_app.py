"""Texts and exit codes that need no engine."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from runbook.cli.__main__ import main
from runbook.cli.app import COMMANDS, build
from runbook.cli.codes import Code, table

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
        (["stauts"], "No such command 'stauts'"),
        (["status"], "No stack is named: the stacks here are "),
        (["status", "--stack", "prdo"], "Did you mean --stack prod?"),
        (["status", "--stack", "nothing-like-it"], "Make Pulumi.nothing-like-it.yaml, or name one of these."),
        (["apply", "--stack", "prod"], "Missing option '--plan'"),
        (["phase", "flopped", "--stack", "prod"], "Did you mean flipped?"),
        (["phase", "prepared", "--stack", "prod"], "has no cutover, so it has no phase to change."),
        (["evidence", "--stack", "prod", "--by", "Ada"], "A signature says who and why. Give both --by and --why."),
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


def test_a_way_back_leaves_nothing_out(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rollback", "--stack", "prod", "--target", "x"]) == Code.REFUSED
    assert "A way back leaves nothing out." in capsys.readouterr().err


def test_no_argument_shows_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == Code.DONE
    assert "rollback" in capsys.readouterr().out


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
