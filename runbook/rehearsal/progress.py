"""How the rehearsal goes: a line for each command that ended, and on a terminal one for each that runs."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from types import TracebackType

from rich.console import Console, RenderableType
from rich.live import Live
from rich.table import Table

from runbook.rehearsal.engine import Outcome
from runbook.rehearsal.rehearse import Stage

WORDS = {"preview": "preview", "up": "up", "second_preview": "second preview"}


class Progress:
    """A context in which stages are shown. `stacks` are those that will run: they set the width of the columns."""

    def __init__(self, console: Console, stacks: list[str]) -> None:
        self._console = console
        self._widths = (max(map(len, stacks)), max(map(len, WORDS.values())))
        self._running: dict[str, Stage] = {}
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

    def _now(self) -> RenderableType:
        with self._lock:
            running = list(self._running.values())
        lines = Table.grid()
        if not running:
            lines.add_row("starting")
        for stage in running:
            steps = stage.run.steps()
            lines.add_row(self._line(stage, f"{steps} resources" if steps else "starting", stage.run.age()))
        return lines

    def _line(self, stage: Stage, how: str, seconds: float) -> str:
        stack, command = self._widths
        return f"{stage.stack:{stack}}  {WORDS[stage.command]:{command}}  {how:24} {seconds:5.1f} s"


def counts(command: str, resources: Mapping[str, int]) -> str:
    """What a command found or did, from the engine's counts: "57 to create", "57 created", "57 unchanged"."""

    def words(op: str, count: int) -> str:
        if op == "same":
            return f"{count} unchanged"
        return f"{count} {op}d" if command == "up" else f"{count} to {op}"

    return ", ".join(words(op, count) for op, count in resources.items())
