"""Which changes of names, builds and env are the crossing's own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import SecretStr

from runbook.model.cutover.ledger import Memory
from runbook.model.cutover.phases import Direction, Phase
from runbook.model.plans.operation import Operation, Plan
from runbook.model.plans.places import DOMAIN, ENV, PROJECT, RECORD, RETENTION, RULESET, flips
from runbook.model.platform import Platform
from runbook.model.serving import CacheRule, cache_rules, env, records
from runbook.model.settings import Settings

# Names, builds and env. Everything else may change beside a crossing: alerts, dashboards and outside checks always,
# the switches (a mitigation of section 5), and the drains, which a gate may be waiting for.
GOVERNED = {RECORD, RULESET, DOMAIN, PROJECT, RETENTION, ENV}


def is_own(operation: Operation, plan: Plan, platform: Platform, settings: Settings, memory: Memory) -> bool:
    """Whether a change of a governed resource does nothing but what the crossing asks for.

    - DNS records and cache rules: what is found is, in every field, what this same config asks for in one of the
      phases (an update may have stopped half-way, so any of them), or is nothing where one of the phases has nothing.
      What is left is what it asks for now. So in `prepared` and after it the TTL of names that take part is the
      crossing's own, and the name that only next has; in a flip their targets too; in `settled` and `steady` the
      normal TTL and the end of a name that was left. A TTL, a target, a comment or a rule that was edited in the same
      update is not, for what is found then is in no phase of this config.
    - Env: only in a flip, and only the value of a key whose value differs between the two sides, or that one of them
      does not have; that holds for each secret which a flip renews. Values cannot be read back, so a key that both
      differs and was edited counts as the crossing's own: next's value is what everybody agreed on.
    - Projects, their domains and how long builds are kept: never. No phase changes them.
    - Steps and the ledger are the crossing's by nature, and are not judged here.

    Deletes and replacements are judged beside this by whether the name serves (rules.py).
    """
    if operation.op == "replace":
        return False
    if operation.type == RECORD:
        return _found(_record(operation.old), operation, _records(platform, settings, memory))
    if operation.type == RULESET:
        rules = operation.old.get("rules") or []
        asked = [cache_rules(platform, each) for each in _phases(settings)]
        return operation.op == "update" and tuple(map(_rule, rules)) in asked and operation.diff == ("rules",)
    if operation.type == ENV:
        return flips(plan) and set(operation.diff) <= {"value"} and _env_differs(operation, platform, settings)
    return False


def _found(old: tuple[Any, ...], operation: Operation, asked: list[set[tuple[Any, ...]]]) -> bool:
    """Whether one of the phases has what was found."""
    if operation.op == "create":
        name = _record(operation.new)[:2]
        return any(name not in {each[:2] for each in phase} for phase in asked)
    return any(old in phase for phase in asked)


def _records(platform: Platform, settings: Settings, memory: Memory) -> list[set[tuple[Any, ...]]]:
    """Of each phase its records; a name that a way back left stands until that is complete."""
    leaving = memory.ledger.leaving if memory.ledger else None
    sides = (None, leaving) if leaving else (None,)
    # Each way back says so in every comment, which stands until the next crossing has written the record again.
    crossing = memory.ledger.crossing if memory.ledger else 0
    notes = ("", *(f"{number}-{Direction.BACK}" for number in (crossing - 1, crossing) if number > 0))
    return [
        {
            (each.name, each.type, each.content, each.ttl, each.proxied, each.priority, each.comment)
            for each in records(platform, asked, side, note)
        }
        for asked in _phases(settings)
        for side in sides
        for note in notes
    ]


def _record(inputs: Mapping[str, Any]) -> tuple[Any, ...]:
    plain = (inputs.get(key) for key in ("name", "type", "content", "ttl"))
    return (*plain, bool(inputs.get("proxied")), inputs.get("priority"), inputs.get("comment") or "")


def _rule(inputs: Mapping[str, Any]) -> CacheRule:
    """A cache rule as the model has it, of what its ruleset was given."""
    parameters = inputs.get("actionParameters") or {}
    return CacheRule(
        str(inputs.get("ref")),
        str(inputs.get("description")),
        str(inputs.get("expression")),
        bool(parameters.get("cache")),
    )


def _phases(settings: Settings) -> Iterator[Settings]:
    """The same config as it would be in each phase."""
    if settings.cutover is None:
        yield settings
        return
    for phase in Phase:
        asked = settings.cutover.model_copy(update={"phase": phase})
        yield settings.model_copy(update={"cutover": asked})


def _env_differs(operation: Operation, platform: Platform, settings: Settings) -> bool:
    inputs, then = operation.new or operation.old, settings.next
    app = next((app.name for app, _ in platform.vercel_apps if operation.name.startswith(f"web-{app.name}-env-")), "")
    if then is None or not app:
        return False
    now, after = (
        {each.key: _clear(each.value) for each in env(platform, settings, app, side, side.generation)}
        for side in (settings.current, then)
    )
    key = str(inputs.get("key"))
    return now.get(key) != after.get(key)


def _clear(value: str | SecretStr) -> str:
    return value.get_secret_value() if isinstance(value, SecretStr) else value
