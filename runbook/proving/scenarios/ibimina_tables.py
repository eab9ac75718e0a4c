"""Ibimina's scenarios on its database: ages at the boundaries, empty tables, rows that must not be mixed up.

What is said of the world here owes nothing to the model: tables and columns stand as schema.sql has them.
"""

from __future__ import annotations

from datetime import timedelta

from runbook.proving.scenario import Broken, Outcome, Rows, Scenario

SECOND, MINUTE, HOUR, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
Row = dict[str, object]


def scenarios() -> tuple[Scenario, ...]:
    """All scenarios of the platform's alerts that read PostgreSQL, in production."""
    return (*_payments(), *_log_drain(), *_scheduled_functions(), *_anomalies())


def _blind(rule: str, table: str, rows: tuple[Row, ...]) -> tuple[Scenario, ...]:
    """No answer and rows that may not be seen alert: what cannot be known is not healthy."""
    return (
        Scenario(rule, "the database refuses to answer", "fires", Broken()),
        Scenario(rule, "healthy, but hidden by row level security", "fires", Rows({table: rows}, hidden=True)),
    )


def _payments() -> tuple[Scenario, ...]:
    def queue(title: str, expect: Outcome, *rows: Row) -> Scenario:
        return Scenario("payment-backlog", title, expect, Rows({"payments_queue": rows}))

    def pending(age: timedelta) -> Row:
        return {"created_at": age}

    def processed(age: timedelta, after: timedelta) -> Row:
        return {"created_at": age, "processed_at": age - after}

    return (
        queue("oldest pending 31 min", "fires", pending(31 * MINUTE)),
        queue("oldest pending 30 min 1 s", "fires", pending(30 * MINUTE + SECOND)),
        queue("oldest pending exactly 30 min", "silent", pending(30 * MINUTE)),
        queue("oldest pending 29 min", "silent", pending(29 * MINUTE)),
        queue("an empty queue", "silent"),
        queue("old, but processed", "silent", processed(DAY, MINUTE), processed(2 * HOUR, HOUR)),
        queue("old and processed beside young and pending", "silent", processed(DAY, MINUTE), pending(MINUTE)),
        queue("one pending 31 min among young ones", "fires", *[pending(MINUTE)] * 9, pending(31 * MINUTE)),
        queue("many young ones", "silent", *[pending(20 * MINUTE)] * 40),
        *_blind("payment-backlog", "payments_queue", (pending(MINUTE),)),
    )


def _log_drain() -> tuple[Scenario, ...]:
    def pings(title: str, expect: Outcome, *ages: timedelta) -> Scenario:
        rows = tuple({"pinged_at": age} for age in ages)
        return Scenario("log-drain-silent", title, expect, Rows({"log_drain_pings": rows}))

    return (
        pings("silent for 5 min 1 s", "fires", 5 * MINUTE + SECOND),
        pings("silent for exactly 5 min", "silent", 5 * MINUTE),
        pings("silent for 4 min 59 s", "silent", 5 * MINUTE - SECOND),
        pings("never pinged: an empty table", "fires"),
        pings("pinged now, and a month ago", "silent", SECOND, 30 * DAY),
        pings(
            "pinged often until 5 min 1 s ago", "fires", *[5 * MINUTE + number * SECOND for number in range(1, 60)]
        ),
        *_blind("log-drain-silent", "log_drain_pings", ({"pinged_at": SECOND},)),
    )


def _scheduled_functions() -> tuple[Scenario, ...]:
    def runs(title: str, expect: Outcome, *ages: tuple[str, timedelta]) -> Scenario:
        rows = tuple(run(status, age) for status, age in ages)
        return Scenario("scheduled-functions", title, expect, Rows({"cron.job_run_details": rows}))

    def run(status: str, age: timedelta) -> Row:
        return {"jobid": 1, "username": "postgres", "status": status, "start_time": age}

    return (
        runs("last ran 61 min ago", "fires", ("succeeded", 61 * MINUTE)),
        runs("last ran an hour and a second ago", "fires", ("succeeded", HOUR + SECOND)),
        runs("last ran exactly an hour ago", "silent", ("succeeded", HOUR)),
        runs("last ran 59 min ago", "silent", ("succeeded", 59 * MINUTE)),
        runs("never ran: an empty table", "fires"),
        runs("failed a minute ago, succeeded two hours ago", "fires", ("failed", MINUTE), ("succeeded", 2 * HOUR)),
        runs("still running, succeeded two hours ago", "fires", ("running", MINUTE), ("succeeded", 2 * HOUR)),
        runs("succeeded a minute ago, and a day ago", "silent", ("succeeded", MINUTE), ("succeeded", DAY)),
        runs("failed an hour ago, succeeded since", "silent", ("failed", 2 * HOUR), ("succeeded", MINUTE)),
        *_blind("scheduled-functions", "cron.job_run_details", (run("succeeded", MINUTE),)),
    )


def _anomalies() -> tuple[Scenario, ...]:
    def detected(title: str, expect: Outcome, *rows: Row) -> Scenario:
        return Scenario("anomaly-signal", title, expect, Rows({"metric_anomalies": rows}))

    def resolved(age: timedelta) -> Row:
        return {"detected_at": age, "resolved_at": age - MINUTE}

    return (
        detected("one anomaly, a minute ago", "fires", {"detected_at": MINUTE}),
        detected("one anomaly, a second less than an hour ago", "fires", {"detected_at": HOUR - SECOND}),
        detected("one anomaly, an hour ago", "silent", {"detected_at": HOUR}),
        detected("one anomaly, an hour and a second ago", "silent", {"detected_at": HOUR + SECOND}),
        detected("an anomaly that was resolved", "silent", resolved(10 * MINUTE)),
        detected("one resolved and one open", "fires", resolved(10 * MINUTE), {"detected_at": 20 * MINUTE}),
        detected("no anomaly: an empty table", "silent"),
        *_blind("anomaly-signal", "metric_anomalies", ()),
    )
