"""`signals`: every query is asked, and what has no data, fails or is there for the first time is told."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
import typer

from runbook.cli import signals as signals_of
from runbook.cli import sources
from runbook.cli.commands import signals as command
from runbook.cli.errors import CliError
from runbook.cli.place import Place
from runbook.cli.signals import Found, look
from runbook.cli.sources import Answer, Database, Doors, Store, ask, doors
from runbook.cli.stack import Here
from runbook.model.asked import asked
from runbook.model.signals import Source
from runbook.proving.postgres import SCHEMA
from runbook.proving.postgres_server import USER as OWNER
from runbook.proving.postgres_server import server
from tests.cli.stores import TOKEN, USER, Stores, stores
from tests.stacks import platform, settings

READER = "grafana_reader"


@pytest.fixture(scope="module")
def socket() -> Iterator[Path]:
    """A PostgreSQL with the assumed tables, empty but for two."""
    with server() as folder:
        with psycopg.connect(host=str(folder), user=OWNER, dbname=OWNER) as connection:
            connection.execute(SCHEMA.read_bytes())
            connection.execute("INSERT INTO log_drain_pings VALUES (now())")
            connection.execute("INSERT INTO payments_queue (created_at) VALUES (now())")
        yield folder


def given(running: Stores, socket: Path | None = None, **database: Any) -> Doors:
    postgres = Database(str(socket or "/nowhere"), 5432, OWNER, READER, "made up password")
    return Doors(
        Store(Source.PROMETHEUS, running.prometheus, USER, "PROMETHEUS_TOKEN", TOKEN),
        Store(Source.LOKI, running.loki, USER, "LOKI_TOKEN", TOKEN),
        replace(postgres, **database),
    )


def found(running: Stores, socket: Path, stack: str = "prod", **changes: Any) -> Found:
    return look(platform(stack), settings(stack), given(running, socket, **changes))


@pytest.mark.parametrize("stack", ["prod", "easymo-prod"])
def test_every_query_is_asked_as_it_is_sent(stack: str, socket: Path) -> None:
    with stores() as running:
        seen = found(running, socket, stack)
    wanted = {
        (each.source.name.lower(), each.expression)
        for each in asked(platform(stack), settings(stack))
        if each.source is not Source.POSTGRES
    }
    assert wanted
    assert wanted <= set(running.asked)
    assert seen.failed == {}
    assert seen.empty == ()


def test_what_has_no_data_is_listed_with_who_asks(socket: Path) -> None:
    def holds(store: str, query: str) -> float | None:
        return None if "vercel_production_deployment_info" in query or "probe_success" in query else 3

    with stores(holds) as running:
        seen = found(running, socket)
    assert not seen.well
    places = {place for each in seen.empty for place in each.places}
    assert {"rule staff-console-uptime", "panel Apps on the release tag and green"} <= places
    assert "rule auth-failed-logins" not in places
    assert {each.name for each in seen.unseen} >= {"probe_success", "vercel_production_deployment_info"}


def test_a_signal_is_there_only_when_it_is_there_itself(socket: Path) -> None:
    """Logins are not logged at all: the rule falls back to 0 and has data, the signal is missing all the same."""

    def holds(store: str, query: str) -> float | None:
        alone = query.startswith("sum(count_over_time") and " or " not in query
        return None if alone and 'service="auth"' in query else 0.0

    with stores(holds) as running:
        seen = found(running, socket)
    assert [each.name for each in seen.unseen if each.source is Source.LOKI] == ["auth log lines"]
    assert seen.empty == ()
    assert "app log lines" in [each.name for each in seen.first_seen]


def test_assumed_signals_that_are_there_are_told_and_documented_ones_are_not(socket: Path) -> None:
    with stores() as running:
        seen = found(running, socket)
    names = {each.name for each in seen.first_seen}
    assert {"payments_queue", "log_drain_pings", "auth log lines", "vercel_production_deployment_info"} == names - {
        "app log lines",
        "any log lines",
    }
    assert "probe_success" not in names
    assert {each.name for each in seen.unseen} == {"system_metrics", "metric_anomalies", "cron.job_run_details"}


def test_row_level_security_is_no_data(socket: Path) -> None:
    with stores() as running:
        seen = found(running, socket, user="blinded_reader")
    assert seen.failed == {}
    assert "rule payment-backlog" in {place for each in seen.empty for place in each.places}


def test_the_database_is_only_read(socket: Path) -> None:
    with stores() as running:
        (answer,) = ask(
            given(running, socket, user=OWNER), [(Source.POSTGRES, "INSERT INTO log_drain_pings VALUES (now())")]
        )
    assert answer.error == ("PostgreSQL refused the query: cannot execute INSERT in a read-only transaction.")


def test_a_slow_query_is_cut_off_by_the_database(socket: Path) -> None:
    begun = time.monotonic()
    with stores() as running:
        (answer,) = ask(given(running, socket), [(Source.POSTGRES, "SELECT pg_sleep(20)")], each=0.3)
    assert answer.error == "PostgreSQL refused the query: canceling statement due to statement timeout."
    assert time.monotonic() - begun < 5


def test_a_database_that_is_not_there_fails_its_own_queries_alone() -> None:
    with stores() as running:
        seen = look(platform("prod"), settings("prod"), given(running))
    assert {each.source for each in seen.failed} == {Source.POSTGRES}
    assert all(said.startswith("PostgreSQL cannot be reached: ") for said in seen.failed.values())
    assert not any(each.source is Source.POSTGRES for each in (*seen.unseen, *seen.first_seen))


def one(holds: Any, source: Source = Source.PROMETHEUS, each: float = 5, drip: float = 0, **store: Any) -> Answer:
    with stores(lambda *_: holds) as running:
        running.drip = drip
        there = given(running)
        changed = replace(there, prometheus=replace(there.prometheus, **store), loki=replace(there.loki, **store))
        (answer,) = ask(changed, [(source, "up")], each=each)
        return answer


@pytest.mark.parametrize(
    ("holds", "answer"),
    [
        (0.25, Answer(0.25)),
        (None, Answer(None)),
        ("NaN", Answer(None)),
        ((200, '{"status":"success","data":{"resultType":"scalar","result":[1,"2"]}}'), Answer(2.0)),
        (
            (400, '{"status":"error","errorType":"bad_data","error":"1:5: parse error: unexpected end of input"}'),
            Answer(error="Prometheus answered 400: 1:5: parse error: unexpected end of input."),
        ),
        (
            (403, f'{{"error":"no scope for {TOKEN}"}}'),
            Answer(
                error="Prometheus answered 403: no scope for [secret]. The token in PROMETHEUS_TOKEN may not read: "
                "give it that right."
            ),
        ),
        ((429, ""), Answer(error="Prometheus answered 429. It is asked too much: try again in some minutes.")),
        (
            (200, "<html>Sign in</html>"),
            Answer(error="Prometheus at 127.0.0.1 answered with something that is no result of a query."),
        ),
        (
            (200, "[]"),
            Answer(error="Prometheus at 127.0.0.1 answered with something that is no result of a query."),
        ),
    ],
)
def test_answers(holds: Any, answer: Answer) -> None:
    assert one(holds) == answer


def test_loki_says_its_errors_in_plain_text() -> None:
    said = "parse error at line 1, col 9: syntax error: unexpected IDENTIFIER\n"
    assert one((400, said), Source.LOKI).error == (
        "Loki answered 400: parse error at line 1, col 9: syntax error: unexpected IDENTIFIER."
    )


def test_a_wrong_token_names_the_secret_and_not_its_value() -> None:
    answer = one(1, token="another")
    assert answer.error == (
        "Prometheus answered 401: authentication error: invalid token. "
        "Check the secret PROMETHEUS_TOKEN and grafana.prometheus.user."
    )


def test_a_wrong_address_names_where_it_stands() -> None:
    assert one(1, url="http://127.0.0.1:9").error == "Prometheus at 127.0.0.1 cannot be reached (ConnectError)."
    with stores() as running:
        there = given(running)
        wrong = replace(there, prometheus=replace(there.prometheus, url=running.loki))
        (answer,) = ask(wrong, [(Source.PROMETHEUS, "up")])
    assert answer.error == (
        "Prometheus answered 404: 404 page not found. "
        "Check grafana.prometheus.url: it is the address that the data source in Grafana has."
    )


@pytest.mark.parametrize("drip", [0.2, 1.5])
def test_a_store_that_answers_in_drops_or_not_at_all_is_left(drip: float) -> None:
    begun = time.monotonic()
    assert one(1, each=0.5, drip=drip).error == "Prometheus at 127.0.0.1 did not answer within 0.5 s."
    assert time.monotonic() - begun < 5


def test_when_the_time_is_over_the_rest_is_not_asked() -> None:
    with stores() as running:
        answers = ask(given(running), [(Source.PROMETHEUS, "up"), (Source.LOKI, "up")], limit=0)
    assert running.asked == []
    assert [answer.error.partition(" ")[0] for answer in answers] == ["Prometheus", "Loki"]
    assert all("the time for all queries was over" in answer.error for answer in answers)


def test_doors_are_those_of_the_config() -> None:
    made = doors(settings("prod"))
    assert (made.prometheus.url, made.prometheus.user) == ("https://prometheus.grafana.net/api/prom", "100001")
    assert (made.loki.url, made.loki.secret) == ("https://logs.grafana.net", "LOKI_TOKEN")
    assert (made.postgres.host, made.postgres.user) == ("db.ibiminaprodplacehold.supabase.co", "grafana_reader")
    for name in ("PROMETHEUS_TOKEN", "LOKI_TOKEN", "POSTGRES_PASSWORD"):
        assert settings("prod").secrets[name].get_secret_value() not in repr(made)


@contextmanager
def here(monkeypatch: pytest.MonkeyPatch, practice: bool = False) -> Iterator[None]:
    """The command on the stack prod, without an engine that opens its secrets."""
    made = Here(Place(Path("."), {}, practice=practice), "prod")
    vars(made).update(platform=platform("prod"), settings=settings("prod"))
    monkeypatch.setattr(Here, "of", classmethod(lambda cls, stack, practice=False: made))
    yield


def test_the_command_lists_and_fails_where_something_has_no_data(
    socket: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def holds(store: str, query: str) -> Any:
        return None if "vercel_production" in query else (400, "parse error") if store == "loki" else 1

    with stores(holds) as running, here(monkeypatch):
        monkeypatch.setattr(sources, "doors", lambda _: given(running, socket))
        with pytest.raises(typer.Exit) as ended:
            command.command()
        shown = capsys.readouterr().out
        with pytest.raises(typer.Exit):
            command.command(json=True)
        plain = json.loads(capsys.readouterr().out)
    assert ended.value.exit_code == 1
    for text in ("Without data", "Failed", "Loki answered 400: parse error.", "Assumed until now, and there"):
        assert text in shown
    assert "runbook/platforms/ibimina.py" in " ".join(shown.split())
    assert max(map(len, shown.splitlines())) <= 80
    assert plain["stack"] == "prod"
    assert [each["places"] for each in plain["empty"]] == [["panel Apps on the release tag and green"]]
    assert {each["error"] for each in plain["failed"]} == {"Loki answered 400: parse error."}
    assert "vercel_production_deployment_info" in plain["unseen"]
    assert "payments_queue" in plain["first_seen"]
    assert TOKEN not in shown + json.dumps(plain)


def test_the_command_ends_well_when_everything_has_data(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with here(monkeypatch):
        monkeypatch.setattr(sources, "doors", lambda _: None)
        monkeypatch.setattr(signals_of, "look", lambda *_: Found(24, (), {}, (), ()))
        command.command()
    assert capsys.readouterr().out == "prod: 24 of 24 queries of rules and panels have data.\n"


def test_a_practice_has_nothing_to_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    with here(monkeypatch, practice=True), pytest.raises(CliError, match="A practice has no data sources") as refused:
        command.command(practice=True)
    assert refused.value.code == 2
