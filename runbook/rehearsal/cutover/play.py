"""Both plays, side by side: the cutover on the stack that was rehearsed, the emergency on one of its own."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from runbook.rehearsal.clouds import CloudError, Clouds, web
from runbook.rehearsal.clouds.net import facts
from runbook.rehearsal.cutover.acts import Stage, Watcher
from runbook.rehearsal.cutover.emergency import Emergency
from runbook.rehearsal.cutover.planned import Planned
from runbook.rehearsal.engine import Engine
from runbook.rehearsal.problems import RehearsalError
from runbook.rehearsal.rehearse import side_by_side, standing
from runbook.rehearsal.result import Cutover, StandIn
from runbook.rehearsal.stack_files import StackFile


def play(engine: Engine, clouds: Clouds, file: StackFile, watcher: Watcher, before: float) -> Cutover:
    """What both found. `engine` and `clouds` hold the stack, which is steady; `before`: seconds that all took until
    now. Raises: RehearsalError when an act does not come out as it must; see `side_by_side` for Ctrl-C."""
    out = engine.out / "emergency"
    with standing(out / "clouds.db", [file]) as others:
        second = Engine(engine.root, out, others.env())
        second.add_stack(file)
        try:  # here the stand-in internet begins
            planned = Planned(Stage("cutover", file.stack, engine, clouds, watcher), file, engine.out)
            emergency = Emergency(Stage("emergency", file.stack, second, others, watcher), file, out)
        except CloudError as error:  # a loopback address that cannot be had, with the remedy
            raise RehearsalError(str(error)) from None
        jobs = {"cutover": _timed(planned.play), "emergency": _timed(emergency.play)}
        walls = side_by_side(jobs, engine, second)
    stages = (planned.stage, emergency.stage)
    parts = {"stacks": before}
    for stage in stages:
        parts |= _parts(stage, walls[stage.play])
    return Cutover(
        acts=[act for stage in stages for act in stage.acts],
        refusals=[refusal for stage in stages for refusal in stage.refusals],
        differs=[*planned.proof.wrong, *emergency.proof.wrong],
        exceptions={one.path: one.reason for proof in (planned.proof, emergency.proof) for one in proof.used},
        unsettled=planned.unsettled,
        lost=[lost for stage in stages for lost in stage.lost],
        stale_at_opens_at=planned.stale,
        stale_without_the_wait=emergency.stale,
        flip_seconds=_seconds(planned.stage, "flipped at opens-at"),
        rollback_seconds=_seconds(planned.stage, "rolled back"),
        parts=parts,
    )


def asked_by_steps() -> list[StandIn]:
    """What the steps of a cutover talk to, beside what the engine does."""
    found = {**web.facts(), "internet": facts.count()}
    return [StandIn(name, known, unverified) for name, (known, unverified) in found.items()]


def _timed(job: Callable[[], None]) -> Callable[[], float]:
    def timed() -> float:
        began = time.monotonic()
        job()
        return time.monotonic() - began

    return timed


def _parts(stage: Stage, wall: float) -> dict[str, float]:
    """Where a play's seconds went: its updates, its previews, those that were refused, and what lies between."""
    spent = {
        "updates": _sum(act.seconds for act in stage.acts if act.command == "up"),
        "refusals": _sum(act.seconds for act in stage.acts if act.rules),
        "previews": _sum(act.seconds for act in stage.acts if act.command == "preview" and not act.rules),
    }
    spent["between"] = wall - sum(spent.values())
    return {f"{stage.play} {name}": seconds for name, seconds in spent.items()}


def _sum(seconds: Iterable[float]) -> float:
    return sum(seconds, 0.0)


def _seconds(stage: Stage, name: str) -> float:
    return next(act.seconds for act in stage.acts if act.name == name)
