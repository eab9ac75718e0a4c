"""What goes wrong in a cutover under test: at a vendor, at a host, on the disk."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from runbook.rehearsal.clouds.cloudflare import RECORD, RULESET
from runbook.rehearsal.clouds.faults import Answer, Hang, Knob
from runbook.rehearsal.clouds.vercel import VARIABLE
from runbook.rehearsal.cutover import edits
from tests.engine.cutover.play import AUTH, NEXT_AUTH, ZONE, Play

Hindrance = Callable[[Play], None]
NO = Answer(403)  # which nothing tries again
STAFF, MEMBER, LOGS = f"staff.{ZONE}", f"app.{ZONE}", f"logs.{ZONE}"
ENV = "web-member-env-SUPABASE_PROJECT_REF"


@dataclass(frozen=True)
class Call:
    """A call to a vendor, so many times: of a step by the path of its rule, of the engine by the type of a resource
    and Create or Update, and by its name."""

    cloud: str
    kind: str
    method: str = "POST"
    times: int = 1
    name: str = ""

    def key(self) -> tuple[str, str, str]:
        return self.cloud, self.kind, self.method

    def fails(self, play: Play, how: Any) -> None:
        kind = "/".join("…" if part.startswith("{") else part for part in self.kind.split("/"))
        play.clouds.faults.fail(
            self.cloud, kind=kind, method=self.method, name=self.name, times=self.times, message="no", how=how
        )


SCHEDULE = Call("slack", "/chat.scheduleMessage")
UNSCHEDULE = Call("slack", "/chat.deleteScheduledMessage")
POST = Call("slack", "/chat.postMessage")
BUILD = Call("vercel", "/v13/deployments", times=2)
PROMOTE = Call("vercel", "/v10/projects/{id}/promote/{deployment}", times=2)
ROLL_BACK = Call("vercel", "/v1/projects/{id}/rollback/{deployment}", times=2)
ALLOW = Call("supabase", "/v1/projects/{ref}/config/auth", "PATCH")
ALLOWED = Call("supabase", "/v1/projects/{ref}/config/auth", "GET")
HOSTNAME = Call("supabase", "/v1/projects/{ref}/custom-hostname", "GET")
ACTIVATE = Call("supabase", "/v1/projects/{ref}/custom-hostname/activate")
SESSIONS = Call("supabase", "/v1/projects/{ref}/database/query")
DEPLOY = Call("supabase", "/v1/projects/{ref}/functions/deploy")
PURGE = Call("cloudflare", "/zones/{zone}/purge_cache")
PAGE = Call("pagerduty", "/v2/enqueue")
ANNOTATE = Call("grafana", "/api/annotations")
LINES = Call("loki", "/loki/api/v1/query_range", "GET")
NEW_RECORD = Call("cloudflare", RECORD, "Create")
RULES = Call("cloudflare", RULESET, "Update")
NAME = Call("cloudflare", RECORD, "Update", name="::dns-staff")
NAMES = Call("cloudflare", RECORD, "Update", times=4)
VALUE = Call("vercel", VARIABLE, "Update", name=f"::{ENV}")


def refused(*calls: Call) -> Hindrance:
    """The vendor says no."""

    def hinder(play: Play) -> None:
        for call in calls:
            call.fails(play, NO)

    return hinder


def folder(path: str) -> Hindrance:
    """A folder stands where a step is to write this file."""
    return lambda play: (play.engine.out / path).mkdir(parents=True)


def both(*hindrances: Hindrance) -> Hindrance:
    def hinder(play: Play) -> None:
        for each in hindrances:
            each(play)

    return hinder


def no_next_answers(play: Play) -> None:
    """Nothing that is looked at after the switch is as it should be."""
    for host in (STAFF, MEMBER):
        play.clouds.faults.turn(Knob.UNHEALTHY, host)
        play.clouds.faults.turn(Knob.STALE_WORKER, host)
    store = play.clouds.store
    (record,) = store.find("cloudflare", RECORD, name=NEXT_AUTH)
    store.change("cloudflare", RECORD, record.id, content="elsewhere.example")


def login_hangs(play: Play) -> None:
    play.clouds.faults.fail(AUTH, method="POST", kind="/auth/v1/token", message="", how=Hang())


def in_a_hurry(play: Play) -> None:
    """The overrides by which nobody waits for a preparation."""
    until = f"{play.clouds.clock.now().astimezone(ZoneInfo(edits.ZONE)) + timedelta(hours=1):%Y-%m-%d %H:%M}"
    reason = "sign-in is down, and every minute counts"
    rules = ("move", "window", "opens-at", "build")
    overrides = [{"rule": rule, "reason": reason, "until": until} for rule in rules]
    play.config.write(cutover={**play.block.section("flipped"), "overrides": overrides})


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong, until it is not."""

    begin: Hindrance
    end: Hindrance


def _build(app: str) -> Fault:
    def url(play: Play) -> str:
        return str(play.kept().steps[f"build-{app}"]["evidence"]["url"])

    def begin(play: Play) -> None:
        play.clouds.faults.down(url(play), "no", Answer(404))

    return Fault(begin, lambda play: play.clouds.faults.up(url(play)))


def _knob(knob: Knob, place: str) -> Fault:
    return Fault(
        lambda play: play.clouds.faults.turn(knob, place), lambda play: play.clouds.faults.turn_back(knob, place)
    )


def _ttl(seconds: int) -> Hindrance:
    def change(play: Play) -> None:
        (record,) = play.clouds.store.find("cloudflare", RECORD, name=STAFF)
        play.clouds.store.change("cloudflare", RECORD, record.id, ttl=seconds)

    return change


# What each gate fails by, and no other.
GATES = {
    "step-gate-build-staff": _build("staff"),
    "step-gate-build-member": _build("member"),
    "step-gate-target-staff": _knob(Knob.WRONG_CERTIFICATE, STAFF),
    "step-gate-target-member": _knob(Knob.EXPIRED_CERTIFICATE, MEMBER),
    "step-gate-target-auth": Fault(
        lambda play: play.clouds.faults.down(NEXT_AUTH, "no", NO), lambda play: play.clouds.faults.up(NEXT_AUTH)
    ),
    "step-gate-LOG_DRAIN_URL": _knob(Knob.WRONG_CERTIFICATE, LOGS),
}
# It has a say only once a flip is under way: before, a TTL that is not low refuses the flip (opens-at).
GATE_TTL = {"step-gate-ttl": Fault(_ttl(300), _ttl(60))}


def no_gate_passes(play: Play) -> None:
    for fault in GATES.values():
        fault.begin(play)
