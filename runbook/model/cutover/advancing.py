"""How each `up` moves the ledger's record on: what begins, what goes on, and what it remembers of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from runbook.model.cutover.ledger import (
    PURGE,
    Change,
    Ledger,
    Memory,
    change,
    fixed_hosts,
    moving,
    next_digest,
    normal_ttls,
    seconds,
)
from runbook.model.cutover.observed import Observed
from runbook.model.cutover.phases import LOW_TTL, Direction, Phase, Rule
from runbook.model.platform import Platform
from runbook.model.settings import Settings

KEPT_COMMITS = 20  # crossings whose commit is kept; older ones are in the evidence files


def prepares(platform: Platform, settings: Settings, memory: Memory, observed: Observed) -> bool:
    """Whether this update makes next ready (again): it was not, next is another one, or a release made outside has
    replaced the build that next was made beside."""
    ledger = memory.ledger
    if ledger is None or settings.next is None:
        return False
    if memory.going(Direction.BACK) or change(settings, ledger) is Change.BACK:
        return False  # the way back knows next's build by the step that made it, and waits for no other
    if settings.phase is Phase.PREPARED:
        base = {app: build.id for app, build in observed.serving.items()}
        return (
            ledger.preparation == 0
            or ledger.phase is not Phase.PREPARED
            or ledger.prepared_for != next_digest(settings)
            or any(ledger.base.get(app) != build for app, build in base.items())
        )
    # An emergency flip: nothing was made ready, so the flip begins with it.
    return change(settings, ledger) is Change.FLIP and ledger.prepared_for != next_digest(settings)


def advance(
    platform: Platform,
    settings: Settings,
    memory: Memory,
    observed: Observed,
    now: datetime,
    opened: datetime | None = None,
    commit: str = "",
    overridden: Mapping[Rule, str] | None = None,
) -> Ledger:
    """The record that this update writes first. `opened`: when the flip opened, where this update flips; `commit`:
    the git commit that holds the stack file as it is, empty where none does; `overridden`: what is let pass."""
    old, kind, let_pass = memory.ledger, change(settings, memory.ledger), overridden or {}
    if old is None:
        ttls = normal_ttls(platform, settings)
        return Ledger(phase=settings.phase, side=settings.side, hosts=fixed_hosts(settings), ttls=ttls)
    new = _asked(old, platform, settings, memory, observed)
    if settings.phase is Phase.PREPARED or kind is Change.FLIP:
        new = replace(new, ttls_before=ttls_before(platform, settings, old, observed, now))
    if kind is Change.FLIP:
        new = replace(new, **_way_back(new, settings, observed), before=old.side, leaving=None)
        return _begin(replace(new, opened=opened, overridden=let_pass), Direction.FLIP, now, commit)
    if kind is Change.BACK:
        # What was made ready has served: before another flip it is made anew.
        new = replace(new, before=None, leaving=old.side, opened=None, overridden={}, prepared_for="")
        return _begin(new, Direction.BACK, now, commit)
    if kind is Change.NONE and memory.open:
        let_pass = {**old.overridden, **let_pass}
        return replace(new, attempt=old.attempt + 1, opened=opened or old.opened, overridden=let_pass)
    if settings.phase is Phase.STEADY:  # the cutover is over, whichever way it went
        new = replace(new, before=None, ttls_before={}, opened=None)
    return new


def _asked(old: Ledger, platform: Platform, settings: Settings, memory: Memory, observed: Observed) -> Ledger:
    """With what the config asks for now and what was seen, whether something crosses or not."""
    # Env waits for the purge before the switch: a flip that stopped before it has renewed nothing.
    renewed = old.direction is not Direction.FLIP or memory.acted.get(PURGE, "") == old.tag
    had = old.generation_in_force if renewed else old.generation
    new = replace(
        old,
        phase=settings.phase,
        projects={**old.projects, **observed.project_ids},
        hosts=fixed_hosts(settings),
        zone_id=observed.zone_id or old.zone_id,
        ttls=_ttls(platform, settings, old.ttls),
    )
    if prepares(platform, settings, memory, observed):
        new = _made_ready(new, settings, observed, had)
    side = settings.side
    if settings.phase.serves_next and side.generation < new.next_generation:
        side = side.model_copy(update={"generation": new.next_generation})
    return replace(new, side=side, generation=had if side != old.side else old.generation)


def _way_back(ledger: Ledger, settings: Settings, observed: Observed) -> dict[str, Any]:
    """What a way back will put back: the builds that serve, and functions. Where an override lets pass that nobody
    could look, or somebody promoted next's build already, what served when next was made."""
    coming = {build.id for build in observed.next_builds.values()}
    serving = {app: build.id for app, build in observed.serving.items() if build.id not in coming}
    given = settings.cutover.functions if settings.cutover else {}
    functions = {name: {"source": each.source, "tag": each.tag} for name, each in given.items()}
    return {"builds": {**ledger.base, **serving}, "functions": functions}


def _made_ready(ledger: Ledger, settings: Settings, observed: Observed, had: int) -> Ledger:
    """With next made ready, beside the builds that serve. `had`: the generation that env has; next's is a later one,
    also where an earlier flip that was taken back has used up the one in the config."""
    asked = settings.next.generation if settings.next else 0
    return replace(
        ledger,
        preparation=ledger.preparation + 1,
        prepared_for=next_digest(settings),
        base={**ledger.base, **{app: build.id for app, build in observed.serving.items()}},
        next_generation=max(asked, had + 1),
    )


def _begin(ledger: Ledger, direction: Direction, now: datetime, commit: str) -> Ledger:
    new = replace(ledger, crossing=ledger.crossing + 1, direction=direction, attempt=1, begun=now)
    kept = dict(list(ledger.commits.items())[-KEPT_COMMITS:])
    return replace(new, commits={**kept, new.tag: commit} if commit else kept)


def ttls_before(
    platform: Platform, settings: Settings, old: Ledger, observed: Observed, now: datetime
) -> dict[str, int]:
    """Name to the longest, in seconds, that resolvers may hold what they were given before its TTL was lowered: the
    TTL that it still has, or what is left of a larger one that the config gave it before. A name that is low already
    and was never seen higher is left out: it may have had any."""
    found = dict(old.ttls_before)
    listed = {record.name: record for record in observed.records}
    for name in moving(platform, settings):
        record = listed.get(name)
        if record is None or not (record.proxied or seconds(record.ttl) > LOW_TTL):
            continue
        left = old.ttls.get(name, 0) - int((now - record.modified).total_seconds())
        longest = max(found.get(name, 0), 0 if record.proxied else seconds(record.ttl), left)
        if longest > 0:
            found[name] = longest
    return found


def _ttls(platform: Platform, settings: Settings, old: Mapping[str, int]) -> dict[str, int]:
    """The largest normal TTLs, from now on too; a name that is lowered for a flip begins anew."""
    low = moving(platform, settings) if settings.phase.low_ttl else ()
    normal = normal_ttls(platform, settings)
    return {**old, **{name: ttl if name in low else max(ttl, old.get(name, 0)) for name, ttl in normal.items()}}
