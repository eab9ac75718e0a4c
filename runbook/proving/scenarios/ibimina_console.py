"""The staff console's uptime in business hours: Monday to Friday, 08:00 to 17:00 in Kigali, which is UTC+2.

A business week has 2,700 minutes; 0.5 % of them are 13.5. The clock starts on Thursday, January 1st 1970. A sample at
10:01 tells of the minute before; those on a border of pieces of time are left out where it would matter, because
Prometheus 2 counts them on both sides and Prometheus 3 on one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone

from runbook.proving.samples import gauge
from runbook.proving.scenario import Broken, Outcome, Scenario, Series

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
KIGALI = timezone(2 * HOUR)
START = datetime(1970, 1, 1, tzinfo=UTC)
PROBES = 3
OURS, STRANGER = "ibimina-prod-staff", "ibimina-staging-staff"  # the stranger is always down
THURSDAY, FRIDAY, MONDAY, TUESDAY, WEDNESDAY = 8, 9, 12, 13, 14  # of January 1970
ALL = 200  # the burn rate of an outage: 100 % of failures are 200 times 0.5 %

UPTIME = "staff-console-uptime"


@dataclass(frozen=True)
class Down:
    """An outage from a time in Kigali on, as seen by so many of three probes."""

    day: int
    at: str
    minutes: int
    probes: int = PROBES


def scenarios() -> tuple[Scenario, ...]:
    """All scenarios of the staff console's alerts."""
    return (
        *_uptime(),
        *_burning("staff-console-burn-1h", "11:03", 60, factor=4.5, over=4.55, few=1),
        *_burning("staff-console-burn-6h", "15:03", 360, factor=1.875, over=1.88, few=3),
        *_short_of_six(),
    )


def _uptime() -> list[Scenario]:
    def week(title: str, expect: Outcome, *downs: Down) -> Scenario:
        """A week that ends in the night to Thursday the 15th; the one before was quiet unless said otherwise."""
        return Scenario(UPTIME, title, expect, _checked(downs, _moment(15, "00:00")))

    enough = {day: Down(day, "10:01", 14) for day in (THURSDAY, FRIDAY, MONDAY, TUESDAY, WEDNESDAY)}
    almost = Down(MONDAY, "10:01", 13)
    return [
        *(week(f"down for 14 min in hours, on January {day}", "fires", down) for day, down in enough.items()),
        week("down for 13 min in hours", "silent", almost),
        week("down for 13 min in hours on another day", "silent", Down(TUESDAY, "10:01", 13)),
        week("down in nights and on the weekend", "silent", *_closed()),
        week("13 min, and the minute before opening", "silent", almost, Down(TUESDAY, "07:59", 1)),
        week("13 min, and the first minute", "fires", almost, Down(TUESDAY, "08:01", 1)),
        week("13 min, and the last minute", "fires", almost, Down(TUESDAY, "16:59", 1)),
        week("13 min, and the minute after closing", "silent", almost, Down(TUESDAY, "17:01", 1)),
        week("one of three probes fails for 40 min", "silent", Down(MONDAY, "10:01", 40, probes=1)),
        week("two of three probes fail for 21 min", "fires", Down(MONDAY, "10:01", 21, probes=2)),
        week("13 min in each of two weeks", "silent", Down(7, "10:01", 13), almost),
        Scenario(UPTIME, "the check stopped an hour ago", "fires", _stopped(15, "00:00")),
        Scenario(UPTIME, "Prometheus does not answer", "error", Broken()),
    ]


def _closed() -> list[Down]:
    """From after closing to before opening, and from Friday's closing to Monday's opening."""
    nights = [Down(day, "17:01", 14 * 60 + 59) for day in (THURSDAY, MONDAY, TUESDAY)]
    return [*nights, Down(FRIDAY, "17:01", 2 * 24 * 60 + 14 * 60 + 59)]


