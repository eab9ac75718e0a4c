"""Mutants: copies of an emitted rule with one thing changed. Scenarios that hold for a mutant too prove nothing.

The operators read the emitted text alone, whether PromQL, LogQL or SQL. A text that stands in several places of a
query, such as a selector in both branches of an `or`, is one thing and is changed everywhere at once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from runbook.model.fields import duration_text
from runbook.proving.emitted import COMPARATORS, Emitted, duration

NO_DATA_STATES = ("NoData", "Alerting", "OK")
ERROR_STATES = ("Error", "Alerting", "OK")

_LENGTH = r"\d+[smhd]"
_SELECTOR = re.compile(r"[\w:]*\{[^}]*\}")
_RANGE = re.compile(rf"(?:[\w:]*\{{[^}}]*\}}[^\[\](){{}}]*|\))\[({_LENGTH})(?::{_LENGTH})?\](?: offset ({_LENGTH}))?")
_PIPELINE = re.compile(r"\{[^}]*\}(?: \| [^|\[]+)+ \[")
_FILTER = re.compile(r' \| (\w+="[^"]*)"')
_COMPARISON = re.compile(r" (>=|<=|==|>|<) (\d+(?:\.\d+)?)")
_FACTOR = re.compile(r" [*/] (?!0\b(?!\.))(\d+(?:\.\d+)?)")
_QUANTILE = re.compile(r"histogram_quantile\((0\.\d+)")
_ZONE = re.compile(r"time\(\) \+ (\d+)")
_CALL = re.compile(r"\b(sum|min|max|avg|count|(?:avg|sum|count)_over_time)\b(?: by \(\w+\) )?\(")
_INTERVAL = re.compile(r"interval '(\d+) (\w+)'")
_CONDITION = re.compile(r"\b(?:WHERE|AND|HAVING) (.+?)(?= AND | HAVING |$)")

_SIGNS = {">": ">=", ">=": ">", "<": "<=", "<=": "<", "==": "!="}
_CALLS = {
    "sum": ("max",),
    "min": ("max",),
    "max": ("min",),
    "avg": ("min", "max"),
    "count": ("max",),
    "avg_over_time": ("min_over_time", "max_over_time"),
    "sum_over_time": ("max_over_time",),
    "count_over_time": ("sum_over_time",),
    "count_over_time of lines": ("bytes_over_time",),
}


@dataclass(frozen=True)
class Mutant:
    """`operator`: comparator, threshold, window, offset, aggregation, label, state, owner or hours; `change` in
    words. Owner and hours change where an alert goes, the others whether there is one."""

    operator: str
    change: str
    rule: Emitted

    @property
    def routed(self) -> bool:
        """Whether it is the routes that must tell it from the rule, and not the scenarios."""
        return self.operator in ("owner", "hours")


Change = tuple[str, str]  # what is changed, in words; the changed query


def mutants(rule: Emitted, owners: Iterable[str]) -> list[Mutant]:
    """All mutants of a rule. `owners`: the names of those who own any rule of the platform."""
    made = [*_judged(rule), *_timed(rule), *_kept(rule), *_sent(rule, owners)]
    for operator, changes in _OPERATORS:
        for change, text in changes(rule.expression):
            made.append(Mutant(operator, change, rule.mutated(expression=text)))
    return made


def nearest(number: str) -> tuple[str, str]:
    """The numbers next to one, below and above.

    A whole number moves by 1. Seconds that make an hour or more, in whole five minutes, move by ten minutes: no
    sample and no step of a subquery lies closer. A fraction moves by its last digit, but by no more than a tenth and
    no less than a hundredth of its first.

    >>> nearest("30"), nearest("28800"), nearest("0.995"), nearest("0.05"), nearest("1.875")
    (('29', '31'), ('28200', '29400'), ('0.994', '0.996'), ('0.049', '0.051'), ('1.865', '1.885'))
    """
    value = Decimal(number)
    last, first = int(value.as_tuple().exponent), value.adjusted()
    if last >= 0:
        unit = Decimal(600) if value >= 3600 and value % 300 == 0 else Decimal(1)
    else:
        unit = Decimal(1).scaleb(min(max(last, first - 2), first - 1))
    return str(value - unit), str(value + unit)


def _judged(rule: Emitted) -> Iterator[Mutant]:
    for comparator in COMPARATORS:
        if comparator != rule.comparator:
            yield _changed("comparator", rule, comparator=comparator)
    for number in nearest(str(rule.threshold)):
        yield _changed("threshold", rule, threshold=Decimal(number))


def _timed(rule: Emitted) -> Iterator[Mutant]:
    if rule.for_:
        for pending in (rule.for_ - rule.interval, rule.for_ + rule.interval):
            yield _changed("window", rule, for_=pending)


def _kept(rule: Emitted) -> Iterator[Mutant]:
    for state in NO_DATA_STATES:
        if state != rule.no_data_state:
            yield _changed("state", rule, no_data_state=state)
    for state in ERROR_STATES:
        if state != rule.exec_err_state:
            yield _changed("state", rule, exec_err_state=state)


def _sent(rule: Emitted, owners: Iterable[str]) -> Iterator[Mutant]:
    for owner in owners:
        if owner != rule.owner:
            yield _changed("owner", rule, owner=owner)
    yield _changed("hours", rule, muted=not rule.muted)


def _changed(operator: str, rule: Emitted, **change: Any) -> Mutant:
    ((name, value),) = change.items()
    return Mutant(operator, f"{name} {_text(getattr(rule, name))} becomes {_text(value)}", rule.mutated(**change))


def _text(value: object) -> str:
    return duration_text(value) if isinstance(value, timedelta) and value else str(value)


def _windows(query: str) -> Iterator[Change]:
    for found in _distinct(_RANGE, query):
        for length in _lengths(found[1]):
            new = found[0].replace(f"[{found[1]}", f"[{length}", 1)
            yield _everywhere(_RANGE, query, found[0], new)
    for found in _INTERVAL.finditer(query):
        for count in (int(found[1]) * 2, int(found[1]) / 2):
            yield _at(query, found.span(), f"interval '{count:g} {found[2]}'")


def _offsets(query: str) -> Iterator[Change]:
    for found in _distinct(_RANGE, query):
        for length in _lengths(found[2]) if found[2] else ():
            new = found[0].removesuffix(found[2]) + length
            yield _everywhere(_RANGE, query, found[0], new)
    for found in _distinct(_ZONE, query):
        for number in nearest(found[1]):
            yield _everywhere(_ZONE, query, found[0], f"time() + {number}")


def _comparators(query: str) -> Iterator[Change]:
    for found in _comparisons(query):
        yield _compared(query, found, f" {_SIGNS[found[1]]} {found[2]}")


def _thresholds(query: str) -> Iterator[Change]:
    for found in _comparisons(query):
        for number in nearest(found[2]):
            yield _compared(query, found, f" {found[1]} {number}")
    for found in _distinct(_FACTOR, query):
        for number in nearest(found[1]):
            yield _everywhere(_FACTOR, query, found[0], found[0].replace(found[1], number))


def _aggregations(query: str) -> Iterator[Change]:
    calls = dict.fromkeys(_whole_call(query, found) for found in _CALL.finditer(query))
    for call in calls:
        name = call[: re.match(r"\w+", call).end()]  # type: ignore[union-attr]
        lines = " of lines" if call.startswith("count_over_time({") else ""
        for other in _CALLS[name + lines]:
            yield f"{call} takes {other}", query.replace(call, other + call[len(name) :])
    for found in _distinct(_QUANTILE, query):
        for number in (Decimal(found[1]) - Decimal("0.04"), Decimal(found[1]) + Decimal("0.04")):
            yield _everywhere(_QUANTILE, query, found[0], f"histogram_quantile({number}")


def _labels(query: str) -> Iterator[Change]:
    for found in _distinct(_SELECTOR, query):
        name, inside = found[0].rstrip("}").split("{")
        matchers = inside.split(",")
        for number, matcher in enumerate(matchers):
            for changed in ([], [f'{matcher[:-1]}x"']):
                new = [*matchers[:number], *changed, *matchers[number + 1 :]]
                if new or name:  # a log selector needs a matcher
                    yield _everywhere(_SELECTOR, query, found[0], f"{name}{{{','.join(new)}}}")
    for found in _distinct(_PIPELINE, query):
        for one in _FILTER.finditer(found[0]):
            for other in ("", f' | {one[1]}x"'):
                yield _everywhere(_PIPELINE, query, found[0], found[0].replace(one[0], other))
    for found in _CONDITION.finditer(query):
        if "interval" not in found[1]:
            for other in ("true", f"NOT ({found[1]})"):
                yield _at(query, found.span(1), other)


_OPERATORS: tuple[tuple[str, Callable[[str], Iterator[Change]]], ...] = (
    ("window", _windows),
    ("offset", _offsets),
    ("comparator", _comparators),
    ("threshold", _thresholds),
    ("aggregation", _aggregations),
    ("label", _labels),
)


def _distinct(pattern: re.Pattern[str], query: str) -> list[re.Match[str]]:
    return list({found[0]: found for found in pattern.finditer(query)}.values())


def _everywhere(pattern: re.Pattern[str], query: str, old: str, new: str) -> Change:
    return f"{old} becomes {new}", pattern.sub(lambda found: new if found[0] == old else found[0], query)


def _at(query: str, span: tuple[int, int], new: str) -> Change:
    start, end = span
    return f"{query[start:end]} becomes {new}", query[:start] + new + query[end:]


def _before(query: str, found: re.Match[str]) -> str:
    """What is compared, as far as it tells one comparison from another with the same number."""
    return query[max(0, found.start() - 30) : found.start()]


def _comparisons(query: str) -> list[re.Match[str]]:
    found = {(_before(query, each), each[0]): each for each in _COMPARISON.finditer(query)}
    return list(found.values())


def _compared(query: str, old: re.Match[str], new: str) -> Change:
    before = _before(query, old)
    return f"{before}{old[0]} becomes{new}", query.replace(before + old[0], before + new)


def _lengths(length: str) -> tuple[str, str]:
    """Half and double; a week moves by a day, because promtool does not take subqueries of much more."""
    value = duration(length)
    if value >= timedelta(days=7):
        return duration_text(value - timedelta(days=1)), duration_text(value + timedelta(days=1))
    return duration_text(value / 2), duration_text(value * 2)


def _whole_call(query: str, found: re.Match[str]) -> str:
    depth = 0
    for place in range(found.end() - 1, len(query)):
        depth += {"(": 1, ")": -1}.get(query[place], 0)
        if depth == 0:
            return query[found.start() : place + 1]
    raise ValueError(f"A parenthesis is not closed in {query}")
