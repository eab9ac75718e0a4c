"""Refusals that many rows of the tables share: each makes an act that gives a sentence, or None."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from runbook.rehearsal.clouds.behaviours import Draft

Refusal = Callable[[Draft], str | None]


def one_of(name: str, *allowed: Any) -> Refusal:
    """The value, or each member of a list of values, is among those allowed."""

    def act(draft: Draft) -> str | None:
        given = draft[name]
        for value in given if isinstance(given, list) else [given]:
            if value is not None and value not in allowed:
                return f"{name} value must be one of: {', '.join(map(str, allowed))}, got: {value}."
        return None

    return act


def between(name: str, low: float, high: float) -> Refusal:
    def act(draft: Draft) -> str | None:
        if draft[name] is None or low <= draft[name] <= high:
            return None
        return f"{name} must be between {low} and {high}, got: {draft[name]}."

    return act


def matches(name: str, pattern: str, sentence: str) -> Refusal:
    return lambda draft: None if draft[name] is None or re.fullmatch(pattern, draft[name]) else sentence


def not_empty(name: str) -> Refusal:
    return lambda draft: f"{name} must contain at least 1 element, got: 0." if draft.values.get(name) == [] else None


def one_value(first: str, second: str) -> Refusal:
    def act(draft: Draft) -> str | None:
        given = [name for name in (first, second) if draft.values.get(name) is not None]
        return None if len(given) == 1 else f"Exactly one of {first} and {second} must be set, got {len(given)}."

    return act


def named(draft: Draft) -> str | None:
    """The real provider makes up a name, another one each time: a stack that relies on that cannot be rehearsed."""
    return None if draft.values.get("name") else "name is not given: the provider would make up a new one each time."


def taken(sentence: str, *names: str) -> Refusal:
    """No other object of the kind has the same values; `sentence` may say them, as in {name}."""

    def act(draft: Draft) -> str | None:
        wanted = {name: draft[name] for name in names}
        return sentence.format_map(draft.values) if None not in wanted.values() and draft.others(**wanted) else None

    return act


def absent(kind: str, name: str, sentence: str, property: str = "") -> Refusal:
    """The object that a property names exists: by its id, or by the property of the other kind that is given."""

    def act(draft: Draft) -> str | None:
        if draft[name] is None:
            return None
        if property:
            found = bool(draft.store.find(draft.cloud, kind, **{property: draft[name]}))
        else:
            found = draft.store.get(draft.cloud, kind, draft[name]) is not None
        return None if found else sentence.format_map(draft.values)

    return act


def parsed(text: Any) -> Any:
    """What a JSON text says, or None when it is not JSON."""
    try:
        return json.loads(text)
    except (TypeError, ValueError):
        return None


def valid_json(name: str) -> Refusal:
    def act(draft: Draft) -> str | None:
        return f"{name} contains an invalid JSON." if draft[name] and parsed(draft[name]) is None else None

    return act