def _burning(rule: str, at: str, window: int, factor: float, over: float, few: int) -> list[Scenario]:
    """Burn rates over a window of so many minutes, and over the twelfth of it that ends with the last whole five
    minutes. `few`: minutes that are too little, unless the five they lie in, or the probe that saw them, were all."""
    short, under, now = window // 12, 2 * factor - over, (TUESDAY, at)

    def rates(title: str, expect: Outcome, *pieces: tuple[float, int], day: int = TUESDAY, end: str = at) -> Scenario:
        """Burn rates and for how many minutes, up to now; before that none."""
        return Scenario(rule, title, expect, _burnt(pieces, _moment(day, end)))

    def both(title: str, expect: Outcome, long: float, lately: float) -> Scenario:
        before = (long * window - lately * short) / (window - short)
        return rates(title, expect, (before, window - short), (lately, short + 3))

    def seen(title: str, expect: Outcome, *downs: Down, day: int = TUESDAY, end: str = at) -> Scenario:
        return Scenario(rule, title, expect, _checked(downs, _moment(day, end)))

    hour = int(at[:2])
    apart = [f"{hour - 1}:{minute}" for minute in range(51, 60, 5)]
    return [
        both("just above the factor in both windows", "fires", over, over),
        both("just below the factor in the long window", "silent", under, 2 * factor),
        both("just below the factor in the short window", "silent", 2 * factor, under),
        both("over: the short window has recovered", "silent", 2 * factor, 0),
        both("just begun: the long window is calm", "silent", factor / 2, 6 * factor),
        rates("down until the window began", "silent", (ALL, window), (0, window + 3)),
        rates("two of each five minutes down, the first ones", "fires", *[(ALL, 2), (0, 3)] * (window // 5), (0, 3)),
        seen("few minutes, each in other five", "silent", *(Down(TUESDAY, each, 1) for each in apart[-few:])),
        seen(
            "few minutes, as one of three probes sees it",
            "silent",
            Down(TUESDAY, f"{hour - 1}:{59 - 3 * few}", 3 * few, probes=1),
        ),
        seen("one of three probes fails", "fires", Down(TUESDAY, "08:01", 540, probes=1)),
        seen("no failure", "silent"),
        *(seen(f"down on January {day}", "fires", Down(day, "08:01", 540), day=day) for day in (5, 6, 7, 8, 9)),
        *(seen(f"down on January {day}, a weekend", "silent", Down(day, "08:01", 540), day=day) for day in (10, 11)),
        rates("down for the first five minutes of hours", "silent", (ALL, 5 + 3), end="08:08"),
        rates("down for the first ten minutes of hours", "fires", (ALL, 10 + 3), end="08:13"),
        rates("nine tenths of a minute in the first ten", "silent", (36, 5), (0, 3), end="08:13"),
        rates("a minute and a half in the first ten", "fires", (60, 5), (0, 3), end="08:13"),
        seen("down before opening", "silent", Down(TUESDAY, "04:01", 239), end="08:13"),
        seen("down in the last ten minutes of hours", "fires", Down(TUESDAY, "16:51", 10), end="17:03"),
        seen("down after closing", "silent", Down(TUESDAY, "17:01", 30), end="17:08"),
        seen("down in the night", "silent", Down(TUESDAY, "17:01", 400), end="23:03"),
        Scenario(rule, "the check stopped seven hours ago", "no data", _stopped(*now, hours=7)),
        Scenario(rule, "the check stopped in the night", "no data", _stopped(TUESDAY, "23:03", hours=2)),
        Scenario(rule, "Prometheus does not answer", "error", Broken()),
    ]


def _short_of_six() -> list[Scenario]:
    """Worlds that differ within the short window of 30 min, which is six pieces."""

    def world(title: str, expect: Outcome, *pieces: tuple[float, int]) -> Scenario:
        return Scenario("staff-console-burn-6h", title, expect, _burnt(pieces, _moment(TUESDAY, "15:03")))

    return [
        world("up for 15 min again, after a bad quarter of an hour", "fires", (10, 345), (0, 15 + 3)),
        world("a bad five minutes in a good half-hour", "silent", (4, 330), (0, 25), (10, 5 + 3)),
    ]


def _checked(downs: Iterable[Down], end: timedelta, until: timedelta | None = None) -> Series:
    """Three probes each minute, up to `end` or only `until` then."""
    series, last = {}, (until or end) // MINUTE + 1
    for probe in range(PROBES):
        pieces: list[tuple[float | None, int]] = []
        reached = 0
        for down in sorted((down for down in downs if probe < down.probes), key=lambda down: (down.day, down.at)):
            begin = _moment(down.day, down.at) // MINUTE
            minutes = min(down.minutes, last - begin)
            pieces += [(1, begin - reached), (0, minutes)]
            reached = begin + minutes
        series[_probe(OURS, probe)] = gauge([*pieces, (1, last - reached)])
    series[_probe(STRANGER, 0)] = gauge([(0, end // MINUTE + 1)])
    return Series(series, at=end)


def _stopped(day: int, at: str, hours: int = 1) -> Series:
    end = _moment(day, at)
    return _checked([], end, until=end - hours * HOUR)


def _burnt(pieces: Sequence[tuple[float, int]], end: timedelta) -> Series:
    """The mean of very many probes, whose rate of failures is the budget's 0.5 % times the burn rate; 200 is all."""
    values: list[float] = [1 - rate * 0.005 for rate, minutes in pieces for _ in range(minutes)]
    first = end // MINUTE + 1 - len(values)
    calm = [1.0] * 60 * 8
    samples = [
        (None if (first - 480 + number) % 5 == 0 else value, 1) for number, value in enumerate([*calm, *values])
    ]
    return Series({_probe(OURS, 0): gauge([(None, first - 480), *samples])}, at=end)


def _probe(job: str, number: int) -> str:
    return f'probe_success{{job="{job}",probe="{number}",instance="https://staff.ibimina.rw/api/healthz"}}'


def _moment(day: int, at: str) -> timedelta:
    """From the start of the clock to a time in Kigali."""
    return datetime.fromisoformat(f"1970-01-{day:02}T{at}:00").replace(tzinfo=KIGALI) - START
