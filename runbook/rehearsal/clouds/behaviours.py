"""The one mechanism: how a table of rows makes a stand-in behave like the real provider.

A row says one thing that the real provider or service does to one property of one resource type, and where that is
known from. The tables are in `cloudflare.py`, `vercel.py` and `grafana.py`; there is no code per resource type.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from runbook.rehearsal.clouds.store import Held, Store
from runbook.rehearsal.clouds.wire import UNKNOWN, known

UNVERIFIED = "unverified"

Aspect = Literal[
    "id",  # act(draft) gives the id of a new object
    "replace",  # a change of the property replaces the object
    "default",  # act(draft) gives the value the provider adds when none is given
    "computed",  # act(draft) gives an output, once, at create
    "renewed",  # act(draft) gives an output again at each write
    "same",  # act(draft, value) gives the form in which two values are compared
    "unreadable",  # act(draft) is true when the service does not give the value back
    "check",  # act(draft) refuses in preview already: a sentence, or None
    "apply",  # act(draft) refuses only at `pulumi up`
    "delete",  # act(draft) refuses to delete
]


@dataclass(frozen=True)
class Draft:
    """An object as it is to become. `id` is "" while it does not exist; values may be UNKNOWN in preview."""

    store: Store
    cloud: str
    kind: str
    id: str
    values: Mapping[str, Any]

    def __getitem__(self, name: str) -> Any:
        """The value, or None when it is not given or not known yet."""
        value = self.values.get(name)
        return None if value == UNKNOWN else value

    def others(self, **wanted: Any) -> list[Held]:
        """The objects of the same kind other than this one with these properties."""
        return [one for one in self.store.find(self.cloud, self.kind, **wanted) if one.id != self.id]

    def names(self, kind: str, property: str) -> set[Any]:
        """The values of one property over all objects of a kind, ready to see whether something exists."""
        return {one.properties.get(property) for one in self.store.find(self.cloud, kind)}


@dataclass(frozen=True)
class Row:
    """One fact. `source` says where it is known from, or that nobody has seen it."""

    kind: str
    aspect: Aspect
    property: str
    source: str
    act: Callable[..., Any] = lambda _draft: None


class Behaviour:
    """All rows of one resource type."""

    def __init__(self, cloud: str, kind: str, rows: list[Row]) -> None:
        self.cloud, self.kind, self.rows = cloud, kind, rows

    def of(self, *aspects: Aspect) -> list[Row]:
        return [row for row in self.rows if row.aspect in aspects]

    def new_id(self, draft: Draft) -> str:
        return str(self.of("id")[0].act(draft))

    def refusals(self, aspect: Aspect, draft: Draft) -> list[tuple[str, str]]:
        """(property, sentence) for everything the real service would not take."""
        asked = ((row.property, row.act(draft)) for row in self.of(aspect))
        return [(property, sentence) for property, sentence in asked if sentence]

    def defaults(self, draft: Draft) -> dict[str, Any]:
        return {row.property: row.act(draft) for row in self.of("default")}

    def outputs(self, draft: Draft, old: Mapping[str, Any], preview: bool) -> dict[str, Any]:
        """What the object holds after the write: inputs, what the provider adds, what the service computes."""
        values = self.defaults(draft) | dict(draft.values)
        full = Draft(draft.store, draft.cloud, draft.kind, draft.id, values)
        for row in self.of("computed", "renewed"):
            if row.property in draft.values:
                continue
            if row.aspect == "computed" and row.property in old:
                values[row.property] = old[row.property]
            else:
                values[row.property] = UNKNOWN if preview else row.act(full)
        return values

    def changes(self, old: Draft, new: Draft) -> dict[str, bool]:
        """The properties that differ, each with whether the change replaces the object."""
        replacing = {row.property for row in self.of("replace")}
        was, wanted = self._comparable(old), self._comparable(new)
        return {
            name: name in replacing
            for name in sorted(was.keys() | wanted.keys())
            if was.get(name) != wanted.get(name) or not known(wanted.get(name))
        }

    def readable(self, held: Held, old_outputs: Mapping[str, Any]) -> dict[str, Any]:
        """The properties as a read gives them: what cannot be read back stays what the state says."""
        draft = Draft(None, held.cloud, held.kind, held.id, held.properties)  # type: ignore[arg-type]
        hidden = {row.property for row in self.of("unreadable") if row.act(draft)}
        state = {name: value for name, value in old_outputs.items() if name in hidden}
        return {name: value for name, value in held.properties.items() if name not in hidden} | state

    def _comparable(self, draft: Draft) -> dict[str, Any]:
        same = {row.property: row.act for row in self.of("same")}
        values = {name: value for name, value in (self.defaults(draft) | dict(draft.values)).items() if value is not None}
        return {
            name: same[name](draft, value) if name in same and known(value) else value
            for name, value in values.items()
        }


def by_kind(rows: list[Row]) -> dict[str, list[Row]]:
    kinds: dict[str, list[Row]] = {}
    for row in rows:
        kinds.setdefault(row.kind, []).append(row)
    return kinds
