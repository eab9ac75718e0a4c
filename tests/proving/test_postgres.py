"""A rule's SQL on a real PostgreSQL: what it returns, and which shapes and worlds are refused."""

from __future__ import annotations

from datetime import timedelta

import pytest

from runbook.model.serving import stack_of
from runbook.model.signals import Source
from runbook.proving.postgres import Postgres
from runbook.proving.scenario import Broken, QueryFailed, Rows, Scenario
from tests import stacks
from tests.proving.rules import rule

ONE_PING = Rows({"log_drain_pings": ({"pinged_at": timedelta(seconds=299)},)})
AGE = "extract(epoch FROM now() - max(pinged_at))"


def value(postgres: Postgres, query: str, data: Rows | Broken) -> float | None:
    return postgres.value(rule(Source.POSTGRES, query), Scenario("rule", "a world", "fires", data))


def test_ages_are_exact(postgres: Postgres) -> None:
    assert value(postgres, f"SELECT now() AS time, ({AGE})::float8 AS value FROM log_drain_pings", ONE_PING) == 299.0


def test_macros_span_what_the_rule_reads(postgres: Postgres) -> None:
    query = "SELECT now() AS time, count(*)::float8 AS value FROM log_drain_pings WHERE $__timeFilter(pinged_at)"
    ages = (timedelta(minutes=59, seconds=59), timedelta(hours=1), timedelta(hours=1, seconds=1))
    assert value(postgres, query, Rows({"log_drain_pings": tuple({"pinged_at": age} for age in ages)})) == 2.0


def test_a_world_leaves_nothing_behind(postgres: Postgres) -> None:
    query = "SELECT now() AS time, count(*)::float8 AS value FROM log_drain_pings"
    assert value(postgres, query, ONE_PING) == 1.0
    assert value(postgres, query, Rows({})) == 0.0


def test_no_row_is_no_data(postgres: Postgres) -> None:
    assert value(postgres, "SELECT now() AS time, 1::float8 AS value WHERE false", Rows({})) is None


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("SELECT now() AS time, 1::numeric AS value", "wanted are a timestamptz named time and one float8"),
        ("SELECT 1::float8 AS value", "wanted are a timestamptz named time and one float8"),
        ("SELECT now() AS at, 1::float8 AS value", "wanted are a timestamptz named time and one float8"),
        ("SELECT now() AS time, 1::float8 AS a, 2::float8 AS b", "wanted are a timestamptz named time and one"),
        ("SELECT now() AS time, n::float8 AS value FROM generate_series(1, 3) AS n", "returns 3 rows; wanted is one"),
        (f"SELECT now() AS time, ({AGE})::float8 AS value FROM log_drain_pings", "The query returns NULL"),
        ("SELECT now() AS time, paid::float8 AS value FROM payments_queue", 'column "paid" does not exist'),
        ("SELECT $__timeGroup(created_at,'5m')", "has no place in an alert's query"),
        ("DELETE FROM payments_queue", "permission denied"),
    ],
)
def test_a_query_that_grafana_would_not_alert_on_is_refused(postgres: Postgres, query: str, said: str) -> None:
    with pytest.raises(QueryFailed, match=said):
        value(postgres, query, Rows({}))
    assert value(postgres, "SELECT now() AS time, 1::float8 AS value", Rows({})) == 1.0  # the session is usable


def test_a_broken_database_is_refused_by_the_database(postgres: Postgres) -> None:
    with pytest.raises(QueryFailed, match="permission denied for table log_drain_pings"):
        value(postgres, "SELECT now() AS time, count(*)::float8 AS value FROM log_drain_pings", Broken())


def test_row_level_security_would_make_a_full_table_look_empty(postgres: Postgres) -> None:
    """Why each emitted query ends in HAVING NOT row_security_active: the count below is wrong and looks healthy."""
    hidden = Rows(ONE_PING.tables, hidden=True)
    count = "SELECT now() AS time, count(*)::float8 AS value FROM log_drain_pings"
    assert value(postgres, count, hidden) == 0.0
    assert value(postgres, f"{count} HAVING NOT row_security_active('log_drain_pings')", hidden) is None


@pytest.mark.parametrize("stack", ["prod", "easymo-prod"])
def test_the_schema_has_what_the_signals_declare_and_no_other_column(postgres: Postgres, stack: str) -> None:
    for signal in stacks.platform(stack).signals:
        if signal.source is not Source.POSTGRES:
            continue
        schema, _, table = signal.name.rpartition(".")
        rows = postgres.connection.execute(
            "SELECT column_name, is_identity FROM information_schema.columns "
            "WHERE table_schema = %s AND table_name = %s",
            (schema or "public", table),
        ).fetchall()
        columns = {name for name, identity in rows if identity == "NO"}
        if signal.assumed:
            assert columns == set(signal.fields), signal.name
        else:
            assert columns >= set(signal.fields), signal.name


@pytest.mark.parametrize("stack", ["prod", "easymo-prod"])
def test_every_panel_that_reads_the_database_has_a_number_on_empty_tables(postgres: Postgres, stack: str) -> None:
    platform, of = stacks.platform(stack), stack_of(stacks.settings(stack))
    queries = [panel.query for panel in (*platform.operations(of), *platform.checklist(of))]
    texts = [query.expression for query in queries if query.source is Source.POSTGRES]
    assert texts
    for text in texts:
        assert value(postgres, text, Rows({})) is not None
        assert value(postgres, text, Rows({}, hidden=True)) is None
