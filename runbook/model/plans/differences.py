"""What changed between the plan that was approved and the one that a preview finds now, for a person."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from runbook.model.plans.normal import operation
from runbook.model.plans.operation import STEPS_PROVIDER, Operation, Plan
from runbook.model.plans.says import act, declaration, declared, shown_value

NOTHING_SEEN = (
    "The operations are the same, so the stack file differs in what they do not show: a secret has another value, or "
    "a setting changed that this update does not touch."
)


def differences(approved: Plan, now: Plan) -> tuple[str, ...]:
    """A line for each difference; never empty, for this is asked once two hashes differ. Of `approved` the operations
    other than "same" are enough. Values of secrets are in neither plan."""
    return tuple(_differences(approved, now)) or (NOTHING_SEEN,)


def _differences(approved: Plan, now: Plan) -> Iterator[str]:
    for what in ("stack", "phase", "tag"):
        old, new = getattr(approved, what), getattr(now, what)
        if old != new:
            name = {"tag": "crossing"}.get(what, what)
            yield f"{name}: {new or 'none'}, approved was {old or 'none'}"
    was, found = _by_urn(approved), _by_urn(now)
    for urn, each in found.items():
        if urn not in was:
            yield f"new: {_words(each)}"
    for urn, each in was.items():
        if urn not in found:
            yield f"gone: {_words(each)}"
    for urn, each in found.items():
        if urn in was and (old := operation(was[urn])) != (new := operation(each)):
            yield f"other: {_words(each)}; approved was {_other(was[urn], each, old, new)}"


def _by_urn(plan: Plan) -> Mapping[str, Operation]:
    return {each.urn: each for each in plan.changes if each.type != STEPS_PROVIDER}


def _words(each: Operation) -> str:
    if declared(each):
        return declaration(each)
    return f"step {each.step} ({act(each)})" if each.step else f"{each.op} {each.name}"


def _other(was: Operation, each: Operation, old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    """What was approved, where words can tell the two apart, else in which parts they differ."""
    if _words(was) != _words(each):
        return _words(was)
    parts = [path for key in old if old[key] != new.get(key) for path in _paths(key, old[key], new.get(key))]
    return f"another {', '.join(parts)}"


def _paths(key: str, old: Any, new: Any) -> Iterator[str]:
    """Where two values of an operation differ, one level down, with what was approved where that can be shown."""
    if not isinstance(old, Mapping) or not isinstance(new, Mapping):
        yield f"{key} {json.dumps(old)}" if isinstance(old, list) and len(json.dumps(old)) < 60 else key
        return
    for part in sorted(old.keys() | new.keys()):
        if old.get(part) != new.get(part):
            if isinstance(old.get(part), Mapping) and isinstance(new.get(part), Mapping):
                yield from _paths(part, old[part], new[part])
            else:
                value = "" if key == "env" or part == "value" else shown_value(old.get(part))
                yield f"{part} {value}".rstrip()
