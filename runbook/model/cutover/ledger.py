"""What the stack's state keeps of crossings; advancing.py moves it on.

The record is written before anything moves (intent); the step `complete` is the last to act (completion). While the
two differ a crossing is under way, and every `up` goes on with it. Whether a config change is a flip, a way back or
neither is decided by what serves, not by the phase's name.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import TypeAdapter

from runbook.model.checks import host_of
from runbook.model.cutover.observed import Wanted
from runbook.model.cutover.phases import Direction, Phase, Rule
from runbook.model.cutover.sections import Side
from runbook.model.fields import TTL_AUTOMATIC
from runbook.model.platform import Platform
from runbook.model.serving import project_name, records, takes_part
from runbook.model.settings import Settings

SERVED_AS = 300  # seconds that Cloudflare serves for TTL_AUTOMATIC
# Names of steps that the ledger asks for: the one that ends a crossing, and the last before the switch.
COMPLETE, PURGE = "complete", "purge"


def alike(one: Side, other: Side) -> bool:
    """Whether the same serves with either side: auth host, Supabase project and targets are what clients can tell
    apart. An app that only one of them has is new to the platform or gone from it, which is no change of what serves:
    nobody has reached it yet, or `protect` holds its name."""
    there = one.targets.keys() & other.targets.keys()
    return (one.auth_host, one.supabase_ref) == (other.auth_host, other.supabase_ref) and all(
        one.targets[app] == other.targets[app] for app in there
    )


@dataclass(frozen=True)
class Ledger:
    """`crossing` counts crossings, `attempt` the updates of the one under way, `preparation` how often next was made
    ready. `side` is what the config asks to serve, `before` what served before the last flip, `leaving` what served
    before a way back that is under way. `builds`: app to the deployment that served before the flip; `base`: app to
    the one that served when next was built. `ttls`: name to the largest normal TTL that the config gave it since it
    was last lowered for a flip; `ttls_before`: of the names that flip, how long resolvers may hold what they were
    given before that, as far as it was seen; both in seconds. `opened`: when the flip under way was found open.
    `generation`: the latest generation of the secrets that the apps' env is known to have had; `next_generation`: the
    one that next's build was made with, always a later one. `functions`: name to source and tag, of those that a way
    back deploys again. `overridden`: rules that were let pass in the last crossing, each with the reason. `commits`:
    tag of a crossing to the git commit whose stack file asked for it, of the last.
    """

    phase: Phase
    side: Side
    crossing: int = 0
    direction: Direction | None = None
    attempt: int = 0
    begun: datetime | None = None
    before: Side | None = None
    leaving: Side | None = None
    preparation: int = 0
    prepared_for: str = ""
    base: Mapping[str, str] = field(default_factory=dict)
    builds: Mapping[str, str] = field(default_factory=dict)
    projects: Mapping[str, str] = field(default_factory=dict)
    zone_id: str = ""
    hosts: Mapping[str, str] = field(default_factory=dict)
    ttls: Mapping[str, int] = field(default_factory=dict)
    ttls_before: Mapping[str, int] = field(default_factory=dict)
    opened: datetime | None = None
    generation: int = 1
    next_generation: int = 0
    functions: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    overridden: Mapping[Rule, str] = field(default_factory=dict)
    commits: Mapping[str, str] = field(default_factory=dict)

    @property
    def tag(self) -> str:
        """Names the crossing and its direction, such as 1-flip; empty before the first."""
        return f"{self.crossing}-{self.direction}" if self.direction else ""

    @property
    def generation_in_force(self) -> int:
        """What the apps' env gets with this record: it only grows."""
        return max(self.generation, self.side.generation)

    def as_json(self) -> dict[str, Any]:
        """Plain JSON, for the state. It holds no secret: a side has none."""
        plain: dict[str, Any] = _LEDGER.dump_python(self, mode="json", by_alias=True)
        return plain

    @classmethod
    def of(cls, plain: Mapping[str, Any]) -> Ledger:
        """From what `as_json` made; the engine makes numbers floats. Raises: pydantic.ValidationError"""
        return _LEDGER.validate_python(_whole(plain))


_LEDGER = TypeAdapter(Ledger)


def _whole(plain: Any) -> Any:
    if isinstance(plain, Mapping):
        return {key: _whole(value) for key, value in plain.items()}
    return int(plain) if isinstance(plain, float) else plain


@dataclass(frozen=True)
class Memory:
    """What the state holds: the ledger's record, of each step the trigger it acted on and its evidence, and the names
    that it has a DNS record of; None where nobody asked for these."""

    ledger: Ledger | None = None
    acted: Mapping[str, str] = field(default_factory=dict)
    evidence: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    names: frozenset[str] | None = None

    @property
    def open(self) -> bool:
        """Whether a crossing has begun and is not complete."""
        return self.ledger is not None and not self.completed(self.ledger.tag)

    def going(self, direction: Direction) -> bool:
        """Whether a crossing in this direction is under way."""
        return self.open and self.ledger is not None and self.ledger.direction is direction

    def completed(self, tag: str) -> bool:
        """Whether this crossing is the last that is complete; before the first its tag is empty."""
        return self.acted.get(COMPLETE, "") == tag

    @property
    def completed_at(self) -> datetime | None:
        """When the last crossing was complete; None while one is open or before the first."""
        at = self.evidence.get(COMPLETE, {}).get("at")
        return datetime.fromisoformat(at) if at and not self.open else None


