"""What a stack asks of its data sources, taken from what is sent to Grafana: each query once, and for each signal
the questions whether there is anything of it at all."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from runbook.model.alerting import base_name, rule_groups
from runbook.model.dashboards import dashboards
from runbook.model.platform import Platform
from runbook.model.settings import Settings
from runbook.model.signals import Signal, Source

DAY = "24h"  # how far back a signal is looked for: at night nobody signs in for a quarter of an hour
_LINES = re.compile(r"count_over_time\((\{[^}]*\})([^\[]*)\[")
_NAMES = re.compile(r"(?:[{,|]\s*)([a-zA-Z_]\w*)\s*(?:=~|!~|!=|=)")


@dataclass(frozen=True)
class Asked:
    """One query. `places`: the rules and panels that ask it."""

    source: Source
    expression: str
    places: tuple[str, ...]


@dataclass(frozen=True)
class Sighting:
    """The queries on a signal, of which one that finds anything is enough."""

    signal: Signal
    expressions: tuple[str, ...]


def asked(platform: Platform, settings: Settings) -> tuple[Asked, ...]:
    """Every query of rules and dashboards, in the order in which they are sent."""
    found: dict[tuple[Source, str], list[str]] = {}
    for place, source, expression in _emitted(platform, settings):
        found.setdefault((source, expression), []).append(place)
    return tuple(Asked(source, text, tuple(dict.fromkeys(places))) for (source, text), places in found.items())


def _emitted(platform: Platform, settings: Settings) -> Iterator[tuple[str, Source, str]]:
    start = len(base_name(settings)) + 1
    for group in rule_groups(platform, settings):
        for rule in group.rules:
            yield f"rule {rule.uid[start:]}", *_query(json.loads(dict(rule.models)["A"]))
    for board in dashboards(platform, settings):
        for panel in json.loads(board.config_json)["panels"]:
            for target in panel.get("targets", ()):
                yield f"panel {panel['title']}", *_query(target)


def _query(model: dict[str, dict[str, str]]) -> tuple[Source, str]:
    return Source(model["datasource"]["type"]), str(model.get("expr") or model["rawSql"])


def sightings(platform: Platform, settings: Settings) -> tuple[Sighting, ...]:
    """For each signal how to find out whether there is anything of it. A query that falls back to 0 has data without
    it; so each part that reads the signal is asked by itself."""
    texts = {
        source: [each.expression for each in asked(platform, settings) if each.source is source] for source in Source
    }
    streams = _streams(texts[Source.LOKI], platform)
    return tuple(Sighting(each, tuple(_parts(each, texts, streams))) for each in platform.signals)


def _parts(signal: Signal, texts: dict[Source, list[str]], streams: dict[str, list[str]]) -> Iterator[str]:
    if signal.source is Source.LOKI:
        yield from streams.get(signal.name, ())
    elif signal.source is Source.POSTGRES:
        yield f"SELECT now() AS time, 1::float8 AS value FROM {signal.name} LIMIT 1"
    else:
        selector = re.compile(rf"\b{re.escape(signal.name)}\{{[^}}]*\}}")
        found = dict.fromkeys(each for text in texts[signal.source] for each in selector.findall(text))
        yield from (f"count(last_over_time({each}[{DAY}]))" for each in found)


def _streams(texts: list[str], platform: Platform) -> dict[str, list[str]]:
    """Signal to its questions. A stream has no name: it is the signal with the fewest fields that has all those that
    are read of the stream."""
    pipelines: dict[str, dict[str, None]] = {}
    for text in texts:
        for stream, pipeline in _LINES.findall(text):
            pipelines.setdefault(stream, {})[pipeline.strip()] = None
    found: dict[str, list[str]] = {}
    for stream, filters in pipelines.items():
        read = set(_NAMES.findall(" ".join([stream, *filters])))
        fit = [each for each in platform.signals if each.source is Source.LOKI and read <= set(each.fields)]
        if fit:
            name = min(fit, key=lambda each: len(each.fields)).name
            found.setdefault(name, []).extend(
                f"sum(count_over_time({f'{stream} {each}'.strip()} [{DAY}]))" for each in filters
            )
    return found
