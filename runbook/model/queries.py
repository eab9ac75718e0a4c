"""Builders of PromQL, LogQL and SQL. They take declared signals and refuse labels that a signal does not have."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from runbook.model.fields import WEEKDAYS, duration_text, zone_offset
from runbook.model.problems import PlatformError
from runbook.model.settings import BusinessHours
from runbook.model.signals import Signal, Source

ZERO = timedelta()


def series(signal: Signal, labels: Mapping[str, str], window: timedelta = ZERO, offset: timedelta = ZERO) -> str:
    """PromQL selector. A label value that begins with `~` is a regular expression.

    >>> series(REQUESTS, {"app": "voice-api", "status": "~5.."}, timedelta(hours=1), timedelta(hours=2))
    'http_requests_total{app="voice-api",status=~"5.."}[1h] offset 2h'
    """
    text = signal.name + _matchers(signal, labels)
    if window:
        text += f"[{duration_text(window)}]"
    return text + (f" offset {duration_text(offset)}" if offset else "")


def count(events: tuple[Signal, Mapping[str, str]], window: timedelta, offset: timedelta = ZERO) -> str:
    """PromQL: how many events a counter saw in a window; nothing when it has no series."""
    return f"sum(increase({series(*events, window, offset)}))"


def share(bad: str, total: str) -> str:
    """PromQL and LogQL: bad events among all. No bad series is 0, not nothing; no events at all stays nothing."""
    return f"(({bad} or {total} * 0) / {total})"


def budget_burn(
    shares: tuple[str, str], counts: tuple[str, str], allowed: str, factor: str, least: tuple[int, int]
) -> str:
    """PromQL and LogQL: burn rate over the long window, as long as the short one burns above `factor` too and there
    are enough events to judge by; else 0; nothing without events. `shares`: bad events among all in the long and in
    the short window. `counts` and `least`: events and bad ones in the long window, and how many there must be; a
    least of 0 is not asked for."""
    long, short = shares
    rate = f"{long} / {allowed}"
    conditions = [f"{short} / {allowed} > {factor}"]
    conditions += [f"{count} >= {enough}" for count, enough in zip(counts, least, strict=True) if enough]
    return f"({' and '.join([rate, *conditions])}) or {rate} * 0"


def quantile(q: str, buckets: tuple[Signal, Mapping[str, str]], window: timedelta, offset: timedelta = ZERO) -> str:
    """PromQL: quantile of a histogram's observations in a window, in the histogram's unit."""
    return f"histogram_quantile({q}, sum by (le) (rate({series(*buckets, window, offset)})))"


def consecutive(windows: list[str], breach: str) -> str:
    """PromQL: the newest window's value when all earlier ones breach, else 0; nothing when the newest is missing.

    Adjacent windows joined by `and`: an average over all of them would let one very bad window make up for good
    ones. `breach` is comparison and threshold of the earlier windows; the rule's own threshold judges the newest.
    """
    newest, *earlier = windows
    return f"({newest} and " + " and ".join(f"{window} {breach}" for window in earlier) + f") or {newest} * 0"


def in_business_hours(hours: BusinessHours, past: timedelta) -> str:
    """PromQL: one element when people were at work so long ago, none otherwise: what was measured over that time lies
    within business hours. PromQL's clock is UTC, so the zone's fixed offset is added. The closing minute is outside:
    08:00 to 17:00 is 540 minutes."""
    local = f"time() + {int((zone_offset(hours.timezone) - past).total_seconds())}"
    opens, closes = (at.hour * 3600 + at.minute * 60 for at in (hours.start, hours.end))
    numbers = sorted((WEEKDAYS.index(day) + 1) % 7 for day in hours.days)  # day_of_week(): Sunday is 0
    days = " or ".join(f"day_of_week(vector({local})) == {number}" for number in numbers)
    return f"(vector(({local}) % 86400) >= {opens} < {closes}) and ({days})"


def lines(signal: Signal, labels: Mapping[str, str], fields: Mapping[str, str], window: timedelta) -> str:
    """LogQL: number of lines of a stream, filtered by JSON fields, in a window; nothing when there are none."""
    _declared(signal, fields)
    filters = "".join(f' | {name}="{value}"' for name, value in fields.items())
    parsed = " | json" + filters if filters else ""
    return f"sum(count_over_time({_matchers(signal, labels)}{parsed} [{duration_text(window)}]))"


def share_of_lines(bad: str, total: str, alive: str, least: int) -> str:
    """LogQL: bad lines among all; 0 when none is bad or there are fewer than `least`, as long as `alive` (any lines)
    shows that logs arrive at all: a dead drain gives no data, never a healthy 0."""
    return f"{bad} / ({total} >= {least}) or {alive} * 0"


def while_alive(expression: str, alive: str) -> str:
    """LogQL and PromQL: the expression, or 0 where it finds nothing to judge, as long as there is anything at all:
    lines of any kind, results of a check. A window much longer than the silence would go on to look healthy."""
    return f"({expression}) and {alive} or {alive} * 0"


def one_number(table: Signal, value: str, where: str = "") -> str:
    """SQL: one row with the time and one float, as Grafana's alerting wants it from PostgreSQL. No row, which is no
    data, when row level security holds for the reader: it would see an empty table, and that looks healthy."""
    condition = f" WHERE {where}" if where else ""
    seen = f"HAVING NOT row_security_active('{table.name}')"
    return f"SELECT now() AS time, ({value})::float8 AS value FROM {table.name}{condition} {seen}"


def _matchers(signal: Signal, labels: Mapping[str, str]) -> str:
    _declared(signal, labels)
    pairs = (
        f'{name}=~"{value[1:]}"' if value.startswith("~") else f'{name}="{value}"'
        for name, value in sorted(labels.items())
    )
    return "{" + ",".join(pairs) + "}"


def _declared(signal: Signal, names: Mapping[str, str]) -> None:
    unknown = sorted(set(names) - set(signal.fields))
    if unknown:
        kind = "label" if signal.source is Source.PROMETHEUS else "label or field"
        raise PlatformError(
            f"Signal {signal.name} has no {kind} {', '.join(unknown)}; it has {', '.join(signal.fields)}."
        )
