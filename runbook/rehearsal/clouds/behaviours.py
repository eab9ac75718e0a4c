"""The one mechanism: how a table of rows makes a stand-in behave like the real provider.

A row says one thing that the real provider or service does to one property of one resource type, and where that is
known from. The tables are in `cloudflare.py`, `vercel.py` and `grafana.py`; no resource type has code of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from runbook.rehearsal.clouds.shapes import always_there, shape_of
from runbook.rehearsal.clouds.store import Held, SecretPath, Store
from runbook.rehearsal.clouds.wire import UNKNOWN, known, known_part

SEEN = "seen: the real plugin in preview"
FOUND = "looked up in the provider's sources and documents, November 2026"
API = "vendor's API documentation or published error texts"
OWN = "the stand-in's own: the real one does otherwise, or lets pass what nobody wants"
UNVERIFIED = "unverified"

Aspect = Literal[
    "id",  # act(draft) is the id of a new object
    "replace",  # a change of the property replaces the object; where act(old, new) is given, only if it says so
    "default",  # act(draft) is what the provider adds when the property is not given
    "held",  # act(draft, value) is the form in which the service holds a value; equal forms are no diff
    "computed",  # act(draft) is an output, made once at create
    "renewed",  # act(draft) is an output, made anew at each write
    "secret",  # the property is secret whatever the program says
    "unreadable",  # the service does not give the value back while act(draft) is true; `a[].b` looks into a list
    "check",  # act(draft) refuses in preview already: a sentence, or None
    "apply",  # act(draft) refuses at `pulumi up` only
    "delete",  # act(draft) refuses to delete
]


@dataclass(frozen=True)
class Draft:
    """An object as it is to become. `id` is "" while it does not exist; in preview values may be UNKNOWN."""

    store: Store
    cloud: str
    kind: str
    id: str
    values: Mapping[str, Any]

    def __getitem__(self, name: str) -> Any:
        """The value, or None when it is not given or not known yet."""
        value = self.values.get(name)
        return value if known(value) else None

    def items(self, name: str) -> list[dict[str, Any]]:
        """The objects of a list, without what in them is not known yet."""
        value = self.values.get(name)
        found = [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
        return [known_part(one) for one in found]

    def others(self, **wanted: Any) -> list[Held]:
        """The objects of the same kind other than this one that have these properties."""
        return [one for one in self.store.find(self.cloud, self.kind, **wanted) if one.id != self.id]


@dataclass(frozen=True)
class Row:
    """One fact. `source` says where it is known from, or that nobody has seen it."""

    kind: str
    aspect: Aspect
    property: str
    source: str
    act: Callable[..., Any] = lambda *_drafts: True


def rows(kind: str, aspect: Aspect, source: str, /, *names: str, **acts: Any) -> list[Row]:
    """Rows of one source: `names` stand alone, `acts` are functions, or plain values for an aspect that takes one."""
    made = [Row(kind, aspect, name, source) for name in names]
    for name, act in acts.items():
        made.append(Row(kind, aspect, name, source, act if callable(act) else lambda _draft, value=act: value))
    return made


class Behaviour:
    """All rows of one resource type."""

    def __init__(self, kind: str, table: Iterable[Row]) -> None:
        self.kind, self.rows = kind, [row for row in table if row.kind == kind]

    def of(self, *aspects: Aspect) -> list[Row]:
        return [row for row in self.rows if row.aspect in aspects]

    def new_id(self, draft: Draft) -> str:
        return str(self.of("id")[0].act(draft))

    def refusals(self, aspect: Aspect, draft: Draft) -> list[tuple[str, str]]:
        """(property, sentence) for everything the real one would not take."""
        asked = [(row.property, row.act(draft)) for row in self.of(aspect)]
        return [(name, sentence) for name, sentence in asked if sentence]

    def held(self, draft: Draft) -> dict[str, Any]:
        """The values with the defaults added, in the form in which the service holds them."""
        given = {name: value for name, value in draft.values.items() if value is not None}
        values = {row.property: row.act(draft) for row in self.of("default")} | given
        forms = {row.property: row.act for row in self.of("held")}
        return {
            name: forms[name](draft, value) if name in forms and known(value) else value
            for name, value in values.items()
        }

    def outputs(self, draft: Draft, old: Mapping[str, Any], preview: bool) -> dict[str, Any]:
        """All properties after a write. What the service computes is not known in preview."""
        values = self.held(draft)
        all_values = dict(old) | values
        full = Draft(draft.store, draft.cloud, draft.kind, draft.id, all_values)
        for row in self.of("computed", "renewed"):
            name = row.property
            if name in values:
                continue
            if row.aspect == "renewed" or name not in old:
                all_values[name] = UNKNOWN if preview else row.act(full)
            values[name] = all_values[name]
        for name, value in always_there(self.kind).items():
            values.setdefault(name, old.get(name, UNKNOWN if preview else value))
        return values

    def changes(self, old: Draft, new: Draft) -> dict[str, bool]:
        """The properties that differ, each with whether the change replaces the object."""
        replacing = {row.property for row in self.of("replace") if row.act(old, new)}
        was, wanted = self.held(old), self.held(new)
        names = (was.keys() - self._optional()) | wanted.keys()
        return {name: name in replacing for name in sorted(names) if was.get(name) != wanted.get(name)}

    def readable(self, draft: Draft, state: Mapping[str, Any]) -> dict[str, Any]:
        """The properties as a read gives them: what cannot be read back stays what the state says."""
        values: Any = dict(draft.values)
        for row in self.of("unreadable"):
            if row.act(draft):
                values = _kept(values, state, row.property.replace("[]", ".[]").split("."))
        return {name: value for name, value in values.items() if value is not None}

    def inputs_read(self, draft: Draft, old: Draft) -> dict[str, Any]:
        """The inputs that would make the object what a read found, each as it was written where that is the same.

        Without old inputs, at an import, that is everything that is not as the provider would make it.
        """
        was, default = self.held(old), self.held(Draft(draft.store, draft.cloud, draft.kind, draft.id, {}))
        filled_in = self._optional() if old.values else set()
        inputs = {}
        for name, value in self.held(draft).items():
            if name in was and was[name] == value and name in old.values:
                inputs[name] = old.values[name]
            elif name in old.values or (name not in filled_in and value != default.get(name)):
                inputs[name] = value
        return {name: value for name, value in inputs.items() if name in shape_of(self.kind).fields}

    def _optional(self) -> set[str]:
        """Inputs that the service fills in when they are not given, and that keep their value when taken away."""
        return {row.property for row in self.of("computed", "renewed")} | always_there(self.kind).keys()

    def secrets(self, values: Mapping[str, Any]) -> frozenset[SecretPath]:
        return frozenset((row.property,) for row in self.of("secret") if row.property in values)


def _kept(values: Any, state: Any, path: list[str]) -> Any:
    """A copy of `values` in which what lies at `path` is what `state` has there."""
    if not path:
        return state
    if path[0] == "[]":
        if not isinstance(values, list):
            return values
        states = state if isinstance(state, list) else []
        return [_kept(one, states[i] if i < len(states) else None, path[1:]) for i, one in enumerate(values)]
    if not isinstance(values, dict) or path[0] not in values:
        return values
    inner = state.get(path[0]) if isinstance(state, dict) else None
    return values | {path[0]: _kept(values[path[0]], inner, path[1:])}
