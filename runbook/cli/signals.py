"""Which queries of a stack have data, which fail, and which assumed signals are there after all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from runbook.cli.sources import EACH, LIMIT, NAMES, Doors, ask
from runbook.model.asked import Asked, asked, sightings
from runbook.model.platform import Platform
from runbook.model.settings import Settings
from runbook.model.signals import Signal

if TYPE_CHECKING:
    from runbook.cli.out import Out


@dataclass(frozen=True)
class Found:
    """`failed`: query to sentence. `unseen`: signals of which there is nothing; `first_seen`: those that are marked
    assumed and are there. A signal whose questions failed is in neither."""

    asked: int
    empty: tuple[Asked, ...]
    failed: Mapping[Asked, str]
    unseen: tuple[Signal, ...]
    first_seen: tuple[Signal, ...]

    @property
    def well(self) -> bool:
        return not (self.empty or self.failed or self.unseen)

    def as_json(self) -> dict[str, Any]:
        return {
            "asked": self.asked,
            "empty": [_plain(each) for each in self.empty],
            "failed": [{**_plain(each), "error": said} for each, said in self.failed.items()],
            "unseen": [each.name for each in self.unseen],
            "first_seen": [each.name for each in self.first_seen],
        }


def _plain(query: Asked) -> dict[str, Any]:
    return {**asdict(query), "source": NAMES[query.source]}


def look(platform: Platform, settings: Settings, given: Doors, limit: float = LIMIT, each: float = EACH) -> Found:
    """Ask everything, once."""
    queries, signals = asked(platform, settings), sightings(platform, settings)
    parts = [(one.signal.source, text) for one in signals for text in one.expressions]
    answers = ask(given, [*((one.source, one.expression) for one in queries), *parts], limit, each)
    of_signals = iter(answers[len(queries) :])
    unseen, seen = [], []
    for sighting in signals:
        mine = [next(of_signals) for _ in sighting.expressions]
        if any(answer.value is not None for answer in mine):
            seen.append(sighting.signal)
        elif not any(answer.error for answer in mine):
            unseen.append(sighting.signal)
    pairs = list(zip(queries, answers, strict=False))
    return Found(
        asked=len(queries),
        empty=tuple(query for query, answer in pairs if answer.value is None and not answer.error),
        failed={query: answer.error for query, answer in pairs if answer.error},
        unseen=tuple(unseen),
        first_seen=tuple(signal for signal in seen if signal.assumed),
    )


def show(out: Out, stack: str, platform: Platform, found: Found) -> None:
    """For people."""
    good = found.asked - len(found.empty) - len(found.failed)
    out.say(f"{stack}: {good} of {found.asked} queries of rules and panels have data.", "bold")
    if found.empty:
        out.heading("Without data")
        for query in found.empty:
            out.table([(NAMES[query.source], ", ".join(query.places)), ("", query.expression)])
    if found.failed:
        out.heading("Failed")
        for said in dict.fromkeys(found.failed.values()):
            places = [place for query, each in found.failed.items() if each == said for place in query.places]
            out.table([(str(len(places)), said), ("", ", ".join(dict.fromkeys(places)))])
    if found.unseen:
        out.heading("Signals of which there was nothing in 24 h")
        for signal in found.unseen:
            out.table([(NAMES[signal.source], f"{signal.name}, from {signal.producer}. {signal.reference}.")])
    if found.first_seen:
        out.heading("Assumed until now, and there")
        for signal in found.first_seen:
            out.table([(NAMES[signal.source], signal.name)])
        file = f"runbook/platforms/{platform.name}.py"
        out.say(f"When their numbers are what they should be, write assumed=False for them in {file}.")
