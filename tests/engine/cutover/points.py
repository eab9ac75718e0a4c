"""Points are made once, kept, and shared by all processes of a test run."""

from __future__ import annotations

import contextlib
import fcntl
import json
import threading
import traceback
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path

from components.memory import remembered
from runbook.rehearsal import events
from runbook.rehearsal.clouds.faults import Lost
from runbook.rehearsal.cutover import company
from runbook.rehearsal.cutover.views import Excused
from runbook.rehearsal.engine import Run
from tests.engine.cutover.play import PLATFORM, STATE, Play, begun, differences, resumed
from tests.engine.cutover.stops import STOPS, Stop


@dataclass(frozen=True)
class Report:
    """What one `up` did. `before`, `after`: step to the trigger it acted on last; `begun`: the resources that it
    began to change, `done` those of them that came to their end; `told`: step to a failure that held up nothing;
    `said`: the engine's and the program's warnings."""

    code: int
    failed: Sequence[str]
    errors: Sequence[str]
    begun: Sequence[str]
    done: Sequence[str]
    said: Sequence[str]
    told: Mapping[str, str]
    before: Mapping[str, str]
    after: Mapping[str, str]


class Points:
    """The first that wants a point makes it, and those before it."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._over = threading.Event()

    def at(self, name: str) -> Path:
        """Where a point is kept, for `resumed`."""
        place = self._root / name
        self._root.mkdir(parents=True, exist_ok=True)
        with (self._root / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not (place / "kept.json").exists():
                why = place / "why.txt"
                assert not place.exists(), why.read_text("utf-8") if why.exists() else f"{name} was cut short."
                try:
                    self._make(name, place)
                except BaseException:
                    place.mkdir(exist_ok=True)
                    why.write_text(traceback.format_exc(), encoding="utf-8")
                    raise
        return place

    def report(self, name: str) -> Report:
        kept = json.loads((self.at(name) / "report.json").read_text(encoding="utf-8"))
        return Report(**kept)

    def steps(self, name: str) -> set[str]:
        """Every step that the state has at a point."""
        state = json.loads((self.at(name) / STATE).read_text(encoding="utf-8"))["checkpoint"]["latest"]
        return {*remembered({"deployment": state}).steps}

    def different(self, before: str, after: str, exceptions: Sequence[Excused] = ()) -> list[str]:
        """What clients observe, and what the clouds hold, at two points."""
        was, now = (json.loads((self.at(name) / "seen.json").read_text("utf-8")) for name in (before, after))
        return differences(was, now, exceptions)

    def outs(self) -> list[Path]:
        """Every folder that an engine worked in and is done with."""
        return sorted(kept.parent / "out" for kept in self._root.glob("*/kept.json"))

    @contextlib.contextmanager
    def ahead(self, *rows: Sequence[str]) -> Iterator[None]:
        """Meanwhile the points of each row are made, one after the other: an `up` waits more than it computes. What
        cannot be made is told by the test that asks for it."""
        threads = [threading.Thread(target=self._go_through, args=(row,)) for row in rows]
        for thread in threads:
            thread.start()
        yield
        self._over.set()
        for thread in threads:
            thread.join()

    def _go_through(self, names: Sequence[str]) -> None:
        for name in names:
            if not self._over.is_set():
                with contextlib.suppress(Exception):
                    self.at(name)

    def _make(self, name: str, place: Path) -> None:
        out = place / "out"
        if name == "steady":
            return _steady(place, out)
        if name == "window":
            with resumed(self.at("prepared"), out) as play:
                play.clouds.clock.set(play.block.opens + timedelta(minutes=5))
                return play.keep(place)
        stop = STOPS[name]
        with resumed(self.at(stop.after), out) as play:
            report = _stopped(play, stop)
            (place / "report.json").write_text(json.dumps(asdict(report)), encoding="utf-8")
            return play.keep(place)


def _steady(place: Path, out: Path) -> None:
    with begun(out) as play:
        outcome = play.up()
        assert outcome.code == 0, outcome.output
        company.release_all(play.clouds, PLATFORM, "prod", "v1.0.0")
        play.clouds.clock.move(timedelta(minutes=10))
        play.keep(place)


def _stopped(play: Play, stop: Stop) -> Report:
    before = play.acted()
    if stop.phase is not None:
        play.ask(stop.phase)
    if stop.hinder and not stop.since:
        stop.hinder(play)
    for call in stop.lost:
        call.fails(play, Lost())
    if stop.held:
        play.hold(stop.held)
    if stop.killed:
        outcome = play.killed(lambda run: _in_the_middle(play, stop, run))
    elif stop.hinder and stop.since:
        outcome = play.up(*stop.options, since=stop.since, then=stop.hinder)
    else:
        outcome = play.up(*stop.options)
    seen = outcome.events
    steps = play.kept().steps
    return Report(
        code=outcome.code,
        failed=sorted(each.name for each in seen.failed),
        errors=seen.errors,
        begun=[each.name for each in seen.changes],
        done=[each.name for each in seen.done if each.op not in events.QUIET],
        said=[text for severity, text in seen.messages if severity == "warning"],
        told={name: str(step["failed"]) for name, step in steps.items() if step["failed"]},
        before=before,
        after=play.acted(),
    )


def _in_the_middle(play: Play, stop: Stop, run: Run) -> bool:
    """Whether each of the resources has begun, every call of theirs was made, and every file is written."""
    if play.clouds.faults.due():
        return False
    if stop.held and not (play.engine.out / stop.held).exists():
        return False
    begun_by_now = {each.name for each in play.so_far(run).changes}
    return {*stop.killed} <= begun_by_now and (not stop.created or play.holds(stop.created))
