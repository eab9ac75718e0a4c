"""Files that a crossing leaves behind."""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from runbook.model.cutover.step import Kind
from runbook.steps.call import Call, StepError
from runbook.steps.kinds import act
from tests.steps.conftest import NOW

Make = Callable[..., Call]
CI = ("GITHUB_ACTIONS", "GITHUB_ACTOR", "GITHUB_RUN_ID", "GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "GITLAB_CI")


@pytest.fixture(autouse=True)
def _on_a_desk(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in CI:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LOGNAME", "amina")


def test_a_page_is_written_whole(call: Make, tmp_path: Path) -> None:
    path = tmp_path / "out" / "way-back.md"
    for text in ("# Way back\n", "# Way back, again é\n"):
        evidence = act(Kind.WRITE, call({"path": str(path), "text": text}))
        assert evidence == {"path": str(path), "sha256": hashlib.sha256(text.encode()).hexdigest()}
        assert path.read_text() == text
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert os.listdir(path.parent) == ["way-back.md"]


def test_a_page_that_cannot_be_written(call: Make, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    path = tmp_path / "taken" / "way-back.md"
    with pytest.raises(StepError) as error:
        act(Kind.WRITE, call({"path": str(path), "text": "x"}))
    assert str(error.value) in {
        f"{path} cannot be written: {reason}. Make room or mend its rights."
        for reason in ("Not a directory", "File exists")
    }


def test_a_page_that_fails_half_way_leaves_the_old_one(
    call: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "way-back.md"
    path.write_text("old")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StepError, match="cannot be written: No space left on device"):
        act(Kind.WRITE, call({"path": str(path), "text": "new"}))
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["way-back.md"]


READ = {"promote": {"deployment": "dpl_1", "already": False}, "dns": {"answer": "é"}, "purge": {"hosts": []}}
ACTED = {"promote": "1-flip", "dns": "prepare-1/1-flip/flipped", "purge": "1-flip/2"}


def completed(call: Make, path: Path, **more: Any) -> dict[str, Any]:
    args = {"path": str(path), "record": {"stack": "prod", "direction": "flip"}}
    given = {"read": READ, "acted": ACTED, **more}
    assert act(Kind.COMPLETE, call(args, **given)) == {"at": NOW, "path": str(path)}
    found: dict[str, Any] = json.loads(path.read_text())
    return found


@pytest.mark.usefixtures("server")
def test_the_evidence_file(call: Make, tmp_path: Path) -> None:
    path = tmp_path / "evidence" / "1-flip.json"
    expected = {
        "stack": "prod",
        "direction": "flip",
        "crossing": "1-flip",
        "at": NOW,
        "by": {"claimed": "amina"},
        "steps": READ,
        "earlier": {},
    }
    assert completed(call, path) == expected
    assert completed(call, path) == expected
    assert stat.S_IMODE(path.stat().st_mode) == 0o644


@pytest.mark.usefixtures("server")
def test_what_was_seen_in_another_crossing_is_not_told_as_seen_in_this(call: Make, tmp_path: Path) -> None:
    """A step that failed, or had nothing to do, still keeps what it saw when it acted last."""
    before = {
        "build": {"deployment": "dpl_1"},
        "gate": {"status": 200},
        "login": {"user": "u"},
        "dns": {"answer": "x"},
        "lock": {},
        "worker": {},
    }
    acted = {
        "build": "prepare-1",
        "gate": "1-flip/3",
        "login": "1-flip",
        "dns": "12-back",
        "lock": "2-back",
        "worker": "",
    }
    failed = {"login": "Step login: auth.example refuses the API key."}
    found = completed(
        call,
        tmp_path / "2-back.json",
        trigger="2-back",
        read=before,
        acted=acted,
        failed=dict.fromkeys(acted, "") | failed,
    )
    assert found["steps"] == {"lock": {}, "login": {"failed": failed["login"]}}
    assert found["earlier"] == {
        "build": {"acted": "prepare-1", "evidence": {"deployment": "dpl_1"}},
        "dns": {"acted": "12-back", "evidence": {"answer": "x"}},
        "gate": {"acted": "1-flip/3", "evidence": {"status": 200}},
    }


@pytest.mark.usefixtures("server")
@pytest.mark.parametrize(
    ("seen", "by"),
    [
        (
            {
                "GITHUB_ACTIONS": "true",
                "GITHUB_ACTOR": "amina",
                "GITHUB_RUN_ID": "42",
                "GITHUB_SERVER_URL": "https://github.com",
                "GITHUB_REPOSITORY": "acme/ops",
            },
            {"github": "amina", "run": "42", "url": "https://github.com/acme/ops/actions/runs/42"},
        ),
        (
            {
                "GITLAB_CI": "true",
                "GITLAB_USER_LOGIN": "amina",
                "CI_JOB_ID": "7",
                "CI_JOB_URL": "https://gitlab.example/acme/ops/-/jobs/7",
            },
            {"gitlab": "amina", "run": "7", "url": "https://gitlab.example/acme/ops/-/jobs/7"},
        ),
        ({"GITHUB_ACTOR": "somebody"}, {"claimed": "amina"}),
    ],
    ids=["github", "gitlab", "an actor without CI"],
)
def test_who_did_it(
    call: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seen: dict[str, str], by: dict[str, str]
) -> None:
    for name, value in seen.items():
        monkeypatch.setenv(name, value)
    assert completed(call, tmp_path / "1-flip.json")["by"] == by
