"""What the practice commands say. Every line of it begins with a mark, so that nobody takes it for production."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from runbook.cli.out import Out
from runbook.cli.practice.asking import START, STOP, ask, ready
from runbook.cli.practice.ground import GROUND
from runbook.cli.practice.starting import begin, end, following

MARK = "practice:"
STATUS = "./cutover status --practice"
_WAY = {
    "prepare": "phase prepared, plan, apply: TTLs go down, next is built, and nobody notices",
    "wait": "until the flip opens and its window begins; here the clock is moved there",
    "flip": "phase flipped, plan, apply; break something first (practice break) to see it fail",
    "back": "rollback, from wherever it stands",
    "settle": "phase settled after the soak, then phase steady, each with plan and apply",
}


def start(stack: str, json: bool) -> None:
    """Raises: CliError"""
    out = Out(json)
    began = time.monotonic()
    new = begin(GROUND, stack)
    try:
        found = _shown(out, stack)
    except KeyboardInterrupt:
        if new:
            out.note(f"{MARK} ending what was begun")
            end(GROUND)
        raise
    _introduce(out, found, time.monotonic() - began if new else None)


def _shown(out: Out, stack: str) -> dict[str, Any]:
    """Tells how the making goes: what it came to."""
    found: dict[str, Any] = {}
    told = ""
    with _live(out) as say:
        for found in following(GROUND):
            stage = str(found["stage"])
            many = f", {found['resources']} resources" if found["resources"] else ""
            say(f"{MARK} {stage}{many}")
            if stage not in (told, "ready") and not out.lively:
                out.note(f"{MARK} {stage}")
            told = stage
    return found


@contextlib.contextmanager
def _live(out: Out) -> Iterator[Any]:
    """On a terminal one line that is written over; elsewhere nothing."""
    if not out.lively:
        yield lambda _text: None
        return
    with out.errors.status(f"{MARK} starting the stand-in clouds") as shown:
        yield shown.update


def _introduce(out: Out, found: dict[str, Any], seconds: float | None) -> None:
    note = GROUND.note() or {}
    stack, file = note["stack"], GROUND.folder / f"Pulumi.{note['stack']}.yaml"
    if seconds is None:
        out.say(f"{MARK} {stack} is up already, in {GROUND.shown(GROUND.folder)} (process {GROUND.pid}).", "bold")
    else:
        many = f"{found['resources']} resources in {seconds:.0f} s"
        out.say(f"{MARK} {stack} is up on stand-in clouds, {many}. Nothing real is reached.", "bold")
    out.table(
        {
            "clock": f"{at(found)}: the practice has its own, and a cutover tonight",
            "stack file": f"{GROUND.shown(file)}, a copy; yours is not touched",
            "serving": "; ".join(f"{app} {release}" for app, release in found["serving"].items()),
            "ends": f"with {STOP}, or by itself after an hour without a command",
        }
    )
    out.heading("The way through: each command names the next")
    out.table(_WAY)
    out.say(
        "\nFor real it is the same without --practice: each phase is a pull request, a second person approves the "
        "hash of the plan, and time passes by itself."
    )
    following_line(out, STATUS)
    out.data(_data(found))


def status(json: bool) -> None:
    """Raises: CliError when none is up."""
    out, found = Out(json), ready(GROUND)
    note = GROUND.note() or {}
    out.say(f"{MARK} {note['stack']} is up on stand-in clouds. Nothing real is reached.", "bold")
    out.table(
        {
            "clock": at(found),
            "process": f"{GROUND.pid}, since {note['began']}",
            "folder": GROUND.shown(GROUND.folder),
            **{f"serving {app}": release for app, release in found["serving"].items()},
            "broken": "; ".join(found["broken"]) or "nothing",
        }
    )
    following_line(out, STATUS)
    out.data(_data(found))


def stop(json: bool) -> None:
    """Raises: CliError when it does not end."""
    out = Out(json)
    there = end(GROUND)
    said = "has ended, and nothing of it is left" if there else "was not running"
    out.say(f"{MARK} it {said}.")
    following_line(out, START)
    out.data({"ended": there})


def reset(json: bool) -> None:
    """Raises: CliError"""
    stack = (GROUND.note() or {}).get("stack", "prod")
    end(GROUND)
    start(stack, json)


def release(app: str, json: bool) -> None:
    """Raises: CliError for an app that is not at Vercel."""
    out, found = Out(json), _asked("release", app=app)
    serves = "and serves" if found["serves"] else "and takes no domain: a rollback at Vercel turned that off"
    out.say(f"{MARK} {app} {found['release']} was released outside the program {serves} (build {found['build']}).")
    following_line(out, STATUS)
    out.data(found)


def break_(what: str, json: bool) -> None:
    """Raises: CliError for a word that is not known."""
    out, found = Out(json), _asked("break", what=what)
    out.say(f"{MARK} broken until it is mended: {found['says']}.")
    following_line(out, STATUS)
    out.raw(f"Mended by: ./cutover practice mend {found['what']} (a way back mends nothing)")
    out.data(found)


def mend(what: str, json: bool) -> None:
    """Raises: CliError for a word that is not known."""
    out, found = Out(json), _asked("mend", what=what)
    out.say(f"{MARK} {' and '.join(found['mended']) or 'nothing'} mended.")
    following_line(out, STATUS)
    out.data(found)


def following_line(out: Out, command: str) -> None:
    """The command to go on with, never broken in two."""
    out.say()
    out.raw(f"Next: {command}")


def at(found: dict[str, Any]) -> str:
    """The practice clock, for people."""
    now = datetime.fromisoformat(found["clock"]).astimezone(ZoneInfo(found["zone"]))
    return f"{now:%A %Y-%m-%d %H:%M} {found['zone']}"


def _asked(what: str, /, **values: Any) -> dict[str, Any]:
    ready(GROUND)
    return ask(GROUND, what, **values)


def _data(found: dict[str, Any]) -> dict[str, Any]:
    note = GROUND.note() or {}
    kept = {key: note[key] for key in ("stack", "began")}
    return {"practice": True, **kept, "pid": GROUND.pid, "folder": GROUND.shown(GROUND.folder), **found}
