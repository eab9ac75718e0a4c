"""Where an operation has its place in the runbook: sections 3a (cutover) and 3b (rollback), and around them."""

from __future__ import annotations

from enum import StrEnum
from fnmatch import fnmatchcase

from runbook.model.plans.operation import LEDGER, Operation, Plan

RECORD, RULESET = "cloudflare:index/dnsRecord:DnsRecord", "cloudflare:index/ruleset:Ruleset"
PROJECT, DOMAIN = "vercel:index/project:Project", "vercel:index/projectDomain:ProjectDomain"
ENV = "vercel:index/projectEnvironmentVariable:ProjectEnvironmentVariable"
RETENTION = "vercel:index/projectDeploymentRetention:ProjectDeploymentRetention"
SWITCH = "vercel:index/edgeConfigItem:EdgeConfigItem"


class Place(StrEnum):
    """In the order in which they come to pass. The numbers are the runbook's."""

    RECORDED = "The ledger"
    PAGED = "3b, support paths: page who is on call"
    SCHEDULE = "3a, 1: schedule the window"
    PREPARE = "3a, 2: prepare configs"
    GATES = "Before anything moves: the gates and the page of the way back"
    SESSIONS = "3a, 3: drain user sessions"
    PURGE = "3a, 4: purge caches"
    SWITCH = "3a, 5: flip traffic"
    BACK = "3b, fast rollback"
    SAFETY = "3b, database safety: the lock on deployments"
    VERIFY = "3a, 5: verify before the window is called complete"
    TOLD = "Kept and told"
    BESIDE = "Beside the cutover"


# Steps by name; of several that fit the longest counts. In a place they act in this order.
_FORWARD = (
    ("remind", Place.SCHEDULE),
    ("build-*", Place.PREPARE),
    ("gate-*", Place.GATES),
    ("way-back", Place.GATES),
    ("end-sessions", Place.SESSIONS),
    ("auth-settings", Place.SESSIONS),
    ("custom-hostname", Place.SESSIONS),
    ("purge", Place.PURGE),
    ("promote-*", Place.SWITCH),
    ("purge-again", Place.SWITCH),
    ("verify-dns", Place.VERIFY),
    ("verify-*", Place.VERIFY),
    ("verify-worker-*", Place.VERIFY),
    ("verify-login", Place.VERIFY),
    ("verify-event", Place.VERIFY),
    ("complete", Place.TOLD),
    ("annotate", Place.TOLD),
    ("announce", Place.TOLD),
)
_BACKWARD = (
    ("page-*", Place.PAGED),
    ("promote-*", Place.BACK),
    ("auth-settings", Place.BACK),
    ("custom-hostname", Place.BACK),
    ("purge-again", Place.BACK),
    ("function-*", Place.BACK),
    ("lock", Place.SAFETY),
    *(each for each in _FORWARD if each[1] in (Place.VERIFY, Place.TOLD)),
)
_AT_REST = (
    ("remind", Place.SCHEDULE),
    ("build-*", Place.PREPARE),
    ("auth-settings", Place.PREPARE),
    ("custom-hostname", Place.PREPARE),
    ("way-back", Place.PREPARE),
    ("promote-*", Place.SAFETY),  # leaving rolled-back: new builds take domains again
    *(each for each in _FORWARD if each[1] is Place.VERIFY),
)


def place(operation: Operation, plan: Plan) -> Place:
    """Where one operation of a plan belongs."""
    if operation.type == LEDGER:
        return Place.RECORDED
    if operation.step:
        return _placed(operation.step, plan)[0]
    if operation.type == RECORD and operation.diff == ("ttl",):
        return Place.SCHEDULE
    switched = Place.BACK if goes_back(plan) else Place.SWITCH
    places = {RECORD: switched, ENV: switched, RULESET: Place.BACK if goes_back(plan) else Place.PURGE}
    return places.get(operation.type, Place.BESIDE) if plan.tag else Place.BESIDE


def in_order(plan: Plan) -> tuple[Operation, ...]:
    """The steps that act, in the order of the runbook; the engine shows them in the order of its own preview."""
    order = list(Place)
    return tuple(sorted(filter(acts, plan.changes), key=lambda each: _rank(each, plan, order)))


def acts(operation: Operation) -> bool:
    """Whether a step does something: it has a trigger, or takes back what it did. Else it is only written down."""
    new = operation.new
    undone = operation.op == "update" and bool(new.get("undone"))
    return bool(operation.step) and bool(new.get("trigger") or undone)


def goes_back(plan: Plan) -> bool:
    return plan.tag.endswith("-back")


def flips(plan: Plan) -> bool:
    return plan.tag.endswith("-flip")


def _rank(operation: Operation, plan: Plan, order: list[Place]) -> tuple[int, int, str]:
    where, number = _placed(operation.step, plan)
    return order.index(where), number, operation.step


def _placed(step: str, plan: Plan) -> tuple[Place, int]:
    known = _BACKWARD if goes_back(plan) else _FORWARD if plan.tag else _AT_REST
    fits = [(len(name), where, number) for number, (name, where) in enumerate(known) if fnmatchcase(step, name)]
    _, where, number = max(fits, key=lambda each: each[0], default=(0, Place.BESIDE, 0))
    return where, number
