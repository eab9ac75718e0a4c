"""What a query reads, taken out of its text: metrics and labels, streams and fields, tables and columns.

Small readers of the parts of PromQL, LogQL and SQL that are in use. What they do not understand they refuse, so that
no query passes because nobody looked.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from runbook.model.signals import Source

_TOKEN = re.compile(
    r"""(?P<text>"(?:[^"\\]|\\.)*"|'[^']*'|`[^`]*`)"""
    r"|(?P<number>\d[\w.]*)"
    r"|(?P<name>[A-Za-z_][\w.]*)"
    r"|(?P<sign>=~|!=|!~|==|<=|>=|\|=|\|~|::|\S)"
)
_GROUPING = {"by", "without", "on", "ignoring", "group_left", "group_right"}
_WORDS = {"and", "or", "unless", "offset", "bool"}
_SQL_WORDS = {"select", "where", "having", "and", "or", "not", "is", "null", "interval", "in", "between"}
_SQL_BEYOND = {"join", "with", "union", "using"}
_COMPARISONS = {"=", "!=", "=~", "!~", "==", "<", ">", "<=", ">="}


@dataclass(frozen=True)
class Reading:
    """One metric, stream or table that a query reads. A stream has no name."""

    source: Source
    name: str
    fields: frozenset[str]


class NotUnderstoodError(Exception):
    """The query holds something that these readers do not know."""


class _Tokens:
    def __init__(self, text: str) -> None:
        self.text = text
        self.all = [(str(found.lastgroup), found.group()) for found in _TOKEN.finditer(text)]
        self.at = 0

    def __bool__(self) -> bool:
        return self.at < len(self.all)

    def next(self, wanted: str | None = None) -> tuple[str, str]:
        kind, value = self.all[self.at] if self else ("end", "")
        if wanted is not None and wanted not in (kind, value):
            raise NotUnderstoodError(f"{wanted} expected, found {value!r} in: {self.text}")
        self.at += 1
        return kind, value

    def peek(self, ahead: int = 0) -> str:
        place = self.at + ahead
        return self.all[place][1] if place < len(self.all) else ""


def readings(source: Source, query: str) -> list[Reading]:
    """Everything that the query reads. Raises: NotUnderstoodError."""
    readers = {Source.PROMETHEUS: _promql, Source.LOKI: _logql, Source.POSTGRES: _sql}
    return list(readers[source](_Tokens(query)))


def _promql(tokens: _Tokens) -> Iterator[Reading]:
    """Labels that a query groups by or matches on count for each of its metrics."""
    found: list[tuple[str, set[str]]] = []
    grouped: set[str] = set()
    while tokens:
        kind, value = tokens.next()
        if kind == "sign" and value == "{":
            raise NotUnderstoodError(f"a selector without a metric's name in: {tokens.text}")
        if kind != "name" or value in _WORDS:
            continue
        if value in _GROUPING:
            grouped |= _listed(tokens)
        elif tokens.peek() == "{":
            found.append((value, _matched(tokens)))
        elif tokens.peek() != "(" and tokens.peek() not in _GROUPING:
            found.append((value, set()))
    yield from (Reading(Source.PROMETHEUS, name, frozenset(labels | grouped)) for name, labels in found)


def _logql(tokens: _Tokens) -> Iterator[Reading]:
    while tokens:
        kind, value = tokens.next()
        if value == "{":
            tokens.at -= 1
            yield Reading(Source.LOKI, "", frozenset(_matched(tokens) | _filtered(tokens)))
        elif kind == "name" and value not in _WORDS and tokens.peek() != "(":
            raise NotUnderstoodError(f"{value} in: {tokens.text}")


def _filtered(tokens: _Tokens) -> set[str]:
    """Fields of the stages `| json | field="value"`."""
    fields: set[str] = set()
    while tokens.peek() == "|":
        tokens.next("|")
        name = tokens.next("name")[1]
        if name != "json":
            if tokens.next("sign")[1] not in _COMPARISONS:
                raise NotUnderstoodError(f"the stage {name} in: {tokens.text}")
            tokens.next("text")
            fields.add(name)
    return fields


def _sql(tokens: _Tokens) -> Iterator[Reading]:
    """One SELECT on one table. Aliases of the result and casts are no columns, and EXTRACT's FROM names no table."""
    tables: list[str] = []
    columns: set[str] = set()
    while tokens:
        kind, value = tokens.next()
        word = value.lower()
        if word in _SQL_BEYOND:
            raise NotUnderstoodError(f"{value} in: {tokens.text}")
        if word in ("::", "as"):
            tokens.next("name")
        elif word == "extract" and tokens.peek() == "(":
            tokens.next("(")
            tokens.next("name")
            if tokens.next("name")[1].lower() != "from":
                raise NotUnderstoodError(f"EXTRACT without FROM in: {tokens.text}")
        elif word == "from":
            tables.append(tokens.next("name")[1])
        elif kind == "name" and word not in _SQL_WORDS and tokens.peek() != "(":
            columns.add(value)
    if len(tables) != 1:
        raise NotUnderstoodError(f"{len(tables)} tables in: {tokens.text}")
    yield Reading(Source.POSTGRES, tables[0], frozenset(columns))


def _matched(tokens: _Tokens) -> set[str]:
    """Label names of {name="value",…}."""
    labels: set[str] = set()
    tokens.next("{")
    while tokens.peek() != "}":
        labels.add(tokens.next("name")[1])
        if tokens.next("sign")[1] not in _COMPARISONS:
            raise NotUnderstoodError(f"a label without a comparison in: {tokens.text}")
        tokens.next("text")
        if tokens.peek() == ",":
            tokens.next(",")
    tokens.next("}")
    return labels


def _listed(tokens: _Tokens) -> set[str]:
    """Names of (one,two)."""
    names: set[str] = set()
    tokens.next("(")
    while tokens.peek() != ")":
        names.add(tokens.next("name")[1])
        if tokens.peek() == ",":
            tokens.next(",")
    tokens.next(")")
    return names
