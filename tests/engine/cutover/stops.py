"""Half-finished points of a cutover: one `up` after the other is stopped, each one step further than the last, and
from each of them one takes everything back."""

from __future__ import annotations

from dataclasses import dataclass

from runbook.rehearsal.clouds.faults import Knob
from tests.engine.cutover import hindrances as by
from tests.engine.cutover.hindrances import Call, Hindrance
from tests.engine.cutover.play import AUTH, NEXT_AUTH

COME_THROUGH = "--continue-on-error"  # all that can fail at once does so in one `up`
BEFORE = ""  # the stack file from before the cutover


@dataclass(frozen=True)
class Stop:
    """One `up` from the point at which the stop `after` left it, with the stack file asking for `phase`; None: for
    what it asks already.

    `hinder` sets what goes wrong, once the resource `since` has begun. `fails`: the resources that fail; `told`: the
    steps whose failure is told and holds up nothing. `killed`: the resources in whose middle the engine is killed,
    each once it has begun; `lost` are calls of theirs that are done and never answered, `held` a file that is written
    by one that never comes back from it. It is not killed before `created` is in the state: what a kill leaves half
    created has to be looked for by hand. With neither it comes through.
    """

    name: str
    after: str
    phase: str | None = None
    hinder: Hindrance | None = None
    since: str = ""
    fails: tuple[str, ...] = ()
    told: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    killed: tuple[str, ...] = ()
    lost: tuple[Call, ...] = ()
    held: str = ""
    created: str = ""


