"""EasyMO's alerts on consecutive windows: errors and median of the Voice API, p95 of the Kafka broker.

A world is six hours, oldest first, each with a rate per minute in its first and in its second half. A mean over the
hours, a window of another length or another offset would judge these worlds otherwise.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta

from runbook.proving.samples import counter
from runbook.proving.scenario import Broken, Outcome, Scenario, Series

OURS = 'platform="easymo",environment="prod"'
OTHERS = ('platform="easymo",environment="staging"', 'platform="ibimina",environment="prod"')
HOURS = 6
PER_MINUTE = 20_000

# Failures per minute of 20,000 requests: 0.505 %, exactly 0.5 %, hardly any, 45 %, and 0.55 % by the first half.
Hour = tuple[int, int]
BAD, EXACT, GOOD, AWFUL, BURST = (101, 101), (100, 100), (40, 40), (9_000, 9_000), (220, 0)
IDLE = (0, 0)
CALM = [GOOD] * 3

# Fast ones of 6,000 events a minute at one instance and 4,000 at another, in each half of an hour.
Fast = tuple[Hour, Hour]


def _steady(one: int, other: int) -> Fast:
    return ((one, other), (one, other))


# Fast is 0.5 s. Median 500.3 ms, exactly 500, well below, well above, and 500.3 by the first half alone.
SLOW, HALF, QUICK, STUCK = _steady(1_997, 3_000), _steady(3_000, 2_000), _steady(5_400, 3_600), _steady(0, 0)
SLOW_START: Fast = ((0, 0), (5_900, 3_900))
# Fast is 5 s. p95 5.03 s, exactly 5, 4.97, well above, and 5.03 by the first half alone.
LATE, LIMIT, PROMPT, JAMMED = _steady(5_750, 3_747), _steady(5_700, 3_800), _steady(5_800, 3_800), _steady(0, 0)
LATE_START: Fast = ((5_000, 3_900), (5_997, 4_000))


def scenarios() -> tuple[Scenario, ...]:
    """All scenarios of these three alerts."""
    return (*_errors(), *_median(), *_alternating(), *_broker())


def _errors() -> list[Scenario]:
    def hours(title: str, expect: Outcome, *failed: Hour, traffic: Sequence[int] = (1,) * HOURS) -> Scenario:
        return Scenario("voice-error-rate", title, expect, _at(_requests(failed, traffic)))

    return [
        hours("three hours at 0.505 %", "fires", *CALM, BAD, BAD, BAD),
        hours("the last of three bad hours at exactly 0.5 %", "silent", *CALM, BAD, BAD, EXACT),
        hours("the second of three bad hours at exactly 0.5 %", "silent", *CALM, BAD, EXACT, BAD),
        hours("the first of three bad hours at exactly 0.5 %", "silent", *CALM, EXACT, BAD, BAD),
        hours("two very bad hours, then a good one", "silent", *CALM, AWFUL, AWFUL, GOOD),
        hours("bad, good, bad, all bad ones very bad", "silent", *CALM, AWFUL, GOOD, (9_000, 0)),
        hours(
            "two bad hours after a good one, and before it very bad ones", "silent", *[AWFUL] * 3, GOOD, AWFUL, BAD
        ),
        hours("failures in the first half of each hour alone", "fires", *CALM, BURST, BURST, BURST),
        hours(
            "less traffic in the second bad hour",
            "fires",
            *CALM,
            (202, 202),
            BAD,
            (202, 202),
            traffic=(1, 1, 1, 2, 1, 2),
        ),
        hours(
            "less traffic in the first and last bad hour",
            "fires",
            *CALM,
            BAD,
            (202, 202),
            BAD,
            traffic=(2, 2, 2, 1, 2, 1),
        ),
        hours("no request for hours while the counters stand still", "silent", *[IDLE] * HOURS, traffic=(0,) * HOURS),
        Scenario("voice-error-rate", "no failure ever, so no series of failures", "silent", _at(_unfailing())),
        Scenario("voice-error-rate", "metrics gone for two hours", "fires", _at(_requests([BAD] * 4, (1,) * 4))),
        Scenario("voice-error-rate", "Prometheus does not answer", "error", Broken()),
    ]


def _median() -> list[Scenario]:
    def hours(title: str, expect: Outcome, *fast: Fast, events: Sequence[int] = (1,) * HOURS) -> Scenario:
        return Scenario("voice-median-latency", title, expect, _at(_latencies(fast, events)))

    calm = [QUICK] * 3
    return [
        hours("three hours at 500.3 ms", "fires", *calm, SLOW, SLOW, SLOW),
        hours("the last of three slow hours at exactly 500 ms", "silent", *calm, SLOW, SLOW, HALF),
        hours("the second of three slow hours at exactly 500 ms", "silent", *calm, SLOW, HALF, SLOW),
        hours("the first of three slow hours at exactly 500 ms", "silent", *calm, HALF, SLOW, SLOW),
        hours("two very slow hours, then a quick one", "silent", *calm, STUCK, STUCK, QUICK),
        hours("slow, quick, slow, all slow ones very slow", "silent", *calm, STUCK, QUICK, STUCK),
        hours(
            "two slow hours after a quick one, and before it very slow ones",
            "silent",
            *[STUCK] * 3,
            QUICK,
            STUCK,
            SLOW,
        ),
        hours("slow in the first half of each hour alone", "fires", *calm, SLOW_START, SLOW_START, SLOW_START),
        hours("no request for hours while the counters stand still", "silent", *[STUCK] * HOURS, events=(0,) * HOURS),
        Scenario(
            "voice-median-latency", "metrics gone for two hours", "fires", _at(_latencies([SLOW] * 4, (1,) * 4))
        ),
        Scenario("voice-median-latency", "Prometheus does not answer", "error", Broken()),
    ]


def _alternating() -> list[Scenario]:
    """Errors in the first and last of three hours, a slow median in the second: three bad hours of neither."""
    world = _at(
        _requests([*CALM, AWFUL, GOOD, AWFUL], (1,) * HOURS)
        | _latencies([QUICK] * 3 + [QUICK, STUCK, QUICK], (1,) * HOURS)
    )
    title = "bad hours that alternate between errors and median"
    return [Scenario(rule, title, "silent", world) for rule in ("voice-error-rate", "voice-median-latency")]


def _broker() -> list[Scenario]:
    def hours(title: str, expect: Outcome, *fast: Fast, events: Sequence[int] = (1,) * HOURS) -> Scenario:
        return Scenario("broker-latency", title, expect, _at(_messages(fast, events)))

    calm = [PROMPT] * 4
    return [
        hours("two hours at 5.03 s", "fires", *calm, LATE, LATE),
        hours("the last of two late hours at exactly 5 s", "silent", *calm, LATE, LIMIT),
        hours("the first of two late hours at exactly 5 s", "silent", *calm, LIMIT, LATE),
        hours("a very late hour, then one at 4.97 s", "silent", *calm, JAMMED, PROMPT),
        hours("late, prompt, late, all late ones very late", "silent", *[PROMPT] * 3, JAMMED, PROMPT, JAMMED),
        hours("late in the first half of each hour alone", "fires", *calm, LATE_START, LATE_START),
        hours("no message for hours while the counters stand still", "silent", *[LATE] * HOURS, events=(0,) * HOURS),
        Scenario("broker-latency", "metrics gone for two hours", "no data", _at(_messages([LATE] * 4, (1,) * 4))),
        Scenario("broker-latency", "Prometheus does not answer", "error", Broken()),
    ]


def _at(samples: Mapping[str, str]) -> Series:
    return Series(samples, at=timedelta(hours=HOURS))


def _halves(hours: Iterable[Hour]) -> str:
    return counter((rate, 30) for hour in hours for rate in hour)


def _requests(failed: Sequence[Hour], traffic: Sequence[int]) -> dict[str, str]:
    """Requests by status at two instances: failures are of two kinds, answers to wrong requests are none."""
    every = [PER_MINUTE * times for times in traffic]
    rates = {
        'status="200",instance="a"': [
            (all_ // 2 - one, all_ // 2 - two) for all_, (one, two) in zip(every, failed, strict=True)
        ],
        'status="404",instance="b"': [(all_ // 2, all_ // 2) for all_ in every],
        'status="500",instance="a"': [(one // 2, two // 2) for one, two in failed],
        'status="503",instance="b"': [(one - one // 2, two - two // 2) for one, two in failed],
    }
    name, app = "http_requests_total", 'app="voice-api"'
    strangers = [f'{OURS},app="admin-router"', *(f"{other},{app}" for other in OTHERS)]
    return {f"{name}{{{OURS},{app},{more}}}": _halves(hours) for more, hours in rates.items()} | {
        f'{name}{{{labels},status="500"}}': counter([(5 * PER_MINUTE, 60 * HOURS)]) for labels in strangers
    }


def _unfailing() -> dict[str, str]:
    return {
        name: samples
        for name, samples in _requests([IDLE] * HOURS, (1,) * HOURS).items()
        if '"voice-api",status="5' not in name
    }


def _latencies(fast: Sequence[Fast], events: Sequence[int]) -> dict[str, str]:
    strangers = [f'{OURS},app="admin-router"', *(f'{other},app="voice-api"' for other in OTHERS)]
    own = f'{OURS},app="voice-api"'
    return _histogram("http_request_duration_seconds_bucket", own, strangers, ("0.25", "0.5", "1"), fast, events)


def _messages(fast: Sequence[Fast], events: Sequence[int]) -> dict[str, str]:
    return _histogram("broker_message_latency_seconds_bucket", OURS, OTHERS, ("2.5", "5", "10"), fast, events)


def _histogram(
    name: str, own: str, strangers: Iterable[str], les: Sequence[str], fast: Sequence[Fast], events: Sequence[int]
) -> dict[str, str]:
    """A histogram at two instances: nothing below the first bucket, the fast ones in the second, all in the third.
    Strangers are slow without exception."""
    series = {}
    for number, (instance, every) in enumerate((("a", 6_000), ("b", 4_000))):
        everything = [(every * times, every * times) for times in events]
        quick = [
            (first[number] * times, second[number] * times)
            for (first, second), times in zip(fast, events, strict=True)
        ]
        for le, hours in zip((*les, "+Inf"), ([IDLE] * len(quick), quick, everything, everything), strict=True):
            series[f'{name}{{{own},instance="{instance}",le="{le}"}}'] = _halves(hours)
    for stranger in strangers:
        for le, rate in zip((*les, "+Inf"), (0, 0, 90_000, 90_000), strict=True):
            series[f'{name}{{{stranger},le="{le}"}}'] = counter([(rate, 60 * HOURS)])
    return series
