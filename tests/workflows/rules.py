"""What every workflow keeps to. Each rule gives a sentence for what breaks it, so that a test can break it too."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from tests.workflows.workflows import Workflow

PINNED = re.compile(r"^\s*-? *uses: [\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$")
SECRET = re.compile(r"\bsecrets\b")
UPDATES = re.compile(r"\./cutover (apply|rollback)\b|\bpulumi up\b")
# Who may write what: the job that edits the comment, and nobody else.
WRITES = {("preview", "comment"): {"pull-requests"}}
# Pull requests that get no secret, and what keeps them out of a job that wants one.
GUARDS = {
    "of a fork": "github.event.pull_request.head.repo.full_name == github.repository",
    "of Dependabot": "github.event.pull_request.user.login != 'dependabot[bot]'",
}
TRIGGERS = {"pull_request", "push", "workflow_dispatch", "schedule"}  # none that gives a stranger's code a secret


def pins(workflow: Workflow) -> Iterator[str]:
    for line in workflow.text.splitlines():
        if re.match(r"\s*-? *uses:", line) and not PINNED.match(line):
            yield f"not pinned by a full commit with its version: {line.strip()}"


def triggers(workflow: Workflow) -> Iterator[str]:
    yield from (f"is started by {each}" for each in workflow.triggers if each not in TRIGGERS)


def permissions(workflow: Workflow) -> Iterator[str]:
    if workflow.plain.get("permissions") != {}:
        yield "the workflow itself has permissions"
    for name, job in workflow.jobs.items():
        given = job.get("permissions")
        if not isinstance(given, dict):
            yield f"{name} names no permissions"
            continue
        wrote = {what for what, how in given.items() if how != "read"}
        yield from (f"{name} may write {what}" for what in wrote - WRITES.get((workflow.name, name), set()))


def untrusted(workflow: Workflow) -> Iterator[str]:
    """An expression in a shell's text is pasted into it before the shell reads it."""
    for name, _, step in workflow.steps():
        if "${{" in step.get("run", ""):
            yield f"{name} has an expression in run: {step['run'].splitlines()[0]}"
    if workflow.plain.get("defaults") != {"run": {"shell": "bash"}}:
        yield "its shell is not bash with pipefail"


def secrets(workflow: Workflow) -> Iterator[str]:
    """Only as an environment variable of one step, only in a job that may write nothing, and bound to an
    environment."""
    for name, job in workflow.jobs.items():
        secret_steps = [step for step in job["steps"] if SECRET.search(str(step.get("env", "")))]
        outside = {key: value for key, value in job.items() if key != "steps"}
        steps = [{key: value for key, value in step.items() if key != "env"} for step in job["steps"]]
        if SECRET.search(str(outside)) or SECRET.search(str(steps)):
            yield f"{name} has a secret elsewhere than in the env of a step"
        if not secret_steps:
            continue
        if "environment" not in job:
            yield f"{name} has secrets of no environment"
        if any(how != "read" for how in (job.get("permissions") or {}).values()):
            yield f"{name} has secrets and may write"
        if any("uses" in step for step in secret_steps):
            yield f"{name} gives a secret to an action"
        yield from (
            f"{name} wants secrets in a pull request {of}, which gets none"
            for of, guard in GUARDS.items()
            if "pull_request" in workflow.triggers and guard not in job.get("if", "")
        )
    if SECRET.search(str({key: value for key, value in workflow.plain.items() if key != "jobs"})):
        yield "the workflow itself names a secret"


def checkouts(workflow: Workflow) -> Iterator[str]:
    for name, _, step in workflow.steps():
        if step.get("uses", "").startswith("actions/checkout@"):
            given: dict[str, Any] = step.get("with") or {}
            if given.get("persist-credentials") is not False:
                yield f"{name} leaves its token in the checkout"


def never_cut_short(workflow: Workflow) -> Iterator[str]:
    """A job that updates a stack is never cancelled by another, and is the only one of its group for that stack."""
    for name, job in workflow.jobs.items():
        if not UPDATES.search(str(job["steps"])):
            continue
        given = workflow.concurrency(name)
        if given.get("cancel-in-progress") is not False:
            yield f"{name} can be cancelled in progress"
        if not re.search(r"\$\{\{ (inputs|matrix)\.stack \}\}", str(given.get("group"))):
            yield f"{name} is not one at a time per stack"
        if job["timeout-minutes"] < 60:
            yield f"{name} has a limit that an update may reach"


def limits(workflow: Workflow) -> Iterator[str]:
    yield from (f"{name} has no time limit" for name, job in workflow.jobs.items() if "timeout-minutes" not in job)


RULES: tuple[Callable[[Workflow], Iterator[str]], ...] = (
    pins,
    triggers,
    permissions,
    untrusted,
    secrets,
    checkouts,
    never_cut_short,
    limits,
)