PROMOTES = ("step-promote-member", "step-promote-staff")
VERIFIES = (
    "step-verify-auth",
    "step-verify-dns",
    "step-verify-event",
    "step-verify-login",
    "step-verify-member",
    "step-verify-staff",
    "step-verify-worker-member",
    "step-verify-worker-staff",
)
FLIP = (
    Stop("gates", "window", "flipped", by.no_gate_passes, fails=tuple(sorted(by.GATES)), options=(COME_THROUGH,)),
    Stop(
        "page-written",
        "gates",
        killed=("step-remind", "step-way-back"),
        lost=(by.UNSCHEDULE,),
        held="way-back/ibimina-prod.md",
    ),
    Stop(
        "page",
        "page-written",
        hinder=by.both(by.folder("way-back/ibimina-prod.md"), by.refused(by.UNSCHEDULE)),
        fails=("step-way-back",),
        told=("remind",),
    ),
    Stop("sessions-refused", "page", hinder=by.refused(by.SESSIONS), fails=("step-end-sessions",)),
    Stop("sessions", "sessions-refused", killed=("step-end-sessions",), lost=(by.SESSIONS,)),
    Stop("supabase-refused", "sessions", hinder=by.refused(by.ALLOWED), fails=("step-auth-settings",)),
    Stop("supabase", "supabase-refused", killed=("step-auth-settings",), lost=(by.ALLOWED,)),
    Stop("cache-rules-refused", "supabase", hinder=by.refused(by.RULES), fails=("dns-cache",)),
    Stop("cache-rules", "cache-rules-refused", killed=("dns-cache",), lost=(by.RULES,)),
    Stop("purge-refused", "cache-rules", hinder=by.refused(by.PURGE), fails=("step-purge",)),
    Stop("purge", "purge-refused", killed=("step-purge",), lost=(by.PURGE,)),
    Stop(
        "switch",
        "purge",
        hinder=by.refused(by.NAME, by.PROMOTE),
        fails=("dns-staff", *PROMOTES),
        options=(COME_THROUGH,),
    ),
    Stop("promote", "switch", killed=("dns-staff", *PROMOTES), lost=(by.NAME, by.PROMOTE)),
    Stop("purge-again-refused", "promote", hinder=by.refused(by.PURGE), fails=("step-purge-again",)),
    Stop("purge-again", "purge-again-refused", killed=("step-purge-again",), lost=(by.PURGE,)),
    Stop(
        "verify",
        "purge-again",
        hinder=lambda play: play.clouds.faults.turn(Knob.WRONG_ISSUER, NEXT_AUTH),
        fails=("step-verify-login",),
    ),
    Stop(
        "complete-refused",
        "verify",
        hinder=by.folder("evidence/ibimina-prod-1-flip.json"),
        fails=("step-complete",),
    ),
    Stop("complete", "complete-refused", killed=("step-complete",), held="evidence/ibimina-prod-1-flip.json"),
    Stop(
        "told-refused",
        "complete",
        hinder=by.refused(by.ANNOTATE, by.POST),
        told=("annotate", "announce"),
    ),
    Stop("told", "told-refused", killed=("step-annotate", "step-announce"), lost=(by.ANNOTATE, by.POST)),
    Stop("flipped", "told"),
)
# Beside the others: nothing waits for env, and everything that is verified is looked at again for some seconds.
ASIDE = (
    Stop("env-refused", "promote", hinder=by.refused(by.VALUE), fails=(by.ENV,)),
    Stop("env", "env-refused", killed=(by.ENV,), lost=(by.VALUE,)),
    Stop(
        "verify-all",
        "switch",
        hinder=by.no_next_answers,
        since=PROMOTES[0],
        fails=VERIFIES,
        options=(COME_THROUGH,),
    ),
)
HALF_FINISHED = tuple(stop.name for stop in (*FLIP, *ASIDE) if stop.name != "flipped")
# What a killed `up` had changed at a vendor and not noted in the state, and what no way back writes of itself.
UNSEEN = {
    "cache-rules": r"/cache_rules/.+|/cloudflare/Ruleset/.+/rules",
    "env": r"/.+/ibimina-member-prod(/env/| )SUPABASE_PROJECT_REF/value",
}
BACK = (
    Stop(
        "going-back",
        "flipped",
        "rolled-back",
        killed=("step-page-pagerduty-on-call", *PROMOTES, "dns-staff", "dns-member", f"dns-{AUTH}", "dns-cache"),
        lost=(by.PAGE, by.ROLL_BACK, by.NAMES, by.RULES),
    ),
    Stop(
        "purging-back",
        "going-back",
        killed=("step-purge-again", "step-function-metrics-exporter", "step-auth-settings", "step-custom-hostname"),
        lost=(by.PURGE, by.DEPLOY, by.ALLOWED, by.HOSTNAME),
    ),
    Stop(
        "verifying-back",
        "purging-back",
        hinder=by.login_hangs,
        killed=("step-verify-login", "step-verify-event"),
        lost=(by.LINES,),
    ),
    Stop("completing-back", "verifying-back", killed=("step-complete",), held="evidence/ibimina-prod-2-back.json"),
    Stop("telling-back", "completing-back", killed=("step-annotate", "step-announce"), lost=(by.ANNOTATE, by.POST)),
    Stop("rolled-back", "telling-back"),
    Stop("leaving", "rolled-back", BEFORE, killed=PROMOTES, lost=(by.PROMOTE,)),
    Stop("left", "leaving"),
)
NEW_NAME = f"dns-{NEXT_AUTH}"
CREATING = (
    Stop("creating", "steady", "prepared", killed=(NEW_NAME,), lost=(by.NEW_RECORD,)),
    Stop("back-creating", "creating", BEFORE),
    Stop("hurried", "steady", "flipped", hinder=by.in_a_hurry, killed=(NEW_NAME,), lost=(by.NEW_RECORD,)),
    Stop("back-hurried", "hurried", "rolled-back"),
    Stop("before-hurried", "hurried", BEFORE),
)
_ALL = (
    Stop(
        "preparing",
        "steady",
        "prepared",
        killed=(
            "step-remind",
            "step-build-member",
            "step-build-staff",
            "step-auth-settings",
            "step-custom-hostname",
        ),
        lost=(by.SCHEDULE, by.BUILD, by.ALLOW, by.ACTIVATE),
        created=NEW_NAME,
    ),
    Stop("prepared", "preparing"),
    Stop("given-up", "prepared", BEFORE),
    *FLIP,
    *ASIDE,
    *BACK,
    *CREATING,
    *(Stop(f"back-{name}", name, "rolled-back") for name in HALF_FINISHED),
    *(Stop(f"refreshed-{name}", f"back-{name}", options=("--refresh",)) for name in UNSEEN),
    *(Stop(f"before-{name}", name, BEFORE) for name in ("switch", "flipped")),
)
STOPS = {each.name: each for each in _ALL}
assert len(STOPS) == len(_ALL), "Two stops have one name."
