"""What each workflow is for."""

from __future__ import annotations

import dataclasses
import re
import shlex
from typing import Any

import pytest
import typer

from runbook.cli.app import build
from runbook.model.plans.summary import Summary
from tests.stacks import STACKS
from tests.workflows.workflows import run_of, workflows


def test_tests_and_rehearsal_run_on_every_pull_request_without_a_credential() -> None:
    workflow = workflows()["tests"]
    assert workflow.triggers["pull_request"] is None  # no filter
    assert "secrets." not in workflow.text
    assert "vars." not in workflow.text
    runs = {step["run"] for _, _, step in workflow.steps() if "run" in step}
    assert runs >= {"make check", ".ci/run", "make rehearsal", "script/drains"}


def test_preview_and_staging_follow_the_program_and_the_stack_files() -> None:
    preview, staging = (workflows()[name].triggers for name in ("preview", "staging"))
    wanted = {"Pulumi*.yaml", "__main__.py", "components/**", "runbook/**", "requirements.lock", "cutover"}
    assert wanted <= set(preview["pull_request"]["paths"])
    assert wanted <= set(staging["push"]["paths"])
    assert staging["push"]["branches"] == ["main"]


def test_what_writes_the_comment_runs_the_code_of_the_base_branch() -> None:
    steps = workflows()["preview"].jobs["comment"]["steps"]
    checkout = next(step for step in steps if step.get("uses", "").startswith("actions/checkout@"))
    assert checkout["with"]["ref"] == "${{ github.event.pull_request.base.sha }}"


def test_one_plan_reaches_the_comment_the_same_way_as_several() -> None:
    """A pattern that fits one artifact alone unpacks it without its folder (download-artifact's README)."""
    plan, write = (workflows()["preview"].jobs[job]["steps"] for job in ("plan", "comment"))
    up = next(step["with"] for step in plan if "upload-artifact" in step.get("uses", ""))
    down = next(step["with"] for step in write if "download-artifact" in step.get("uses", ""))
    assert (down["merge-multiple"], up["path"], down["path"]) == (True, "out/comment", "out/comment")


@pytest.mark.parametrize("name", ["cutover", "rollback"])
def test_a_dispatched_run_offers_every_stack_and_runs_from_main(name: str) -> None:
    workflow = workflows()[name]
    assert set(workflow.triggers["workflow_dispatch"]["inputs"]["stack"]["options"]) == set(STACKS)
    (job,) = workflow.jobs.values()
    assert job["if"] == "github.ref == 'refs/heads/main'"


def test_a_cutover_is_bound_to_the_hash_in_the_protected_environment_and_names_both_persons() -> None:
    workflow = workflows()["cutover"]
    job = workflow.jobs["apply"]
    assert workflow.triggers["workflow_dispatch"]["inputs"]["plan"]["required"] is True
    assert job["environment"] == "${{ inputs.stack }}"
    (step,) = (step for step in job["steps"] if "cutover apply" in step.get("run", ""))
    assert step["env"]["PLAN"] == "${{ inputs.plan }}"
    assert {"CUTOVER_AUTHOR", "CUTOVER_APPROVER"} <= step["env"].keys()


def test_updates_of_a_stack_share_a_group_and_a_rollback_waits_for_none_of_them() -> None:
    def group(name: str, job: str) -> str:
        return re.sub(r"\$\{\{ \w+\.", "${{ ", workflows()[name].concurrency(job)["group"])

    assert group("cutover", "apply") == group("staging", "up")
    assert group("rollback", "rollback") != group("cutover", "apply")
    job = workflows()["rollback"].jobs["rollback"]
    assert job["environment"] == "${{ inputs.stack }}-unattended"
    assert "needs" not in job


def test_drift_is_looked_for_once_a_day() -> None:
    (schedule,) = workflows()["drift"].triggers["schedule"]
    minute, hour, *rest = schedule["cron"].split()
    assert minute.isdecimal()
    assert hour.isdecimal()
    assert rest == ["*", "*", "*"]


def test_the_staging_stacks_alone_follow_main() -> None:
    for name, workflow in workflows().items():
        for _, job, step in workflow.steps():
            if "push" in workflow.triggers and "cutover apply" in step.get("run", ""):
                assert (name, job["strategy"]["matrix"]["stack"]) == (
                    "staging",
                    "${{ fromJSON(needs.which.outputs.stacks) }}",
                )


def test_the_hash_that_staging_takes_is_in_the_plans_json() -> None:
    assert '["digest"]' in run_of("staging", "up", "cutover plan")
    assert "digest" in {each.name for each in dataclasses.fields(Summary)}


def _words(text: str) -> list[list[str]]:
    """Commands of ours in a shell text, as words; what a variable holds stands as one word."""
    found = re.findall(r"\./cutover ([^|>)\n]+)", text)
    return [shlex.split(each.replace('"${sign[@]}"', "--by NAME --why WHY").split(" || ")[0]) for each in found]


def test_every_command_of_ours_is_one_that_there_is() -> None:
    app: Any = typer.main.get_command(build())
    runs = [step.get("run", "") for flow in workflows().values() for _, _, step in flow.steps()]
    asked = [words for text in runs for words in _words(text)]
    assert {words[0] for words in asked} == {"plan", "apply", "rollback", "drift"}
    for name, *arguments in asked:
        app.commands[name].make_context(name, arguments)  # raises for an option that there is not
