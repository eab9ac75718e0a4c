"""The plan of an update: what a preview found, its hash, and the file that keeps it until it is approved."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runbook.cli import locks
from runbook.cli.codes import Code
from runbook.cli.errors import CliError
from runbook.cli.practice.hints import time_goes_by
from runbook.cli.running import Ran
from runbook.cli.stack import Here, whole_config

if TYPE_CHECKING:
    from runbook.cli.out import Out
    from runbook.model.plans.operation import Plan

KEPT = 30  # plans of all stacks; the oldest go


@dataclass(frozen=True)
class Planned:
    """`digest`: 64 hex digits; `text`: the stack file that it was made from."""

    plan: Plan
    digest: str
    text: str

    @property
    def short(self) -> str:
        from runbook.model.plans.normal import short

        return short(self.digest)


def make(here: Here, out: Out, given: tuple[str, ...] = ()) -> Planned:
    """Preview, and keep what it found. Raises: CliError when it was refused, failed, interrupted or locked out."""
    from runbook.cli.progress import counting
    from runbook.model.plans.normal import digest
    from runbook.model.plans.operation import plan_of

    text = here.file.read_text(encoding="utf-8")
    with counting(out, f"Previewing {here.stack}") as (on_event, stopping):
        ran = here.engine.preview(*given, on_event=on_event, stopping=stopping)
    plan = plan_of(ran.events)
    if ran.interrupted:
        raise CliError("The preview was stopped; it changes nothing.", "", Code.INTERRUPTED)
    if ran.code:
        raise failure(here, ran, plan.refused, here.command("plan"))
    try:
        found = Planned(plan, digest(plan, whole_config(text, here.file.name)), text)
    except ValueError as error:
        raise CliError(str(error), "Nothing was changed.", Code.REFUSED) from None
    _keep(here, found)
    return found


def failure(here: Here, ran: Ran, said: str, again: str) -> CliError:
    """A command of the engine that failed, before or while the program ran."""
    lock = locks.said(ran.output)
    if lock is not None:
        return lock.error(here.freeing, again)
    log = here.shown(ran.log)
    if "nothing was changed." in said.partition("\n\n")[0]:  # how every refusal of the program begins
        first, _, rest = said.partition("\n\n")
        # In practice what is to be edited is not the file of the same name in the checkout.
        rest = rest.replace(here.file.name, here.shown(here.file))
        return CliError(first, time_goes_by(rest) if here.place.practice else "", Code.REFUSED, rest)
    if not ran.events:
        from runbook.cli.engine import refused

        return refused(f"pulumi {ran.command}", ran.output, here.stack)
    told = without_traceback(said)
    return CliError(f"`pulumi {ran.command}` of {here.stack} failed.", f"Its log: {log}.", Code.FAILED, told)


def without_traceback(said: str) -> str:
    """What the engine told of errors, with the last line of each traceback alone: the whole is in the log."""
    kept: list[str] = []
    for part in said.split("\n\n"):
        lines = part.strip().splitlines()
        if "Traceback (most recent call last):" in part:
            kept.append(f"The program has a fault: {lines[-1].strip()}.")
        elif lines:
            kept.append(part.strip().replace("Exception calling application: ", ""))  # gRPC's words
    return "\n\n".join(kept)


def approved(here: Here, given: str) -> Plan | None:
    """The plan of a hash as this machine kept it; None where another one made it."""
    from runbook.model.plans.operation import Operation, Plan

    found = sorted(_folder(here).glob(f"{here.stack}-{given[:12].lower()}*.json"))
    if not found:
        return None
    try:
        plain: dict[str, Any] = json.loads(found[0].read_text(encoding="utf-8"))
        operations = tuple(Operation(**{**each, "diff": tuple(each["diff"])}) for each in plain.pop("operations"))
        return Plan(**plain, operations=operations)
    except (OSError, ValueError, TypeError):
        return None


def _keep(here: Here, planned: Planned) -> None:
    """Without secrets: a plan holds none."""
    folder = _folder(here)
    changes = [asdict(each) for each in planned.plan.operations if each.op != "same"]
    content: Mapping[str, Any] = {**asdict(planned.plan), "operations": changes}
    with contextlib.suppress(OSError):  # without it a difference cannot be shown, and nothing else
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / f"{here.stack}-{planned.short}.json"
        file.write_text(json.dumps(content, indent=1, sort_keys=True), encoding="utf-8")
        for old in sorted(folder.glob("*.json"), key=lambda path: path.stat().st_mtime)[:-KEPT]:
            old.unlink(missing_ok=True)


def _folder(here: Here) -> Path:
    return here.place.folder / "out" / "plans"


def options(here: Here, refresh: bool, target: list[str] | None, exclude: list[str] | None) -> tuple[str, ...]:
    """Options for the engine. Raises: CliError in a crossing, of which no part may be left out."""
    given = [*(f"--target={urn}" for urn in target or ()), *(f"--exclude={urn}" for urn in exclude or ())]
    if given and crosses(here):
        raise CliError(
            "In a crossing nothing is left out: --target and --exclude skip the ledger and the order of the steps.",
            f"Run it without them: {here.command('plan')}.",
            Code.REFUSED,
        )
    return (*(["--refresh"] if refresh else []), *given)


def flips(here: Here) -> bool:
    """Whether an update now begins a flip or goes on with one."""
    from runbook.model.cutover.ledger import Change, change
    from runbook.model.cutover.phases import Direction

    memory = here.memory
    kind = change(here.settings, memory.ledger)
    going = memory.open and memory.ledger is not None and memory.ledger.direction is Direction.FLIP
    return kind is Change.FLIP or (kind is Change.NONE and going)


def crosses(here: Here) -> bool:
    """Whether an update now moves what serves, or goes on with a move."""
    from runbook.model.cutover.ledger import Change, change

    return here.memory.open or change(here.settings, here.memory.ledger) in (Change.FLIP, Change.BACK)
