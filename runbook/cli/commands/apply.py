"""`apply`: an update, bound to the plan that was approved."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Annotated

import typer

from runbook.cli.options import Excludes, Json, Practice, Refresh, Stack, Targets

if TYPE_CHECKING:
    from runbook.cli.out import Out
    from runbook.cli.planning import Planned
    from runbook.cli.stack import Here
    from runbook.cli.who import Who

Hash = Annotated[str, typer.Option("--plan", help="The hash that `plan` gave: 12 digits or more.", metavar="HASH")]


def command(
    plan: Hash,
    stack: Stack = None,
    practice: Practice = False,
    json: Json = False,
    refresh: Refresh = False,
    target: Targets = None,
    exclude: Excludes = None,
) -> None:
    """Do exactly what was approved: previews again, and refuses when it would do anything else."""
    from runbook.cli import evidence, planning, review
    from runbook.cli.codes import Code
    from runbook.cli.out import Out
    from runbook.cli.stack import Here
    from runbook.cli.updating import update
    from runbook.cli.who import who

    out = Out(json)
    _check(out, plan)
    here = Here.of(stack, practice).begin()
    person = who(os.environ)
    _persons(here, person)
    again = here.command(f"apply --plan {plan}")
    if lock := here.engine.lock():
        raise lock.error(here.freeing, again)
    options = planning.options(here, refresh, target, exclude)
    planned = planning.make(here, out, options)
    _approved(out, here, planned, plan)
    if error := review.refused(here, planned):
        raise error
    if not planned.plan.changes:
        out.say(f"{here.stack} is as its stack file asks: nothing to do.")
        _data(out, here, planned.digest)
        return
    if here.file.read_text(encoding="utf-8") != planned.text:
        out.fail(
            f"{here.file.name} was edited while it was previewed.", f"Again: {here.command('plan')}.", Code.OTHER_PLAN
        )
    file = evidence.record_apply(here, planned.plan.tag, planned.digest, person)
    done = update(here, out, here.command("plan"), planned.plan.tag, options)
    _conclude(out, here, done.tag, len(done.changes))
    _data(out, here, planned.digest, len(done.changes), done.tag, file)


def _data(out: Out, here: Here, digest: str, changed: int = 0, tag: str = "", record: str = "") -> None:
    out.data({"stack": here.stack, "plan": digest, "changed": changed, "crossing": tag, "record": record})


def _check(out: Out, given: str) -> None:
    """Raises: CliError for what is no hash, before anything is looked at."""
    from runbook.cli.codes import Code
    from runbook.model.plans.normal import SHORT

    if not re.fullmatch(rf"[0-9a-fA-F]{{{SHORT},64}}", given.strip()):
        out.fail(
            f"--plan wants the hash that `plan` printed, {SHORT} hex digits or more, and got {given or 'nothing'}.",
            "Copy it from the plan that was approved.",
            Code.USAGE,
        )


def _persons(here: Here, person: Who) -> None:
    """Two persons for a flip in prod, where CI names them."""
    from runbook.cli.planning import flips
    from runbook.cli.who import two_persons

    if here.raw.get("environment") == "prod" and flips(here):
        two_persons(person, here.stack)


def _approved(out: Out, here: Here, planned: Planned, given: str) -> None:
    """Raises: CliError with the difference when the plan is another one."""
    from runbook.cli import planning
    from runbook.cli.codes import Code
    from runbook.model.plans.normal import same

    if same(given, planned.digest):
        return
    from runbook.model.plans.differences import differences

    was = planning.approved(here, given)
    details = (
        "\n".join(f"  - {line}" for line in differences(was, planned.plan))
        if was
        else f"This machine has no plan {given[:12]}, so the difference cannot be shown line by line."
    )
    out.fail(
        f"The plan of {here.stack} is {planned.short} now and not {given[:12]}; nothing was changed.",
        f"Look at it and have it approved: {here.command('plan')}.",
        Code.OTHER_PLAN,
        details,
    )


def _conclude(out: Out, here: Here, tag: str, changed: int) -> None:
    from runbook.cli.following import after_update

    crossing = f"; crossing {tag} is complete" if tag else ""
    out.say(f"{here.stack}: {changed} resources changed{crossing}.", "bold")
    for line in after_update(here, tag):
        out.say(line)
