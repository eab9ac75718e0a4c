"""A cutover as the runbook of a stack tells it: the one of its stack file, else an example to begin with; and what
each move does, taken from the very orders that an update follows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime

from pydantic import SecretStr

from runbook.model import serving
from runbook.model.cutover.advancing import advance
from runbook.model.cutover.ledger import Ledger, Memory, dns_only, normal_ttls
from runbook.model.cutover.observed import Observed, SeenBuild
from runbook.model.cutover.opening import LEAST, MARGIN
from runbook.model.cutover.orders import plan
from runbook.model.cutover.phases import Direction, Phase
from runbook.model.cutover.scene import Scene
from runbook.model.cutover.sections import Cutover, FunctionSource, NextSide, Window
from runbook.model.cutover.step import Step
from runbook.model.fields import record_type
from runbook.model.plans.operation import STEP, Operation, Plan
from runbook.model.plans.places import Place, in_order, place
from runbook.model.plans.says import act
from runbook.model.platform import Platform
from runbook.model.secrets_needed import cutover_secrets, required_secrets
from runbook.model.serving import stack_of
from runbook.model.settings import Settings, SlackContact

# Names that nobody has (RFC 5737, 3849, 2606), and a ref of the length of a real one.
NEXT_REF = "refofthenextprojects"
NEXT_TARGETS = {"A": "192.0.2.20", "AAAA": "2001:db8::20", "CNAME": "next.example.net"}
START, END = "2030-01-05 22:00", "2030-01-06 02:00"
_EVER = datetime(2030, 1, 1, tzinfo=UTC)  # when it is shows nowhere


def with_cutover(platform: Platform, settings: Settings) -> Settings:
    """The settings with a cutover: theirs, else an example. Every secret is a made-up one: what a runbook shows is
    made of none."""
    given = settings.model_copy(update={"cutover": settings.cutover or example(platform, settings)})
    names = required_secrets(platform, given).keys() | cutover_secrets(platform, given).keys()
    return given.model_copy(update={"secrets": {name: SecretStr(f"made up: {name}") for name in names}})


def at(settings: Settings, phase: Phase) -> Settings:
    """Settings with a cutover, in another phase."""
    if settings.cutover is None:
        raise ValueError("There is no cutover.")
    return settings.model_copy(update={"cutover": settings.cutover.model_copy(update={"phase": phase})})


def example(platform: Platform, settings: Settings) -> Cutover:
    """A sound block to begin with: sign-in moves to another project; without sign-in an app moves elsewhere."""
    watched = [each.name for each in platform.objectives(stack_of(settings)) if each.watch]
    reminded = [
        name for name, contacts in settings.owners.items() if any(isinstance(each, SlackContact) for each in contacts)
    ]
    hours = settings.business_hours
    zone = hours.timezone if hours else "Etc/UTC"
    return Cutover(
        phase=Phase.PREPARED,
        window=Window.model_validate({"start": START, "end": END, "zone": zone}),
        owners=list(dict.fromkeys([platform.owners[0].name, *reminded[:1]])),
        back_out=watched[:2],
        next=_next(platform, settings),
        functions={
            # The tag of a generated page is no tag, so this is not checked.
            name: FunctionSource.model_construct(
                source=f"supabase/functions/{name}/index.ts", tag=settings.current.release
            )
            for name in platform.recovery.functions
        },
    )


def _next(platform: Platform, settings: Settings) -> NextSide:
    if platform.auth_app:
        return NextSide(supabase_ref=NEXT_REF, targets={platform.auth_app.name: f"{NEXT_REF}.supabase.co"})
    moved = next((app for app in platform.apps if not app.vercel), platform.apps[0])
    kind = record_type(settings.current.targets[moved.name]) or "CNAME"
    return NextSide(targets={moved.name: NEXT_TARGETS[kind]})


def ttl_before(platform: Platform, settings: Settings) -> tuple[tuple[str, ...], int]:
    """The names whose TTL counts, and the largest normal one in seconds, 0 without names."""
    names, normal = dns_only(platform, settings), normal_ttls(platform, settings)
    return names, max((normal[name] for name in names), default=0)


def least_wait(ttl: int) -> int:
    """Seconds from the low TTL until a flip opens, where the largest TTL before was `ttl`."""
    return max(LEAST, ttl) + MARGIN


def acting(platform: Platform, settings: Settings, direction: Direction | None) -> list[tuple[Place, list[str]]]:
    """What a move does, place by place, in the order of the runbook. `direction`: None is the preparation."""
    scene = _scene(platform, settings, direction)
    acted = scene.memory.acted
    due = (step for step in plan(scene).steps if step.trigger != acted.get(step.name, ""))
    given = Plan("", "", "", scene.ledger.tag, tuple(map(_operation, due)))
    told: dict[Place, list[str]] = {}
    for operation in in_order(given):
        told.setdefault(place(operation, given), []).append(act(operation))
    for where, text in _declared(platform, settings, direction):
        told.setdefault(where, []).append(text)
    return [(where, told[where]) for where in Place if where in told]


def all_steps(platform: Platform, settings: Settings) -> dict[str, Step]:
    """Every step that the stack has in some move, by name."""
    found: dict[str, Step] = {}
    for direction in (None, *Direction):
        for step in plan(_scene(platform, with_cutover(platform, settings), direction)).steps:
            if step.trigger:
                found.setdefault(step.name, step)
    return found


def _scene(platform: Platform, settings: Settings, direction: Direction | None) -> Scene:
    """The move as it is when those before it went well: each made by the program's own rules from what it finds."""
    phases = (Phase.PREPARED, Phase.FLIPPED, Phase.ROLLED_BACK)
    last = {None: 1, Direction.FLIP: 2, Direction.BACK: 3}[direction]
    builds = {app.name: SeenBuild("the ledger has its id", "", "READY") for app, _ in platform.vercel_apps}
    memory = Memory(Ledger(Phase.STEADY, settings.current))
    for phase in phases[:last]:
        asked = at(settings, phase)
        ledger = advance(platform, asked, memory, Observed(serving=builds), _EVER, _EVER)
        page = "" if phase is Phase.ROLLED_BACK else "the page"
        scene = Scene(platform, asked, ledger, memory, "", page)
        memory = Memory(ledger, {**memory.acted, **{each.name: each.trigger for each in plan(scene).steps}})
    return scene


