"""Previews without an engine: the events that the engine would write for a cutover that was played in the model.

Shapes as in logs of engine 3.258: each resource of the state and of the program, with its inputs, secrets marked.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from pydantic import SecretStr

from runbook.model import alerting, serving
from runbook.model.cutover.ledger import PURGE, Ledger, Memory
from runbook.model.cutover.phases import Direction
from runbook.model.cutover.refusals import decide
from runbook.model.plans.operation import LEDGER, STEP, STEPS_PROVIDER, Plan, plan_of
from runbook.model.plans.places import DOMAIN, ENV, PROJECT, RECORD, RETENTION, RULESET
from runbook.model.settings import Settings
from tests.model.cutover import playing
from tests.stacks import platform

RULES, DASHBOARD = "grafana:alerting/ruleGroup:RuleGroup", "grafana:oss/dashboard:Dashboard"
MARK, SECRET_MARK = "4dabf18193072939515e22adb298388d", "1b47061264138c4ac30d75fd1eb44270"


@dataclass(frozen=True)
class Declared:
    kind: str
    inputs: Mapping[str, Any]
    protect: bool = False


def hidden() -> dict[str, str]:
    """A secret as the engine's events show it."""
    return {MARK: SECRET_MARK, "ciphertext": "[secret]"}


def resources(stack: str, settings: Settings, generation: int, put_back: str = "") -> dict[str, Declared]:
    """Name to what a cloud is asked for, as the components declare it."""
    found = platform(stack)
    made: dict[str, Declared] = {}
    for record in serving.records(found, settings, put_back=put_back):
        keys = ("name", "type", "content", "ttl", "proxied", "priority")
        inputs = {key: getattr(record, key) for key in keys if getattr(record, key) is not None}
        comment = {"comment": record.comment} if record.comment else {}
        made[f"dns-{record.key}"] = Declared(RECORD, {"zoneId": "zone", **inputs, **comment}, record.serves)
    rules = [_rule(rule) for rule in serving.cache_rules(found, settings)]
    made["dns-cache"] = Declared(RULESET, {"zoneId": "zone", "rules": rules})
    for web in serving.webs(found, settings, generation):
        name = f"web-{web.app}"
        made[f"{name}-project"] = Declared(PROJECT, {"name": web.project, "framework": web.framework}, True)
        made[f"{name}-domain"] = Declared(DOMAIN, {"domain": web.host, "projectId": "prj"}, True)
        made[f"{name}-retention"] = Declared(RETENTION, {"expirationProduction": web.retention})
        for env in web.env:
            value = env.value.get_secret_value() if isinstance(env.value, SecretStr) else env.value
            inputs = {"key": env.key, "targets": list(env.targets), "sensitive": env.sensitive, "was": value}
            made[f"{name}-env-{env.key}"] = Declared(ENV, inputs)
    for group in alerting.rule_groups(found, settings):
        thresholds = json.loads(json.dumps(asdict(group), default=str))
        made[f"alerts-{group.objective}"] = Declared(RULES, thresholds)
    return made


def _rule(rule: serving.CacheRule) -> dict[str, Any]:
    plain = {"ref": rule.ref, "description": rule.description, "expression": rule.expression, "enabled": True}
    return {**plain, "action": "set_cache_settings", "actionParameters": {"cache": rule.cache}}


def events(stack: str, was: Mapping[str, Declared], asked: Mapping[str, Declared]) -> list[dict[str, Any]]:
    """One event for each resource, in the order of the program, what vanishes at the end."""
    found = [event(stack, name, was.get(name), each) for name, each in asked.items()]
    return found + [event(stack, name, each, None) for name, each in was.items() if name not in asked]


