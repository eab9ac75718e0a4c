"""The emitted SQL on a real PostgreSQL, on the assumed tables of schema.sql."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from runbook.proving.emitted import Emitted
from runbook.proving.macros import expand
from runbook.proving.postgres_server import USER, server
from runbook.proving.scenario import Broken, QueryFailed, Rows, Scenario

SCHEMA = Path(__file__).with_name("schema.sql")
READER, BLINDED = "grafana_reader", "blinded_reader"

_Cursor = psycopg.Cursor[tuple[Any, ...]]


@dataclass(frozen=True)
class Postgres:
    """A running server whose tables are empty."""

    connection: psycopg.Connection[tuple[Any, ...]]

    @property
    def version(self) -> str:
        number = self.connection.info.server_version
        return f"{number // 10_000}.{number % 10_000}"

    def value(self, rule: Emitted, scenario: Scenario) -> float | None:
        """The number that the rule's query returns on the scenario's rows; None when it returns no row.

        One transaction, rolled back: now() is its start in rows and query alike, so ages are exact.
        Raises: QueryFailed
        """
        with self.connection.transaction(force_rollback=True), self.connection.cursor() as cursor:
            try:
                cursor.execute(sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier(_prepare(cursor, scenario))))
                ((now,),) = cursor.execute("SELECT now()").fetchall()
                cursor.execute(expand(rule.expression, now - rule.span, now).encode())
                return _number(cursor)
            except psycopg.Error as error:
                raise QueryFailed(f"PostgreSQL refuses the query: {str(error).strip()}") from None


@contextmanager
def running() -> Iterator[Postgres]:
    """PostgreSQL for the length of a with block. Raises: NotStarted."""
    with server() as socket, psycopg.connect(host=str(socket), user=USER, dbname=USER) as connection:
        connection.execute(SCHEMA.read_bytes())
        connection.commit()
        yield Postgres(connection)


def _prepare(cursor: _Cursor, scenario: Scenario) -> str:
    """Makes the scenario's world; the role that then reads it."""
    if isinstance(scenario.data, Broken):  # the database answers, and only to say no
        cursor.execute(f"REVOKE SELECT ON ALL TABLES IN SCHEMA public, cron FROM {READER}")
        return READER
    if not isinstance(scenario.data, Rows):
        raise TypeError(f"Scenario {scenario.title!r} has no rows for PostgreSQL.")
    for table, entries in scenario.data.tables.items():
        for entry in entries:
            cursor.execute(_insert(table, entry), list(entry.values()))
    return BLINDED if scenario.data.hidden else READER


def _insert(table: str, entry: Mapping[str, object]) -> sql.Composed:
    values = [sql.SQL("now() - %s" if isinstance(value, timedelta) else "%s") for value in entry.values()]
    return sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
        sql.Identifier(*table.split(".")),
        sql.SQL(", ").join(map(sql.Identifier, entry)),
        sql.SQL(", ").join(values),
    )


def _number(cursor: _Cursor) -> float | None:
    """The one float beside a column named time: what Grafana's alerting takes in the format time_series."""
    types = [(column.name, column.type_display) for column in cursor.description or []]
    if [kind for _, kind in types] != ["timestamptz", "float8"] or types[0][0] != "time":
        raise QueryFailed(f"The query returns {types}; wanted are a timestamptz named time and one float8.")
    rows = cursor.fetchall()
    if len(rows) > 1:
        raise QueryFailed(f"The query returns {len(rows)} rows; wanted is one.")
    if not rows:
        return None
    if rows[0][1] is None:
        raise QueryFailed("The query returns NULL; wanted is a number, with coalesce where there may be no rows.")
    return float(rows[0][1])
