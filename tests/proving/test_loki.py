"""A rule's LogQL on a real Loki: what it returns, and which worlds are refused."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from runbook.model.signals import Source
from runbook.proving import loki as module
from runbook.proving.loki import Loki, NotStarted, running
from runbook.proving.scenario import Broken, Line, Lines, QueryFailed, Scenario
from tests.proving.rules import rule

MINUTE = timedelta(minutes=1)
STREAM = {"platform": "ibimina", "service": "auth"}
COUNT = 'sum(count_over_time({platform="ibimina"} [15m]))'


def value(loki: Loki, query: str, title: str, *lines: Line) -> float | None:
    return loki.value(rule(Source.LOKI, query), Scenario("rule", title, "fires", Lines(lines)))


def test_a_window_ends_before_what_is_as_old_as_it(loki: Loki) -> None:
    ages = (15 * MINUTE - timedelta(milliseconds=1), 15 * MINUTE, timedelta())
    assert value(loki, COUNT, "edges", *(Line(STREAM, age) for age in ages)) == 2.0


def test_lines_of_a_day_are_all_found_whatever_their_order(loki: Loki) -> None:
    lines = [Line(STREAM, timedelta(hours=hour), {"event": "login"}, count=400) for hour in (1, 23, 0, 12)]
    assert (
        value(loki, 'sum(count_over_time({service="auth"} | json | event="login" [1d]))', "a day", *lines) == 1600.0
    )


def test_fields_are_read_and_lines_that_are_no_json_do_no_harm(loki: Loki) -> None:
    query = 'sum(count_over_time({platform="ibimina"} | json | outcome="failed" [15m]))'
    lines = (
        Line(STREAM, MINUTE, {"outcome": "failed"}, 3),
        Line(STREAM, MINUTE, {"outcome": "ok"}),
        Line(STREAM, MINUTE),
    )
    assert value(loki, query, "fields", *lines) == 3.0


def test_no_line_is_no_data_and_each_scenario_is_alone(loki: Loki) -> None:
    assert value(loki, COUNT, "one line", Line(STREAM, MINUTE)) == 1.0
    assert value(loki, COUNT, "no line") is None


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ('sum(count_over_time({platform="ibimina"} [15m]', "Loki refuses the query: parse error at line 1"),
        ('{platform="ibimina"}', "Loki"),
        ('count_over_time({platform="ibimina"} [15m])', "Loki returns 2 series; wanted is one"),
        ("vector(1) + vector(", "Loki refuses the query: parse error"),
    ],
)
def test_a_query_that_grafana_would_not_alert_on_is_refused(loki: Loki, query: str, said: str) -> None:
    with pytest.raises(QueryFailed, match=said):
        value(loki, query, "two streams", Line(STREAM, MINUTE), Line({**STREAM, "service": "admin"}, MINUTE))


def test_a_loki_that_does_not_answer_is_refused_by_loki(loki: Loki) -> None:
    with pytest.raises(QueryFailed, match="no org id"):
        loki.value(rule(Source.LOKI, COUNT), Scenario("rule", "broken", "error", Broken()))


def test_lines_that_loki_loses_are_noticed(loki: Loki, monkeypatch: pytest.MonkeyPatch) -> None:
    """As it did with lines of a day, before it was told to keep them where queries find them."""
    monkeypatch.setattr(module, "_AT_ONCE", 2)
    send = loki._send

    def losing(method: str, path: str, tenant: str | None, body: str | None = None) -> str:
        return "" if method == "POST" and body and r"\"number\": 23" in body else send(method, path, tenant, body)

    monkeypatch.setattr(loki, "_send", losing)
    lines = [Line(STREAM, MINUTE, {"number": number}) for number in range(20, 24)]
    with pytest.raises(QueryFailed, match=r"^Loki holds 2\.0 of the 4 lines pushed to \{platform="):
        value(loki, COUNT, "lost", *lines)


def test_a_loki_that_cannot_start_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "loki"
    program.write_text(
        '#!/bin/sh\necho \'level=error caller=main.go msg="error running loki" err="address in use"\'\nexit 1\n'
    )
    program.chmod(0o755)
    with pytest.raises(NotStarted, match=r"^Loki did not start: address in use\. Run the same command again"):
        running(program).__enter__()
    monkeypatch.setattr(module, "_START_SECONDS", 0)
    program.write_text("#!/bin/sh\nexec sleep 60\n")
    with pytest.raises(NotStarted, match=r"^Loki did not start: it said nothing\."):
        running(program).__enter__()
