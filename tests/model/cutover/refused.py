"""Updates that are refused, by title: what is asked of which stack, what it remembers and what the clouds show."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from runbook.model.cutover.ledger import COMPLETE, Memory
from runbook.model.cutover.observed import Observed
from runbook.model.cutover.phases import Phase
from runbook.model.cutover.refusals import Decision, RefusedError, decide
from runbook.model.settings import Settings
from tests.model.cutover.examples import IN_WINDOW, NEXTS, configured
from tests.model.cutover.playing import NOTHING, PREPARED_AT, observed, played, ready
from tests.stacks import platform, raw

P, F, T = Phase.PREPARED, Phase.FLIPPED, Phase.SETTLED
FREEZE = {"start": "2026-12-05 00:00", "end": "2026-12-06 12:00", "zone": "Africa/Kigali", "reason": "month-end runs"}


@dataclass(frozen=True)
class Update:
    stack: str
    settings: Settings
    memory: Memory
    observed: Observed
    now: datetime = IN_WINDOW
    missing: Collection[str] = ()

    @property
    def decision(self) -> Decision:
        return decide(platform(self.stack), self.settings, self.memory, self.observed, self.now, self.missing)

    @property
    def message(self) -> str:
        refusals = self.decision.refusals
        return str(RefusedError(self.stack, self.settings, refusals, self.now)) if refusals else "Nothing refuses it."


RENAMED = {"host": "members.ibimina.rw", "proxied": True}


def flip(stack: str = "prod", changes: Any = None, seen: Any = None, **sections: Any) -> Update:
    """A flip of a stack that was prepared, in the window. `changes`: of the cutover's section, `seen`: of what is
    observed."""
    memory = played(stack, P)
    settings = configured(stack, "flipped", changes, **sections)
    return Update(stack, settings, memory, observed(stack, configured(stack), memory, PREPARED_AT, **(seen or {})))


def emergency(stack: str = "prod", changes: Any = None) -> Update:
    """A flip straight from steady."""
    was = configured(stack, None)
    return Update(stack, configured(stack, "flipped", changes), played(stack), observed(stack, was))


def from_next_to_next() -> Update:
    """While next serves, `current` := next and another one under `next`, without a preparation."""
    memory, served = played("prod", P, F), configured("prod", "flipped")
    current = served.side.model_dump(mode="json", by_alias=True, exclude_none=True)
    third = configured("prod", "flipped", {"next": {"targets": {"staff": "third.vercel-dns.com"}}}, current=current)
    return Update("prod", third, memory, observed("prod", served, memory, IN_WINDOW), IN_WINDOW + timedelta(hours=1))


def settle(seen: Any = None, **changes: Any) -> Update:
    """Settled right after the flip."""
    memory = played("prod", P, F)
    shown = observed("prod", configured("prod", "flipped"), memory, IN_WINDOW, **(seen or {}))
    later = IN_WINDOW + timedelta(minutes=59, seconds=59)
    return replace(Update("prod", configured("prod", "settled"), memory, shown, later), **changes)


def by_hand(**current: Any) -> Update:
    """`current` edited, without a cutover."""
    settings = configured("prod", None, current={**raw("prod")["current"], **current})
    return Update("prod", settings, played("prod"), observed("prod", configured("prod", None)))


def edited(**targets: str) -> dict[str, Any]:
    current = raw("prod")["current"]
    return {**current, "targets": {**current["targets"], **targets}}


def records(was: str, **changes: Any) -> Any:
    """The records that the clouds show for the auth host's two names, changed; a name without a value is missing."""
    memory = played("prod", P)
    seen = observed("prod", configured("prod", was), memory, PREPARED_AT).records
    return [
        replace(each, **(changes[each.name.split(".")[0]] or {})) if each.name.split(".")[0] in changes else each
        for each in seen
        if changes.get(each.name.split(".")[0], True) is not None
    ]


