"""The shell texts of the workflows, run by the shell that runs them, with a ./cutover that only notes and answers."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.workflows.workflows import run_of

CUTOVER = """#!/bin/sh
echo "$*" >> asked.txt
count=$(wc -l < asked.txt)
cat stdout.txt 2>/dev/null
echo said >&2
exit "$(sed -n "${count}p" codes.txt)"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    cutover = tmp_path / "cutover"
    cutover.write_text(CUTOVER)
    cutover.chmod(0o755)
    sleep = tmp_path / "bin" / "sleep"
    sleep.parent.mkdir()
    sleep.write_text('#!/bin/sh\necho "$1" >> slept.txt\n')
    sleep.chmod(0o755)
    return tmp_path


def run(folder: Path, text: str, codes: list[int] | None = None, **given: str) -> int:
    (folder / "codes.txt").write_text("".join(f"{code}\n" for code in codes or [0]))
    path = f"{folder / 'bin'}:{os.environ['PATH']}"
    files = {"GITHUB_OUTPUT": str(folder / "output"), "GITHUB_STEP_SUMMARY": str(folder / "summary")}
    command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", text]  # what `shell: bash` means
    done = subprocess.run(
        command, cwd=folder, env={"PATH": path, "GITHUB_ACTOR": "ada", **files, **given}, check=False, timeout=60
    )
    return done.returncode


def asked(folder: Path) -> list[str]:
    return (folder / "asked.txt").read_text().splitlines()


ROLLBACK = run_of("rollback", "rollback", "./cutover rollback")


def test_rollback_asks_again_while_somebody_holds_the_lock(folder: Path) -> None:
    assert run(folder, ROLLBACK, [6, 6, 0], STACK="prod", WHY="") == 0
    assert asked(folder) == ["rollback --stack prod"] * 3
    assert (folder / "slept.txt").read_text() == "10\n10\n"


def test_rollback_that_fails_is_not_tried_again_and_fails_the_run(folder: Path) -> None:
    assert run(folder, ROLLBACK, [1], STACK="prod", WHY="") == 1
    assert asked(folder) == ["rollback --stack prod"]


def test_rollback_gives_the_lock_up_after_a_while(folder: Path) -> None:
    assert run(folder, ROLLBACK, [6] * 60, STACK="prod", WHY="") == 6


def test_a_reason_is_signed_and_is_never_read_as_shell(folder: Path) -> None:
    assert run(folder, ROLLBACK, STACK="prod", WHY='login "fails" $(touch pwned); `id`') == 0
    assert asked(folder) == ['rollback --stack prod --by ada --why login "fails" $(touch pwned); `id`']
    assert not (folder / "pwned").exists()


def test_a_refused_plan_is_kept_for_the_comment_and_fails_the_run(folder: Path) -> None:
    assert run(folder, run_of("preview", "plan", "cutover plan"), [3], STACK="staging") == 3
    assert asked(folder) == ["plan --stack staging --markdown"]
    assert (folder / "out/comment/plan.md").read_text() == ""
    assert (folder / "out/comment/said.txt").read_text() == "said\n"
    assert (folder / "summary").read_text() == "said\n"


def test_staging_applies_the_very_plan_it_made(folder: Path) -> None:
    (folder / "stdout.txt").write_text(json.dumps({"digest": "0123456789abcdef"}))
    assert run(folder, run_of("staging", "up", "cutover apply"), [0, 0], STACK="staging") == 0
    assert asked(folder) == ["plan --stack staging --json", "apply --stack staging --plan 0123456789abcdef"]


def test_staging_applies_nothing_after_a_plan_that_was_refused(folder: Path) -> None:
    assert run(folder, run_of("staging", "up", "cutover apply"), [3], STACK="staging") == 3
    assert asked(folder) == ["plan --stack staging --json"]


@pytest.mark.parametrize(
    ("live", "stacks"),
    [('["prod","staging"]', ["staging"]), ('["prod"]', []), ('["easymo-staging"]', ["easymo-staging"])],
)
def test_staging_takes_the_live_stacks_of_staging(folder: Path, live: str, stacks: list[str]) -> None:
    assert run(folder, run_of("staging", "which", "LIVE_STACKS"), LIVE_STACKS=live) == 0
    assert (folder / "output").read_text() == f"stacks={json.dumps(stacks)}\n"


def test_drift_fails_the_run_and_shows_what_it_found(folder: Path) -> None:
    (folder / "stdout.txt").write_text("dns-staff differs\n")
    assert run(folder, run_of("drift", "drift", "cutover drift"), [5], STACK="prod") == 5
    assert (folder / "summary").read_text() == "dns-staff differs\n"


def test_a_rollback_says_what_main_still_asks_for(folder: Path) -> None:
    text = run_of("rollback", "rollback", "git diff")
    file = folder / "Pulumi.prod.yaml"
    file.write_text("phase: flipped\n")
    git = ["git", "-c", "user.name=t", "-c", "user.email=t@example.org"]
    for words in (["init", "-q"], ["add", file.name], ["commit", "-q", "-m", "first"]):
        subprocess.run([*git, *words], cwd=folder, check=True)
    assert run(folder, text, STACK="prod") == 0
    assert not (folder / "summary").exists()
    file.write_text("phase: rolled-back\n")
    assert run(folder, text, STACK="prod") == 0
    assert "+phase: rolled-back" in (folder / "summary").read_text()
