"""Rules and panels read declared signals and no others; and nothing is declared that nobody reads."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import timedelta
from functools import cache
from typing import Any

import pytest

from runbook.model.alerting import rule_groups
from runbook.model.dashboards import dashboards
from runbook.model.objectives import Panel, Query, Stack
from runbook.model.platform import Platform
from runbook.model.settings import Settings
from runbook.model.signals import Signal, Source
from tests.model.readings import NotUnderstoodError, Reading, readings
from tests.stacks import STACKS, platform, settings

PROM, LOKI, SQL = Source.PROMETHEUS, Source.LOKI, Source.POSTGRES


def emitted(platform: Platform, settings: Settings) -> Iterator[tuple[str, Reading]]:
    """Everything that is read and where, taken from what is sent to Grafana."""
    for place, model in _models(platform, settings):
        source = Source(model["datasource"]["type"])
        for reading in readings(source, str(model.get("expr") or model.get("rawSql"))):
            yield place, reading


def _models(platform: Platform, settings: Settings) -> Iterator[tuple[str, dict[str, Any]]]:
    for group in rule_groups(platform, settings):
        for rule in group.rules:
            yield f"rule {rule.uid}", json.loads(dict(rule.models)["A"])
    for board in dashboards(platform, settings):
        for panel in json.loads(board.config_json)["panels"]:
            for target in panel.get("targets", ()):
                yield f"panel {panel['id']} of {board.uid}", target


@cache
def of_stack(stack: str) -> tuple[tuple[str, Reading], ...]:
    return tuple(emitted(platform(stack), settings(stack)))


def declared(reading: Reading, signals: tuple[Signal, ...]) -> Signal | None:
    """The signal that is read. A stream has no name: it is the one of the fewest fields that has all those read."""
    fit = [
        signal
        for signal in signals
        if signal.source is reading.source
        and reading.name in ("", signal.name)
        and reading.fields <= set(signal.fields)
    ]
    return min(fit, key=lambda signal: len(signal.fields), default=None)


def undeclared(read: Iterable[tuple[str, Reading]], signals: tuple[Signal, ...]) -> list[str]:
    return [
        f"{place} reads {reading.name or 'lines'} ({', '.join(sorted(reading.fields))})"
        for place, reading in read
        if declared(reading, signals) is None
    ]


@pytest.mark.parametrize("stack", STACKS)
def test_everything_read_is_declared(stack: str) -> None:
    assert undeclared(of_stack(stack), platform(stack).signals) == []


@pytest.mark.parametrize("stack", STACKS)
def test_everything_declared_is_read(stack: str) -> None:
    read = {declared(reading, platform(stack).signals) for _, reading in of_stack(stack)}
    assert [signal.name for signal in platform(stack).signals if signal not in read] == []


@pytest.mark.parametrize("stack", STACKS)
def test_a_signal_is_declared_once(stack: str) -> None:
    names = [(signal.source, signal.name) for signal in platform(stack).signals]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    ("source", "text", "found"),
    [
        (PROM, 'sum(rate(mystery_total{platform="ibimina"}[5m]))', "mystery_total (platform)"),
        (PROM, "mystery", "mystery ()"),
        (PROM, 'avg(probe_success{job="x",region="y"})', "probe_success (job, region)"),
        (PROM, 'sum by (region) (probe_success{job="x"})', "probe_success (job, region)"),
        (LOKI, 'sum(count_over_time({platform="ibimina"} | json | colour="red" [5m]))', "lines (colour, platform)"),
        (SQL, "SELECT now() AS time, (count(*))::float8 AS value FROM mystery", "mystery ()"),
        (
            SQL,
            "SELECT now() AS time, (max(amount))::float8 AS value FROM payments_queue",
            "payments_queue (amount)",
        ),
    ],
)
def test_a_panel_that_reads_something_else_is_found(source: Source, text: str, found: str) -> None:
    def operations(stack: Stack) -> tuple[Panel, ...]:
        return (Panel("New", "Reads what nobody declared.", Query(source, text, timedelta(minutes=5), "short")),)

    changed = replace(platform("prod"), operations=operations)
    read = emitted(changed, settings("prod"))
    assert undeclared(read, changed.signals) == [f"panel 1 of ibimina-prod-operations reads {found}"]


@pytest.mark.parametrize("stack", ["prod", "easymo-prod"])
def test_a_rule_is_found_as_well(stack: str) -> None:
    """Each signal with a name is missed once it is no longer declared; a stream may fit another one."""
    for signal in platform(stack).signals:
        if signal.source is not Source.LOKI:
            others = tuple(each for each in platform(stack).signals if each != signal)
            found = undeclared(of_stack(stack), others)
            assert found
            assert all(f" reads {signal.name} (" in each for each in found)


@pytest.mark.parametrize(
    ("source", "text", "read"),
    [
        (PROM, 'a{x="1",y=~"2.."}[1h] offset 2h', {"a": {"x", "y"}}),
        (
            PROM,
            "sum by (le) (rate(a{}[5m])) / on (x) group_left (y) b",
            {"a": {"le", "x", "y"}, "b": {"le", "x", "y"}},
        ),
        (PROM, "(vector((time() + 7200) % 86400) >= 28800 < 61200) and (day_of_week(vector(time())) == 1)", {}),
        (PROM, 'avg_over_time((a{x="}{"} and (b))[7d:1m])', {"a": {"x"}, "b": set()}),
        (LOKI, 'sum(count_over_time({x="1"} | json | y="2" | z!="3" [5m])) or vector(0)', {"": {"x", "y", "z"}}),
        (
            SQL,
            "SELECT now() AS time, (coalesce(sum(v), 0))::float8 AS value FROM s.t WHERE n = 'm'",
            {"s.t": {"v", "n"}},
        ),
        (SQL, "SELECT extract(epoch FROM now() - min(c)) FROM t WHERE p IS NULL", {"t": {"c", "p"}}),
        (SQL, "SELECT max(c) FROM t WHERE c > now() - interval '1 hour'", {"t": {"c"}}),
    ],
)
def test_what_a_query_reads(source: Source, text: str, read: dict[str, set[str]]) -> None:
    assert {reading.name: set(reading.fields) for reading in readings(source, text)} == read


@pytest.mark.parametrize(
    ("source", "text"),
    [
        (PROM, '{__name__="a"}'),
        (PROM, 'a{x "1"}'),
        (LOKI, 'sum(rate({x="1"} | unwrap size [5m]))'),
        (LOKI, 'sum by (y) (rate({x="1"} | logfmt [5m]))'),
        (SQL, "SELECT 1"),
        (SQL, "SELECT a FROM t JOIN u USING (id)"),
        (SQL, "SELECT a FROM (SELECT b FROM t)"),
    ],
)
def test_what_the_readers_do_not_know_they_refuse(source: Source, text: str) -> None:
    with pytest.raises(NotUnderstoodError):
        readings(source, text)
