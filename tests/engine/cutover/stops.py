"""Half-finished points of a cutover: one `up` after the other is stopped, each one step further than the last."""

from __future__ import annotations

import fcntl
import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from runbook.rehearsal.clouds.cloudflare import RECORD, RULESET
from runbook.rehearsal.clouds.faults import Answer, Knob, Lost
from runbook.rehearsal.clouds.vercel import VARIABLE
from runbook.rehearsal.cutover import company
from tests.engine.cutover.play import NEXT_AUTH, PLATFORM, ZONE, Play, begun, resumed

NO = Answer(403)  # which nothing tries again
STAFF, MEMBER, LOGS = f"staff.{ZONE}", f"app.{ZONE}", f"logs.{ZONE}"
COME_THROUGH = "--continue-on-error"  # all that can fail at once does so in one `up`


@dataclass(frozen=True)
class Call:
    """One call of a step to a vendor, by the path of its rule, so many times."""

    cloud: str
    kind: str
    method: str = "POST"
    times: int = 1

    def key(self) -> tuple[str, str, str]:
        return self.cloud, self.kind, self.method

    def fails(self, play: Play, how: Any) -> None:
        kind = "/".join("…" if part.startswith("{") else part for part in self.kind.split("/"))
        faults = play.clouds.faults
        faults.fail(self.cloud, kind=kind, method=self.method, times=self.times, message="no", how=how)


SCHEDULE = Call("slack", "/chat.scheduleMessage")
POST = Call("slack", "/chat.postMessage")
BUILD = Call("vercel", "/v13/deployments", times=2)
PROMOTE = Call("vercel", "/v10/projects/{id}/promote/{deployment}", times=2)
ROLL_BACK = Call("vercel", "/v1/projects/{id}/rollback/{deployment}", times=2)
ALLOW = Call("supabase", "/v1/projects/{ref}/config/auth", "PATCH")
ALLOWED = Call("supabase", "/v1/projects/{ref}/config/auth", "GET")
ACTIVATE = Call("supabase", "/v1/projects/{ref}/custom-hostname/activate")
SESSIONS = Call("supabase", "/v1/projects/{ref}/database/query")
DEPLOY = Call("supabase", "/v1/projects/{ref}/functions/deploy")
PURGE = Call("cloudflare", "/zones/{zone}/purge_cache")
PAGE = Call("pagerduty", "/v2/enqueue")
ANNOTATE = Call("grafana", "/api/annotations")


@dataclass(frozen=True)
class Stop:
    """One `up` from the point at which the stop `after` left it. `hinder` sets what goes wrong. `lost`: calls that
    are done and whose answers never come; once all were made the engine is killed, and not before `created` is in the
    state: what a kill leaves half created has to be looked for by hand. `written`: a file; as soon as it is there the
    engine is killed. `fails`: the resources that fail, where it is not killed; without any it comes through. `phase`:
    what the stack file asks for; None: as it is."""

    name: str
    after: str
    phase: str | None = None
    hinder: Callable[[Play], None] | None = None
    lost: tuple[Call, ...] = ()
    created: str = ""
    written: str = ""
    fails: tuple[str, ...] = ()
    options: tuple[str, ...] = ()


def _gates(play: Play) -> None:
    """Each gate has its own reason."""
    faults, steps = play.clouds.faults, play.kept().steps
    for app in ("staff", "member"):
        faults.down(steps[f"build-{app}"]["evidence"]["url"], "no", Answer(404))
    faults.turn(Knob.WRONG_CERTIFICATE, STAFF)
    faults.turn(Knob.EXPIRED_CERTIFICATE, MEMBER)
    faults.down(NEXT_AUTH, "no", Answer(404))
    faults.turn(Knob.WRONG_CERTIFICATE, LOGS)


def _page(play: Play) -> None:
    """A folder stands where it is to be written."""
    (play.engine.out / "way-back" / "ibimina-prod.md").mkdir(parents=True)


def _engine(play: Play, cloud: str, kind: str, name: str) -> None:
    play.clouds.faults.fail(cloud, method="Update", kind=kind, name=name, message="403 no")


def _switch(play: Play) -> None:
    """A record and both builds."""
    _engine(play, "cloudflare", RECORD, "dns-staff")
    PROMOTE.fails(play, NO)


