"""The uptime of business hours, as text: what it finds is proven on a Prometheus (make alerts)."""

from __future__ import annotations

from datetime import timedelta

from runbook.model.settings import BusinessHours
from runbook.model.uptime import Uptime

HOURS = BusinessHours.model_validate(
    {"timezone": "Africa/Kigali", "days": ["monday"], "start": "08:00", "end": "17:00"}
)
UPTIME = Uptime({"job": "shop"}, HOURS)
HOUR, WEEK = timedelta(hours=1), timedelta(days=7)


def in_hours(seconds: int) -> str:
    local = f"time() + {seconds}"
    return f"((vector(({local}) % 86400) >= 28800 < 61200) and (day_of_week(vector({local})) == 1))"


def test_a_week_is_judged_in_pieces_of_ten_minutes() -> None:
    """A piece counts by the time that it began."""
    up = 'avg(avg_over_time(probe_success{job="shop"}[10m]))'
    assert UPTIME.share(WEEK) == f"avg_over_time(({up} and {in_hours(7200 - 600)})[7d:10m])"


def test_an_hour_is_judged_in_pieces_of_five_minutes() -> None:
    up, hours = 'avg(avg_over_time(probe_success{job="shop"}[5m]))', in_hours(7200 - 300)
    assert UPTIME.failing(HOUR) == f"(1 - avg_over_time(({up} and {hours})[1h:5m]))"
    assert UPTIME.down(HOUR) == f"(5 * sum_over_time(((1 - {up}) and {hours})[1h:5m]))"
    assert UPTIME.minutes(HOUR) == f"(5 * count_over_time(({up} and {hours})[1h:5m]))"


def test_a_check_is_alive_whatever_it_reports() -> None:
    assert UPTIME.alive() == 'group(probe_success{job="shop"})'
