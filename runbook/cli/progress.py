"""How a command of the engine goes: a live display on a terminal, plain lines elsewhere. All of it is on stderr."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from runbook.cli.running import OnEvent, OnStop

if TYPE_CHECKING:
    from rich.console import RenderableType

    from runbook.cli.out import Out
    from runbook.cli.titles import Title, Titled

STOPPING = "Stopping: the step that runs is waited for, no other is begun. A second Ctrl-C changes nothing."
PLACE = 36  # columns for a step's name in the runbook, on a live display
_QUIET = ("same", "read", "refresh")


@contextlib.contextmanager
def counting(out: Out, what: str) -> Iterator[tuple[OnEvent, OnStop]]:
    """For a command that changes nothing: how many resources it has dealt with."""
    began = time.monotonic()
    seen: set[str] = set()  # each has an event when it begins and one when it is done

    def on_event(event: Mapping[str, Any]) -> None:
        seen.update(
            event[kind]["metadata"]["urn"] for kind in ("resourcePreEvent", "resOutputsEvent") if kind in event
        )

    def now() -> str:
        found = f", {len(seen)} resources" if seen else ""
        return f"{what}{found} … {time.monotonic() - began:.0f} s"

    with _live(out, now) as lively:
        if not lively:
            out.note(f"{what} …")
        yield on_event, lambda: out.note(STOPPING)


@dataclass
class _Line:
    """One place in the runbook. `going`: URNs that have begun; `names`: what is done there; `done`: how much."""

    began: float
    going: set[str] = field(default_factory=set)
    names: list[str] = field(default_factory=list)
    done: int = 0
    ended: float = 0.0
    failed: bool = False

    @property
    def text(self) -> str:
        return ", ".join(self.names) if self.names else str(self.done or "")


class Steps:
    """The runbook's steps of an update as they begin and end."""

    def __init__(self, out: Out, titled: Titled) -> None:
        self._out, self._titled = out, titled
        self._lines: dict[str, _Line] = {}
        self.lively = False

    def event(self, event: Mapping[str, Any]) -> None:
        for kind in ("resourcePreEvent", "resOutputsEvent", "resOpFailedEvent"):
            if kind in event and event[kind]["metadata"]["op"] not in _QUIET and (title := self._titled(event[kind])):
                self._step(kind, event[kind]["metadata"], title)

    def stopping(self) -> None:
        self._out.note(STOPPING)

    def _step(self, kind: str, of: Mapping[str, Any], title: Title) -> None:
        urn, line = of["urn"], self._lines.setdefault(title.place, _Line(time.monotonic()))
        if kind == "resourcePreEvent":
            line.going.add(urn)
            return
        line.going.discard(urn)
        line.done += 1
        line.ended = time.monotonic()
        word, style, more = "done  ", "", ""
        if kind == "resOpFailedEvent":
            word, style = "failed", "red"
        elif ((of.get("new") or {}).get("outputs") or {}).get("failed"):  # to the engine it is done: nothing waits
            word, style, more = "failed", "yellow", ", and held up nothing"
        line.failed |= word == "failed"
        if title.name:
            line.names.append(title.name)
        if not self.lively and (title.name or style):
            self._out.note(f"{word}  {title}{more}", style)

    def end(self) -> None:
        """Off a terminal: what was only counted."""
        for place, line in self._lines.items() if not self.lively else ():
            if not line.names and line.done:
                self._out.note(f"done    {place} ({line.done})")

    def shown(self) -> RenderableType:
        from rich.table import Table
        from rich.text import Text

        grid = Table.grid(padding=(0, 2))
        grid.add_column(no_wrap=True)
        grid.add_column(no_wrap=True, max_width=PLACE, overflow="ellipsis")
        grid.add_column(overflow="fold")
        grid.add_column(no_wrap=True, justify="right")
        for place, line in self._lines.items():
            over = line.ended and not line.going
            seconds = (line.ended if over else time.monotonic()) - line.began
            word, style = ("failed", "red") if line.failed else ("done", "green") if over else ("…", "yellow")
            grid.add_row(Text(f"{word:6}", style=style), Text(place), Text(line.text), Text(f"{seconds:.0f} s"))
        return grid


@contextlib.contextmanager
def stepping(out: Out, titled: Titled) -> Iterator[Steps]:
    """For an update. `titled`: what people call an operation."""
    steps = Steps(out, titled)
    with _live(out, steps.shown, keep=True) as lively:
        steps.lively = lively
        yield steps
        steps.end()


@contextlib.contextmanager
def _live(out: Out, shown: Callable[[], RenderableType], keep: bool = False) -> Iterator[bool]:
    """Whether there is a live display."""
    if not out.lively:
        yield False
        return
    from rich.live import Live

    with Live(console=out.errors, get_renderable=shown, transient=not keep, refresh_per_second=4):
        yield True
