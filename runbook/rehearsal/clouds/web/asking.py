"""What every vendor's interface is made of: routes, refusals and facts, each with where it is known from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Request

from runbook.rehearsal.clouds.faults import Faults
from runbook.rehearsal.clouds.store import Store


class Clock(Protocol):
    """The rehearsal's one clock."""

    def now(self) -> datetime: ...


@dataclass(frozen=True)
class Fact:
    """Something that the stand-in does because the real one does it. `source`: where that is known from."""

    what: str
    source: str


@dataclass(frozen=True)
class Refusal:
    """What the real one refuses, and how. `text` may hold {names} that are filled in when it is said."""

    status: int
    code: str
    text: str
    source: str


class Refused(Exception):
    """Raised while a request is answered. `values` fill in the refusal's text."""

    def __init__(self, refusal: Refusal, /, headers: Mapping[str, str] | None = None, **values: object) -> None:
        super().__init__(refusal.text.format_map(values))
        self.refusal, self.headers = refusal, dict(headers or {})


class Malformed(Exception):
    """The body is no JSON object, or a number in the query is none."""


@dataclass(frozen=True)
class Answer:
    """A body that is no text is sent as JSON; None is no body."""

    body: Any = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Ask:
    """One request. `path`: what stands at the {names} of the route's template; `now`: by the rehearsal's clock."""

    store: Store
    now: datetime
    request: Request
    path: Mapping[str, str] = field(default_factory=dict)

    @property
    def query(self) -> MultiDict[str, str]:
        return self.request.args

    def json(self) -> dict[str, Any]:
        """The body. Raises: Malformed."""
        found = self.request.get_json(force=True, silent=True)
        if not isinstance(found, dict):
            raise Malformed
        return found

    def number(self, name: str, default: int) -> int:
        """A whole number of the query. Raises: Malformed."""
        given = self.query.get(name, str(default))
        if not given.isdecimal():
            raise Malformed
        return int(given)


@dataclass(frozen=True)
class Route:
    """`template`: the path below the vendor's base URL, such as /v9/projects/{id}; calls are counted under it."""

    method: str
    template: str
    act: Callable[[Ask], Answer]
    source: str


@dataclass(frozen=True, eq=False)
class Vendor:
    """One vendor's interface. `said`: the body of a refusal as this vendor words it; `admit`: raises Refused where
    the real one wants another token; `catch_up`: does what is due by then, asked or not; `facts`: its grounds."""

    name: str
    routes: Sequence[Route]
    said: Callable[[Refusal, str], Any]
    admit: Callable[[Ask], None]
    no_route: Refusal
    malformed: Refusal
    facts: Sequence[Fact | Refusal | Route]
    catch_up: Callable[[Store, datetime, Faults], None] = lambda _store, _now, _faults: None


def known_in(names: Mapping[str, Any]) -> list[Fact | Refusal | Route]:
    """The facts, refusals and routes among a module's names, so that none can be left out of the count."""
    found: list[Fact | Refusal | Route] = []
    for value in names.values():
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, Fact | Refusal | Route) and one not in found:
                found.append(one)
    return found


def milliseconds(time: datetime) -> int:
    return int(time.timestamp() * 1000)