def event(stack: str, name: str, old: Declared | None, new: Declared | None, op: str = "") -> dict[str, Any]:
    """What the engine says before a step. `op`: in place of the one that follows."""
    either = new or old
    assert either is not None
    before, after = (dict(each.inputs) if each else {} for each in (old, new))
    follows = "create" if old is None else "delete" if new is None else "same" if before == after else "update"
    differs = [key for key in {**before, **after} if before.get(key) != after.get(key)]
    if either.kind == ENV:  # the SDK makes every value a secret
        for inputs in filter(None, (before, after)):
            inputs.pop("was")
            inputs["value"] = hidden()
        differs = ["value" if key == "was" else key for key in differs]
    metadata: dict[str, Any] = {
        "op": op or follows,
        "urn": f"urn:pulumi:{stack}::runbook::{either.kind}::{name}",
        "type": either.kind,
        "old": {"inputs": before, "outputs": {}, "protect": old.protect} if old else None,
        "new": {"inputs": after, "outputs": {}, "protect": new.protect} if new else None,
        "detailedDiff": None,
    }
    if follows == "update" and either.kind not in (LEDGER, STEP):
        metadata["detailedDiff"] = {key: {"diffKind": "update", "inputDiff": True} for key in differs}
    return {"sequence": 1, "timestamp": 1, "resourcePreEvent": {"metadata": metadata}}


def preview(
    stack: str, was: Settings, asked: Settings, memory: Memory, now: datetime, commit: str = "", **seen: Any
) -> list[dict[str, Any]]:
    """The events of a preview of `asked`, after an update with `was` left `memory`. `seen`: what is observed else."""
    decision = decide(
        platform(stack), asked, memory, playing.observed(stack, was, memory, **seen), now, commit=commit
    )
    old = memory.ledger
    before = resources(stack, was, _standing(memory) or was.side.generation, _put_back(old))
    after = resources(stack, asked, decision.ledger.generation_in_force, _put_back(decision.ledger))
    record = Declared(LEDGER, {**_kept(decision.ledger.as_json()), "reach": f"{{}}{now:%M}"}, True)
    remembered = {"ledger": Declared(LEDGER, {**_kept(old.as_json()), "reach": f"{{}}{now:%M}"}, True)} if old else {}
    found = [_provider(stack), *events(stack, remembered, {"ledger": record}), *events(stack, before, after)]
    for step in playing.steps(stack, asked, memory, decision).steps:
        acted = memory.acted.get(step.name, "")
        due = step.trigger != acted and (step.trigger or step.undone)
        plain = {"name": step.name, "kind": step.kind.value, "trigger": step.trigger, "args": json.dumps(step.args)}
        more = {"secrets": hidden(), "undone": step.undone, "reported": step.reported, "reads": {}}
        new = Declared(STEP, {**plain, **more})
        before_step = Declared(STEP, {**plain, **more, "trigger": acted, "args": "{}"}) if old else None
        found.append(event(stack, f"step-{step.name}", before_step if due or not old else new, new))
    return found


def _put_back(ledger: Ledger | None) -> str:
    """What stands in the comments of records: the last crossing, where it was a way back."""
    return ledger.tag if ledger and ledger.direction is Direction.BACK else ""


def _standing(memory: Memory) -> int:
    """The generation of the secrets that the apps' env has: a flip that stopped before its purge renewed nothing."""
    ledger = memory.ledger
    if ledger is None:
        return 0
    stopped = ledger.direction is Direction.FLIP and memory.acted.get(PURGE, "") != ledger.tag
    return ledger.generation if stopped else ledger.generation_in_force


def _kept(plain: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in plain.items() if value is not None}


def _provider(stack: str) -> dict[str, Any]:
    """The provider of the steps: the engine gives it the whole config, and calls a change of that an update."""
    old, new = (
        Declared(STEPS_PROVIDER, {"runbook:secrets": "old"}),
        Declared(STEPS_PROVIDER, {"runbook:secrets": "x"}),
    )
    return event(stack, "default", old, new)


def planned(
    stack: str, was: Settings, asked: Settings, memory: Memory, now: datetime, commit: str = "", **seen: Any
) -> Plan:
    return plan_of(preview(stack, was, asked, memory, now, commit, **seen))