class Change(StrEnum):
    """What a config change is, by what serves."""

    FIRST = "first"  # the stack's first update
    NONE = "none"  # what serves stays
    FLIP = "flip"
    BACK = "back"
    OTHER = "other"  # what serves would change by no move


def change(settings: Settings, ledger: Ledger | None) -> Change:
    """What the config asks of what serves, given what the state remembers."""
    if ledger is None:
        return Change.FIRST
    if alike(settings.side, ledger.side):
        return Change.NONE
    if ledger.before is not None and alike(settings.side, ledger.before):
        return Change.BACK
    if settings.phase is Phase.FLIPPED and alike(settings.current, ledger.side):
        return Change.FLIP
    return Change.OTHER


def next_digest(settings: Settings) -> str:
    """Tells one next side from another, in whatever order the config names its parts; empty without one."""
    if settings.next is None:
        return ""
    return hashlib.sha256(json.dumps(settings.next.model_dump(), sort_keys=True).encode()).hexdigest()[:16]


def fixed_hosts(settings: Settings) -> dict[str, str]:
    """App to host name, of those whose name no cutover changes."""
    return {name: app.host for name, app in sorted(settings.apps.items()) if app.host}


def left_behind(ledger: Ledger, memory: Memory) -> Side | None:
    """The side that a way back leaves, until that way back is complete."""
    going = ledger.direction is Direction.BACK and not memory.completed(ledger.tag)
    return ledger.leaving if going else None


def moving(platform: Platform, settings: Settings) -> tuple[str, ...]:
    """The names in use that a flip changes: current's."""
    apps = (app for app in platform.apps if takes_part(app, settings))
    return tuple(host for app in apps if (host := host_of(app, settings, settings.current)))


def dns_only(platform: Platform, settings: Settings) -> tuple[str, ...]:
    """Those of them that resolvers hold for their TTL: not proxied."""
    names = moving(platform, settings)
    return tuple(each.name for each in records(platform, settings) if each.name in names and not each.proxied)


def normal_ttls(platform: Platform, settings: Settings) -> dict[str, int]:
    """Name to its TTL outside a cutover, in seconds, of the apps that are not proxied."""
    given = {host_of(app, settings, settings.current): settings.apps[app.name] for app in platform.apps}
    return {host: seconds(app.ttl or TTL_AUTOMATIC) for host, app in given.items() if host and not app.proxied}


def new_names(platform: Platform, settings: Settings) -> tuple[str, ...]:
    """The names that only next has."""
    if settings.next is None or settings.next.auth_host in (None, settings.current.auth_host):
        return ()
    return (settings.next.auth_host,)


def seconds(ttl: int) -> int:
    """A TTL as it is served."""
    return SERVED_AS if ttl == TTL_AUTOMATIC else ttl


def check(olds: Mapping[str, Any] | None, news: Mapping[str, Any], now: datetime) -> list[str]:
    """The second refusal, in the ledger's own check: what the program reckoned fits what the state holds now. Another
    update may have come between, or the program may have been got round.

    `olds`: the record of the last update, None before the first. Returns sentences; none is fine.
    """
    new = Ledger.of(news)
    if not olds:
        return [] if new.phase in (Phase.STEADY, Phase.PREPARED) else [f"A new stack begins {Phase.STEADY}."]
    old = Ledger.of(olds)
    if new == old:
        return []
    again = "Run the command again: the program then reads what the state holds."
    if new.crossing not in (old.crossing, old.crossing + 1):
        return [f"The state is at crossing {old.crossing}, and this update is number {new.crossing}. {again}"]
    if new.generation < old.generation:
        return [f"The state holds generation {old.generation} of the secrets, which never gets less. {again}"]
    if new.crossing == old.crossing and not alike(new.side, old.side):
        return [f"What serves would change without a crossing. {again}"]
    if new.crossing > old.crossing and new.direction is Direction.FLIP and (new.opened is None or now < new.opened):
        return [
            f"The flip does not open before {new.opened:%Y-%m-%d %H:%M} UTC."
            if new.opened
            else "The flip is not open."
        ]
    return []


def to_observe(platform: Platform, settings: Settings, memory: Memory) -> Wanted | None:
    """What this update has to look at; None where nothing depends on it: without a cutover, and on a way back, which
    nothing may hold up, neither when it begins nor when it is gone on with."""
    back = change(settings, memory.ledger) is Change.BACK or memory.going(Direction.BACK)
    if settings.next is None or back:
        return None
    made = {
        app.name: memory.evidence.get(f"build-{app.name}", {}).get("deployment") for app, _ in platform.vercel_apps
    }
    # The tokens that a soak waits for are from before the flip: of the project that served then.
    return Wanted(
        zone=settings.zone,
        names=(*moving(platform, settings), *new_names(platform, settings)),
        projects={app.name: project_name(app, settings) for app, _ in platform.vercel_apps},
        builds={app: build for app, build in made.items() if build},
        auth_ref=settings.current.supabase_ref if platform.auth_app and settings.phase is Phase.SETTLED else None,
    )
