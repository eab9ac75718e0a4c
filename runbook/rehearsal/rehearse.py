"""The rehearsal itself: preview, up and a second preview of each stack, which must find nothing left to do."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol, TypeVar

from runbook.model.pages import assumed
from runbook.rehearsal import kinds, timing
from runbook.rehearsal.clouds import Clouds
from runbook.rehearsal.engine import Engine, Outcome, Run
from runbook.rehearsal.problems import RehearsalError, Stopped, refused
from runbook.rehearsal.result import ProgramSeconds, StackResult
from runbook.rehearsal.stack_files import StackFile

# `up` makes no preview of its own: the command before it was one.
COMMANDS: Mapping[str, tuple[str, ...]] = {
    "preview": ("preview",),
    "up": ("up", "--yes", "--skip-preview"),
    "second_preview": ("preview",),
}


Made = TypeVar("Made")


@contextlib.contextmanager
def standing(path: Path, files: Sequence[StackFile]) -> Iterator[Clouds]:
    """One set of clouds for all stacks, as with the real vendors; each stack has its zone and its tokens there."""
    clouds = Clouds(path, zones=[str(file.config.get("zone")) for file in files])
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(clouds)
        except RuntimeError as error:  # what gRPC raises where it cannot listen
            raise RehearsalError(
                f"The stand-in clouds cannot listen on 127.0.0.1 ({error}): see what forbids it."
            ) from None
        yield clouds


@dataclass(frozen=True)
class Stage:
    """One command of one stack. `command` is a key of COMMANDS."""

    stack: str
    command: str
    run: Run


class Watcher(Protocol):
    """Is told how it goes, from several threads."""

    def begun(self, stage: Stage) -> None: ...

    def ended(self, stage: Stage, outcome: Outcome) -> None: ...


def rehearse(engine: Engine, files: Sequence[StackFile], watcher: Watcher) -> dict[str, StackResult]:
    """All commands of all stacks: see `side_by_side`. They share the clouds and the folder of states, and neither a
    lock nor a state."""
    for file in files:
        engine.add_stack(file)
    return side_by_side({file.stack: partial(_stack, engine, file, watcher) for file in files}, engine)


def side_by_side(jobs: Mapping[str, Callable[[], Made]], *engines: Engine) -> dict[str, Made]:
    """What each job makes, as many at a time as there are cores: on two, two stacks took 25 s so and 43 s one after
    the other. `engines`: all that the jobs use.

    When a job fails the others still run to their end, so that everything wrong is said at once.
    Raises: RehearsalError with all that was refused. After any other exception, KeyboardInterrupt among them, no
    command is left running: each engine ends its running step; a second KeyboardInterrupt ends everything at once.
    """
    with ThreadPoolExecutor(os.cpu_count()) as pool:  # every core is busy with one job
        futures = {name: pool.submit(job) for name, job in jobs.items()}
        try:
            wait(futures.values())
        except BaseException:
            _stop(engines, list(futures.values()))
            raise
    errors = [future.exception() for future in futures.values()]
    refusals = [str(error) for error in errors if isinstance(error, RehearsalError)]
    others = [error for error in errors if error and not isinstance(error, RehearsalError | Stopped)]
    if others:
        raise others[0]
    if refusals:
        raise RehearsalError("\n\n".join(refusals))
    return {name: future.result() for name, future in futures.items()}


def _stop(engines: Sequence[Engine], futures: Sequence[Future[Made]]) -> None:
    for engine in engines:
        engine.interrupt()
    try:
        wait(futures)
    except KeyboardInterrupt:
        for engine in engines:
            engine.kill()


def _stack(engine: Engine, file: StackFile, watcher: Watcher) -> StackResult:
    outcomes = {"preview": _command(engine, file.stack, "preview", watcher)}
    # Timed here and not at the end, where the other stacks may be through and leave more of the machine.
    plain = timing.plain_import(engine.python, engine.environment)
    outcomes |= {name: _command(engine, file.stack, name, watcher) for name in ("up", "second_preview")}
    return _result(file, outcomes, plain)


def _command(engine: Engine, stack: str, name: str, watcher: Watcher) -> Outcome:
    command, *arguments = COMMANDS[name]
    stage = Stage(stack, name, engine.start(stack, command, *arguments))
    try:
        watcher.begun(stage)
        outcome = stage.run.wait()
        watcher.ended(stage, outcome)
    except BaseException:  # the output was closed, the disk is full: nothing may be left running
        engine.interrupt()
        stage.run.process.wait()
        raise
    if engine.stopped:
        raise Stopped
    if outcome.code:
        raise refused(stack, command, outcome.events.errors, outcome.log)
    return outcome


def _result(file: StackFile, outcomes: Mapping[str, Outcome], plain: float) -> StackResult:
    times = [timing.program_time(each.stopwatch, each.began, each.seconds) for each in outcomes.values()]
    typical = timing.middle(times)
    assert file.platform is not None  # the program refuses a platform that is not known
    return StackResult(
        platform=file.platform.name,
        title=file.platform.title,
        resources=sum(outcomes["second_preview"].events.resources.values()),
        created=kinds.created(outcomes["up"].events.done),
        unfinished=[str(each) for each in outcomes["second_preview"].events.changes],
        seconds={command: outcome.seconds for command, outcome in outcomes.items()},
        spent=timing.spent(times),
        program_seconds=ProgramSeconds(typical.total, typical.sdk_import, typical.own, typical.waiting, plain),
        made_up_secrets=len(file.secrets),
        assumed=assumed(file.platform),
    )
