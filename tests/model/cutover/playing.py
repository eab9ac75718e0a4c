"""Cutovers played without an engine: what the state remembers after each update, and what the clouds then show."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from runbook.model import serving
from runbook.model.cutover.ledger import COMPLETE, Ledger, Memory
from runbook.model.cutover.observed import Observed, SeenBuild, SeenRecord
from runbook.model.cutover.orders import plan
from runbook.model.cutover.phases import Phase, Rule
from runbook.model.cutover.refusals import Decision, decide
from runbook.model.cutover.scene import Scene
from runbook.model.cutover.step import Plan
from runbook.model.settings import Settings
from tests.model.cutover.examples import IN_WINDOW, configured
from tests.stacks import platform

NOTHING = Memory()
LONG_AGO = IN_WINDOW - timedelta(days=30)
PREPARED_AT = IN_WINDOW - timedelta(hours=6)
SETTLED_AT = IN_WINDOW + timedelta(hours=2)


def observed(
    stack: str, was: Settings, memory: Memory = NOTHING, modified: datetime = LONG_AGO, **changes: Any
) -> Observed:
    """What the clouds show after an update with the config `was`, where all went well. `changes`: parts that are
    others."""
    found = platform(stack)
    records = [record for record in serving.records(found, was) if record.type in ("CNAME", "A", "AAAA")]
    apps = [app.name for app, _ in found.vercel_apps]
    made = {app: made for app in apps if (made := memory.evidence.get(f"build-{app}", {}).get("deployment"))}
    flipped = was.phase.serves_next
    seen = Observed(
        zone_id="zone",
        records=tuple(
            SeenRecord(f"id-{each.key}", each.name, each.type, each.content, each.ttl, each.proxied, modified)
            for each in records
        ),
        served_ttl={each.name: serving_ttl(each.ttl) for each in records},
        negative_ttl=1800,
        project_ids={app: f"prj_{app}" for app in apps},
        serving={app: ready(made[app] if flipped and app in made else f"dpl_{app}_old") for app in apps},
        next_builds={app: ready(made[app]) for app in made},
        jwt_exp=3600,
    )
    return replace(seen, **changes)


def serving_ttl(ttl: int) -> int:
    return 300 if ttl == 1 else ttl


def ready(build: str, state: str = "READY") -> SeenBuild:
    return SeenBuild(build, f"{build}.vercel.app", state)


def steps(stack: str, settings: Settings, memory: Memory, decision: Decision) -> Plan:
    """The plan of an update, with a page of the way back."""
    page = "the way back" if settings.cutover else ""
    return plan(Scene(platform(stack), settings, decision.ledger, memory, "zone", page, decision.overridden))


def remembered(
    stack: str, settings: Settings, memory: Memory, decision: Decision, now: datetime, but: Collection[str] = ()
) -> Memory:
    """What the state holds after the update, in which the steps `but` failed."""
    acted, evidence = dict(memory.acted), dict(memory.evidence)
    for step in steps(stack, settings, memory, decision).steps:
        due = step.trigger != acted.get(step.name, "") and (step.trigger or step.undone)
        if due and step.name not in but:
            acted[step.name] = step.trigger
            said: Mapping[str, Any] = {"at": now.isoformat()} if step.name == COMPLETE else {}
            if step.name.startswith("build-"):
                said = {"deployment": f"dpl_{step.name.removeprefix('build-')}_{step.trigger}"}
            evidence[step.name] = said
    return Memory(kept(decision.ledger), acted, evidence)


def kept(ledger: Ledger) -> Ledger:
    """As the engine hands it back: through JSON, without what has no value, every number a float."""
    plain = json.loads(json.dumps(ledger.as_json()), parse_int=float)
    return Ledger.of({key: value for key, value in plain.items() if value is not None})


def up(
    stack: str,
    settings: Settings,
    memory: Memory,
    seen: Observed,
    now: datetime,
    but: Collection[str] = (),
) -> Memory:
    """One update that nothing refuses."""
    decision = decide(platform(stack), settings, memory, seen, now)
    assert rules(decision) == set(), [each.problem.allowed for each in decision.refusals]
    return remembered(stack, settings, memory, decision, now, but)


def played(stack: str, *phases: Phase, complete: bool = True) -> Memory:
    """What the state remembers after these phases, each on time. `complete`: whether the last one came to its end."""
    memory, was = Memory(), configured(stack, None)
    for number, phase in enumerate((Phase.STEADY, *phases)):
        settings = configured(stack, phase.value) if number else was
        seen = observed(stack, was, memory, PREPARED_AT if was.phase.low_ttl else LONG_AGO)
        but = () if complete or number < len(phases) else (COMPLETE,)
        memory = up(stack, settings, memory, seen, when(phase), but)
        was = settings
    return memory


def when(phase: Phase) -> datetime:
    return {Phase.STEADY: LONG_AGO, Phase.PREPARED: PREPARED_AT, Phase.FLIPPED: IN_WINDOW}.get(phase, SETTLED_AT)


def rules(decision: Decision) -> set[Rule | None]:
    """The rules that refuse an update; None is a refusal that nobody can override."""
    return {each.rule for each in decision.refusals}
