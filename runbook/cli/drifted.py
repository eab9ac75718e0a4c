"""What somebody changed by hand, from a refresh that writes nothing: only what the program declares, without what the
vendors fill in and change by themselves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from runbook.model.plans.operation import SECRET, Operation, Plan

GONE = "is gone"


@dataclass(frozen=True)
class Drift:
    """One property of one resource. `declared` and `found`: what the program asked for and what is there; both are
    empty where the whole resource is gone."""

    resource: str
    type: str
    urn: str
    path: str
    declared: Any = None
    found: Any = None

    @property
    def text(self) -> str:
        if self.path == GONE:
            return f"{self.resource} {GONE}"
        return f"{self.resource}: {self.path} is {_shown(self.found)}, declared is {_shown(self.declared)}"

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def drifted(found: Plan) -> list[Drift]:
    """In the order of the names."""
    return sorted((each for operation in found.changes for each in _of(operation)), key=lambda each: each.text)


def _of(operation: Operation) -> Iterator[Drift]:
    cloud, _, rest = operation.type.partition(":")
    if cloud in ("pulumi", "pulumi-python") or not rest:
        return
    kind = operation.type.rsplit(":", 1)[-1]
    if operation.op == "delete":
        yield Drift(operation.name, kind, operation.urn, GONE)
        return
    for path, old, new in _differing("", operation.old, operation.new):
        yield Drift(operation.name, kind, operation.urn, path, old, new)


def _differing(path: str, old: Any, new: Any) -> Iterator[tuple[str, Any, Any]]:
    """Only what was declared: a value that the vendor adds beside it is its own business."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key, value in old.items():
            yield from _differing(f"{path}.{key}" if path else key, value, new.get(key))
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for number, (one, other) in enumerate(zip(old, new, strict=True)):
            yield from _differing(f"{path}[{number}]", one, other)
    elif not _same(old, new):
        yield path, old, new


def _same(old: Any, new: Any) -> bool:
    """Empty and missing are one; a secret cannot be compared, and a refresh does not read it back."""
    empty: tuple[Any, ...] = (None, "", [], {})
    return old == new or SECRET in (old, new) or (old in empty and new in empty)


def _shown(value: Any) -> str:
    text = "missing" if value is None else str(value)
    return text if len(text) <= 60 else f"{text[:59]}…"