def updates() -> dict[str, Update]:
    prepared = played("prod", P)
    ttls = observed("prod", configured("prod"), prepared, PREPARED_AT).served_ttl
    builds = {app: ready(f"dpl_{app}_prepare-1") for app in ("staff", "member")}
    late = "2026-12-05 21:00"
    served = configured("prod", "settled").side.model_dump(mode="json", by_alias=True, exclude_none=True)
    return {
        "A flip straight from steady": emergency(),
        "A flip straight from steady of the other platform": emergency("easymo-prod"),
        "Settled without a flip": replace(flip(), settings=configured("prod", "settled")),
        "Rolled back where nothing was flipped": replace(flip(), settings=configured("prod", "rolled-back")),
        "A new stack that begins flipped": replace(flip(), memory=NOTHING),
        "A target edited by hand": by_hand(**edited(staff="192.0.2.5")),
        "A Supabase project edited by hand": by_hand(supabaseRef="q" * 20),
        "A host of an app edited by hand": replace(
            by_hand(), settings=configured("prod", None, apps={**raw("prod")["apps"], "member": RENAMED})
        ),
        "An auth host edited by hand": by_hand(authHost="login.ibimina.rw"),
        "A target edited by hand in the change that flips": flip(current=edited(staff="192.0.2.5")),
        "A target edited by hand while next serves": replace(
            settle(), settings=configured("prod", "flipped", current=edited(staff="192.0.2.5"))
        ),
        "A slip of the pen where next becomes current": Update(
            "prod",
            configured("prod", None, current={**served, "targets": {**served["targets"], "member": "192.0.2.5"}}),
            played("prod", P, F, T),
            observed("prod", configured("prod", "settled")),
        ),
        "A target edited by hand in the change that goes back": replace(
            settle(), settings=configured("prod", "rolled-back", current=edited(staff="192.0.2.5"))
        ),
        "Another next while next serves": replace(
            settle(), settings=configured("prod", "flipped", {"next": {"supabaseRef": "q" * 20}})
        ),
        "Before the cutover window": replace(flip(), now=IN_WINDOW.replace(hour=19, minute=59, second=59)),
        "After the cutover window": replace(flip(), now=IN_WINDOW + timedelta(hours=3)),
        "In a freeze": flip(freeze=[FREEZE]),
        "Before it opens": replace(
            flip(), observed=observed("prod", configured("prod"), prepared, IN_WINDOW - timedelta(minutes=64))
        ),
        "Before a name that is new was listed": flip(seen={"records": records("prepared", signin=None)}),
        "Before the TTL was lowered": flip(seen={"records": records("prepared", auth={"ttl": 3600})}),
        "Before the low TTL was served": flip(seen={"served_ttl": {**ttls, "auth.ibimina.rw": 3600}}),
        "While the authoritative servers do not answer": flip(seen={"served_ttl": {}}),
        "When nobody knows which TTL was served before": replace(
            flip(),
            memory=replace(prepared, ledger=replace(prepared.ledger, ttls_before={})),  # type: ignore[type-var]
        ),
        "A record that somebody changed": flip(seen={"records": records("prepared", auth={"content": "192.0.2.66"})}),
        "A record that somebody removed": flip(seen={"records": records("prepared", auth=None)}),
        "A record of next that somebody changed": flip(
            seen={"records": records("prepared", signin={"content": "192.0.2.66"})}
        ),
        "A name of next that the state does not know": replace(flip(), memory=replace(prepared, names=frozenset())),
        "A next build that is not ready": flip(
            seen={"next_builds": {**builds, "staff": ready("dpl_staff_prepare-1", "BUILDING")}}
        ),
        "A next build that Vercel does not show": flip(seen={"next_builds": {"member": builds["member"]}}),
        "A next build that was not made": replace(
            flip(), memory=replace(prepared, acted={**prepared.acted, "build-staff": ""})
        ),
        "A release made outside": flip(
            seen={"serving": {"staff": ready("dpl_hotfix"), "member": ready("dpl_member_old")}}
        ),
        "A release made outside where nobody saw beside what next was made": replace(
            flip(seen={"serving": {"staff": ready("dpl_hotfix")}}),
            memory=replace(prepared, ledger=replace(prepared.ledger, base={})),  # type: ignore[type-var]
        ),
        "Another next in the change that flips": flip(changes={"next": {**NEXTS["prod"], "release": "v1.2.0"}}),
        "Flipped again from a next that serves": from_next_to_next(),
        "A function that the config does not name": flip(changes={"functions": {}}),
        "A function whose source is not there": replace(flip(), missing=["metrics-exporter"]),
        "What could not be looked at": flip(seen={"failures": {"records": "Cloudflare answered 503 to GET /zones."}}),
        "Settled before the soak is over": settle(),
        "Settled while the flip is not complete": settle(memory=played("prod", P, F, complete=False)),
        "Settled while nobody knows how long tokens live": settle(
            seen={"jwt_exp": None, "failures": {"auth settings": "Supabase answered 500 to GET /v1/projects."}}
        ),
        "Everything at once": replace(
            flip(
                changes={
                    "functions": {},
                    "overrides": [{"rule": "release", "reason": "the hotfix is in next as well", "until": late}],
                },
                seen={
                    "records": records("prepared", auth={"content": "192.0.2.66", "ttl": 300}),
                    "next_builds": {},
                    "failures": {"project staff": "Vercel answered 500 to GET /v9/projects."},
                },
                freeze=[FREEZE],
            ),
            now=IN_WINDOW - timedelta(hours=3),
        ),
    }


def not_complete(memory: Memory) -> Memory:
    """The same memory, but the last crossing did not come to its end."""
    return replace(memory, acted={**memory.acted, COMPLETE: ""})
