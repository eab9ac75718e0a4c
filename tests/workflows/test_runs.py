"""The shell texts of the workflows, run by the shell that runs them, with a ./cutover that only notes and answers."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from script.forge import body
from tests.workflows.workflows import run_of

CUTOVER = """#!/bin/sh
echo "$*" >> asked.txt
if [ -e slow ]; then trap 'echo interrupted >> asked.txt; exit 130' INT; rm slow; while :; do /bin/sleep 0.1; done; fi
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


def run(folder: Path, text: str, codes: list[int] | None = None, cancelled: bool = False, **given: str) -> int:
    (folder / "codes.txt").write_text("".join(f"{code}\n" for code in codes or [0]))
    path = f"{folder / 'bin'}:{os.environ['PATH']}"
    files = {"GITHUB_OUTPUT": str(folder / "output"), "GITHUB_STEP_SUMMARY": str(folder / "summary")}
    (folder / "step.sh").write_text(text)
    command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "step.sh"]  # what `shell: bash` means
    environment = {"PATH": path, "GITHUB_ACTOR": "ada", **files, **given}
    with subprocess.Popen(command, cwd=folder, env=environment, start_new_session=True) as step:
        if cancelled:
            until(lambda: not (folder / "slow").exists())
            step.send_signal(signal.SIGINT)  # GitHub's runner reaches the step's own process and no other
        try:
            return step.wait(60)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(step.pid, signal.SIGKILL)


def until(true: Callable[[], bool]) -> None:
    for _ in range(600):
        if true():
            return
        time.sleep(0.05)
    raise AssertionError("it never came")


def asked(folder: Path) -> list[str]:
    return (folder / "asked.txt").read_text().splitlines()


ROLLBACK = run_of("rollback", "rollback", "./cutover rollback")


def test_rollback_asks_again_while_somebody_holds_the_lock(folder: Path) -> None:
    assert run(folder, ROLLBACK, [6, 6, 0], STACK="prod", WHY="") == 0
    assert asked(folder) == ["rollback --stack prod"] * 3
    assert (folder / "slept.txt").read_text() == "10\n10\n"


def test_rollback_frees_a_lock_that_stayed_when_it_is_asked_to(folder: Path) -> None:
    pulumi = folder / ".venv/engine/pulumi"
    pulumi.parent.mkdir(parents=True)
    pulumi.write_text('#!/bin/sh\necho "pulumi $*" >> asked.txt\nexit 1\n')  # 1: there was none to free
    pulumi.chmod(0o755)
    assert run(folder, ROLLBACK, [0, 0], STACK="prod", WHY="", FREE="true") == 0
    assert asked(folder) == ["pulumi cancel --yes --stack prod", "rollback --stack prod"]


@pytest.mark.parametrize(("name", "job"), [("cutover", "apply"), ("staging", "up")])
def test_a_run_that_is_cancelled_interrupts_the_update(folder: Path, name: str, job: str) -> None:
    """GitHub kills what is left after ten seconds, and the lock stays; with the interrupt most updates end before."""
    (folder / "slow").touch()
    text = "\n".join(line for line in run_of(name, job, "cutover apply").splitlines() if "cutover plan" not in line)
    (folder / "plan.json").write_text(json.dumps({"digest": "0123456789abcdef"}))
    assert run(folder, text, cancelled=True, STACK="prod", PLAN="0123456789abcdef") == 130
    assert asked(folder) == ["apply --stack prod --plan 0123456789abcdef", "interrupted"]


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
    assert run(folder, run_of("preview", "plan", "Set-up failed"), STACK="staging") == 0
    kept = folder / "out/comment/staging"
    assert body("staging", kept).endswith("```text\nSet-up failed; see the run.\n```\n")

    assert run(folder, run_of("preview", "plan", "cutover plan"), [3], STACK="staging") == 3
    assert asked(folder) == ["plan --stack staging --markdown"]
    assert (kept / "plan.md").read_text() == ""
    assert (kept / "said.txt").read_text() == "said\n"
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