def _operation(step: Step) -> Operation:
    """As a preview would show it."""
    inputs = {"name": step.name, "kind": step.kind.value, "trigger": step.trigger, "args": json.dumps(step.args)}
    return Operation(step.name, STEP, step.name, "update", new=inputs)


def _declared(platform: Platform, settings: Settings, direction: Direction | None) -> Iterator[tuple[Place, str]]:
    """What changes beside the steps: DNS records, CDN rules and env."""
    if direction is None:
        old, new = settings.model_copy(update={"cutover": None}), at(settings, Phase.PREPARED)
        yield from ((Place.SCHEDULE, text) for text in _records(platform, old, new))
        return
    flips = direction is Direction.FLIP
    old = at(settings, Phase.PREPARED if flips else Phase.FLIPPED)
    new = at(settings, Phase.FLIPPED if flips else Phase.ROLLED_BACK)
    switch = Place.SWITCH if flips else Place.BACK
    yield from ((switch, text) for text in _records(platform, old, new))
    rules = serving.cache_rules(platform, old)
    for rule in serving.cache_rules(platform, new):
        if rule not in rules:
            yield Place.PURGE if flips else switch, f"CDN rule {rule.ref} follows: {rule.expression}"
    coming = at(settings, Phase.FLIPPED).side.generation  # of the renewed secrets, which never get older again
    webs = zip(serving.webs(platform, old), serving.webs(platform, new, coming), strict=True)
    for was, web in webs:
        before, after = ({each.key: each for each in one.env} for one in (was, web))
        keys = [key for key in dict.fromkeys((*before, *after)) if before.get(key) != after.get(key)]
        if keys:
            yield switch, f"Env of {web.project}, for later releases: {', '.join(keys)}"


def _records(platform: Platform, old: Settings, new: Settings) -> Iterator[str]:
    before = {each.key: each for each in serving.records(platform, old)}
    for record in serving.records(platform, new):
        was = before.get(record.key)
        if was is None:
            yield f"DNS: {record.name} is new, {record.type} {record.content}, TTL {record.ttl}"
        elif was.content != record.content:
            yield f"DNS: {record.name} leads to {record.content} in place of {was.content}"
        elif was.ttl != record.ttl:
            yield f"DNS: the TTL of {record.name} is {record.ttl} in place of {was.ttl}"