GATES = tuple(
    f"step-gate-{name}"
    for name in ("LOG_DRAIN_URL", "build-member", "build-staff", "target-auth", "target-member", "target-staff")
)
ENV = "web-member-env-SUPABASE_PROJECT_REF"
FLIP = (
    Stop("gates", "window", "flipped", _gates, fails=GATES, options=(COME_THROUGH,)),
    Stop("page", "gates", hinder=_page, fails=("step-way-back",)),
    Stop("sessions", "page", lost=(SESSIONS,)),
    Stop("supabase", "sessions", lost=(ALLOWED,)),
    Stop(
        "cache-rules",
        "supabase",
        hinder=lambda play: _engine(play, "cloudflare", RULESET, "dns-cache"),
        fails=("dns-cache",),
    ),
    Stop("purge", "cache-rules", lost=(PURGE,)),
    Stop(
        "switch",
        "purge",
        hinder=_switch,
        fails=("dns-staff", "step-promote-member", "step-promote-staff"),
        options=(COME_THROUGH,),
    ),
    Stop("promote", "switch", lost=(PROMOTE,)),
    Stop("purge-again", "promote", hinder=lambda play: PURGE.fails(play, NO), fails=("step-purge-again",)),
    Stop(
        "verify",
        "purge-again",
        hinder=lambda play: play.clouds.faults.turn(Knob.WRONG_ISSUER, NEXT_AUTH),
        fails=("step-verify-login",),
    ),
    Stop("complete", "verify", written="evidence/ibimina-prod-1-flip.json"),
    Stop("told", "complete", lost=(ANNOTATE, POST)),
    Stop("flipped", "told"),
)
STOPS = {
    each.name: each
    for each in (
        Stop("env", "purge", hinder=lambda play: _engine(play, "vercel", VARIABLE, ENV), fails=(ENV,)),
        Stop("preparing", "steady", "prepared", lost=(SCHEDULE, BUILD, ALLOW, ACTIVATE), created=f"dns-{NEXT_AUTH}"),
        Stop("prepared", "preparing"),
        *FLIP,
        Stop("going-back", "flipped", "rolled-back", lost=(PAGE, ROLL_BACK, DEPLOY)),
        Stop("rolled-back", "going-back"),
    )
}


@dataclass(frozen=True)
class Report:
    """What one `up` did. `before`, `after`: step to the trigger it acted on last; `begun`: the resources that it
    began to change."""

    code: int
    failed: Sequence[str]
    errors: Sequence[str]
    begun: Sequence[str]
    before: dict[str, str]
    after: dict[str, str]


class Points:
    """Points that several processes share: the first that wants one makes it, and those before it."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def at(self, name: str) -> Path:
        """Where a point is kept, for `resumed`."""
        place = self._root / name
        self._root.mkdir(parents=True, exist_ok=True)
        with (self._root / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not (place / "kept.json").exists():
                assert not place.exists(), f"The point {name} could not be made before."
                self._make(name, place)
        return place

    def report(self, name: str) -> Report:
        kept = json.loads((self.at(name) / "report.json").read_text(encoding="utf-8"))
        return Report(**kept)

    def outs(self) -> list[Path]:
        """Every folder that an engine worked in so far."""
        return sorted(self._root.glob("*/out"))

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


def _in_the_middle(play: Play, stop: Stop, since: Counter[tuple[str, str, str]]) -> bool:
    made = all(play.made(each.key(), since) >= each.times for each in stop.lost)
    return made and (not stop.created or play.holds(stop.created))


def _stopped(play: Play, stop: Stop) -> Report:
    before = play.acted()
    if stop.phase:
        play.ask(stop.phase)
    if stop.hinder:
        stop.hinder(play)
    for call in stop.lost:
        call.fails(play, Lost())
    calls = play.clouds.store.calls()
    if stop.written:
        outcome = play.killed((play.engine.out / stop.written).exists)
    elif stop.lost:
        outcome = play.killed(lambda: _in_the_middle(play, stop, calls))
    else:
        outcome = play.up(*stop.options)
    return Report(
        outcome.code,
        sorted(each.name for each in outcome.events.failed),
        outcome.events.errors,
        [each.name for each in outcome.events.changes],
        before,
        play.acted(),
    )
