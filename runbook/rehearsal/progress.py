"""How the rehearsal goes: a line for each command that ended, and on a terminal one for each that runs."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from types import TracebackType

from rich.console import Console, RenderableType
from rich.live import Live
from rich.table import Table

from runbook.rehearsal.cutover.acts import Acting
from runbook.rehearsal.engine import Outcome
from runbook.rehearsal.rehearse import Stage
from runbook.rehearsal.result import PLAYS, Act

_LONGEST_ACT, _LONGEST_DID = 21, 38  # so that a line has 80 columns at most
WORDS = {"preview": "preview", "up": "up", "second_preview": "second preview"}


class Progress:
    """A context in which stages are shown. `stacks` are those that will run: they set the width of the columns."""

    def __init__(self, console: Console, stacks: list[str]) -> None:
        self._console = console
        self._widths = (max(map(len, stacks)), max(map(len, WORDS.values())))
        self._running: dict[str, Stage] = {}
        self._acting: dict[str, Acting] = {}
        self._lock = threading.Lock()
        lively = console.is_terminal and not console.is_dumb_terminal
        self._live = Live(console=console, get_renderable=self._now, transient=True) if lively else None

    def __enter__(self) -> Progress:
        if self._live:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live:
            self._live.stop()

    def say(self, sentence: str) -> None:
        self._console.print(sentence)

    def begun(self, stage: Stage) -> None:
        with self._lock:
            self._running[stage.stack] = stage

    def ended(self, stage: Stage, outcome: Outcome) -> None:
        with self._lock:
            self._running.pop(stage.stack, None)
        made = len(outcome.events.done)
        how = f"ended early, {made} done" if outcome.code else counts(stage.command, outcome.events.resources)
        self._console.print(self._line(stage, how, outcome.seconds))

    def acting(self, acting: Acting) -> None:
        with self._lock:
            self._acting[acting.play] = acting

    def acted(self, act: Act) -> None:
        with self._lock:
            self._acting.pop(act.play, None)
        self._console.print(_act(act.play, act.name, did(act), act.seconds))

    def _now(self) -> RenderableType:
        with self._lock:
            running, acting = list(self._running.values()), list(self._acting.values())
        lines = Table.grid()
        if not running and not acting:
            lines.add_row("starting")
        for stage in running:
            steps = stage.run.steps()
            lines.add_row(self._line(stage, f"{steps} resources" if steps else "starting", stage.run.age()))
        for one in acting:
            steps = one.run.steps()
            lines.add_row(_act(one.play, one.name, f"{steps} resources" if steps else "starting", one.run.age()))
        return lines

    def _line(self, stage: Stage, how: str, seconds: float) -> str:
        stack, command = self._widths
        return f"{stage.stack:{stack}}  {WORDS[stage.command]:{command}}  {how:24} {seconds:5.1f} s"


def _act(play: str, name: str, how: str, seconds: float) -> str:
    return f"{play:{max(map(len, PLAYS))}}  {name:{_LONGEST_ACT}}  {how:{_LONGEST_DID}} {seconds:5.1f} s"


def did(act: Act) -> str:
    """What an act did, or which rules refused it: "8 updated", "27 updated, 1 failed", "refused: soak"."""
    if act.rules:
        return f"refused: {', '.join(dict.fromkeys(act.rules))}"
    done = {op: count for op, count in act.operations.items() if op != "same"}
    words = [f"{count} {op if op == 'failed' else f'{op}d'}" for op, count in done.items()]
    return ", ".join(words) or "nothing to do"


def counts(command: str, resources: Mapping[str, int]) -> str:
    """What a command found or did, from the engine's counts: "57 to create", "57 created", "57 unchanged"."""

    def words(op: str, count: int) -> str:
        if op == "same":
            return f"{count} unchanged"
        return f"{count} {op}d" if command == "up" else f"{count} to {op}"

    return ", ".join(words(op, count) for op, count in resources.items())
