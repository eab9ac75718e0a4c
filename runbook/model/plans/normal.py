"""The hash of a plan: what an approval is bound to.

It is taken of two things. The stack file's config says what is asked for, to the last value and threshold; a secret
stands in it as its ciphertext, so another secret is another hash and none is ever seen. The operations say what that
would do to the world as it is. From these all is left out that differs from one preview to the next: times, how often
a crossing was tried, evidence of earlier steps, the commit at which somebody stands, texts made of other parts.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from runbook.model.plans.operation import LEDGER, STEP, STEPS_PROVIDER, Operation, Plan, plain
from runbook.model.problems import NAMESPACE

SHORT = 12  # digits that people read and type

_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?: ?UTC|Z|[+-]\d\d:\d\d)?")
_ATTEMPT = re.compile(r"\b(\d+-(?:flip|back))[/-]\d+\b")  # trigger of a gate, marker of an event
# Of the ledger: when and how often, how long resolvers still hold what they were given, the commit at hand, and where
# the vendors answer (which the config says).
_LEDGER_RUNS = {"attempt", "begun", "opened", "ttls_before", "commits", "reach"}
_STEP_KEPT = {"kind", "trigger", "args", "reported", "undone"}
_ARGS_RUNS = {"attempts", "begun"}  # of the record of a crossing: how often and when it was tried


def digest(plan: Plan, config: Mapping[str, Any]) -> str:
    """64 hex digits for a plan of a stack file with this `config` (its section of that name, parsed). A plan that was
    refused has a hash too, but nobody should approve it.

    Raises: ValueError where the config holds a secret in clear.
    """
    text = json.dumps(normalised(plan, config), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def short(full: str) -> str:
    """The hash as people read and type it."""
    return full[:SHORT]


def same(one: str, other: str) -> bool:
    """Whether two hashes mean one plan. Either may be short, but not shorter than people are shown."""
    one, other = one.strip().lower(), other.strip().lower()
    return min(len(one), len(other)) >= SHORT and (one.startswith(other) or other.startswith(one))


def normalised(plan: Plan, config: Mapping[str, Any]) -> dict[str, Any]:
    """What the hash is taken of, as plain JSON. Raises: ValueError as `digest` does."""
    kept = [operation(each) for each in plan.changes if each.type != STEPS_PROVIDER]
    return {
        "stack": plan.stack,
        "phase": plan.phase,
        "tag": plan.tag,
        "config": _plain_config(config),
        "operations": sorted(kept, key=lambda each: str(each["urn"])),
    }


def operation(each: Operation) -> dict[str, Any]:
    """One operation without what differs from run to run."""
    found: dict[str, Any] = {"urn": each.urn, "op": each.op}
    if each.type == LEDGER:
        # Not what it was: a crossing that stopped at a gate has been written down already.
        return {**found, "new": {key: value for key, value in each.new.items() if key not in _LEDGER_RUNS}}
    if each.type == STEP:
        new = {key: _steady(_parsed(value)) for key, value in each.new.items() if key in _STEP_KEPT}
        if new.get("kind") == "write":  # a page that is made of everything else, and of when it was looked at
            new["args"].pop("text", None)
        return {**found, "new": new}
    return {**found, "diff": list(each.diff), "old": dict(each.old), "new": dict(each.new)}


def _steady(value: Any) -> Any:
    """Without times and attempts."""
    if isinstance(value, Mapping):
        return {key: _steady(inner) for key, inner in value.items() if key not in _ARGS_RUNS}
    if isinstance(value, list):
        return [_steady(inner) for inner in value]
    return _ATTEMPT.sub(r"\1", _TIME.sub("[time]", value)) if isinstance(value, str) else value


def _parsed(value: Any) -> Any:
    """Arguments of a step are JSON in a text."""
    return plain(json.loads(value)) if isinstance(value, str) and value[:1] == "{" else value


def _plain_config(config: Mapping[str, Any]) -> dict[str, Any]:
    key = f"{NAMESPACE}:secrets"
    secrets = config.get(key, {})
    if not isinstance(secrets, Mapping):
        raise ValueError(f"{key} is not a section of names, each with its encrypted value.")
    clear = [name for name, value in secrets.items() if name != "secure" and not _encrypted(value)]
    if clear:
        names = ", ".join(sorted(map(str, clear)))
        raise ValueError(f"{key} holds {names} in clear text: set each with pulumi config set --secret.")
    found = _jsonable(config)
    assert isinstance(found, dict)
    return found


def _encrypted(value: Any) -> bool:
    return isinstance(value, Mapping) and set(value) == {"secure"} and isinstance(value["secure"], str)


def _jsonable(value: Any) -> Any:
    """YAML's plain values as JSON has them; a time that stands without quotes is a time to YAML."""
    if isinstance(value, Mapping):
        return {str(key): _jsonable(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_jsonable(inner) for inner in value]
    if isinstance(value, (datetime, date)):
        return value.isoformat(" ") if isinstance(value, datetime) else value.isoformat()
    return value
