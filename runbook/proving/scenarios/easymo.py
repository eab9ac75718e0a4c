"""EasyMO's scenarios: its runbook's table at the boundaries, and what must not be mixed up.

What is said of the world here owes nothing to the model: metrics and labels stand as a source would send them. Beside
the platform's own series there are always others, of another platform, of staging, of another app.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from runbook.proving.samples import counter, gauge
from runbook.proving.scenario import Broken, Outcome, Scenario, Series
from runbook.proving.scenarios import easymo_burns, easymo_windows

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
OURS = 'platform="easymo",environment="prod"'
OTHERS = ('platform="easymo",environment="staging"', 'platform="ibimina",environment="prod"')
ROUTER = 'app="admin-router"'
NOT_ROUTER = (f'{OURS},app="client"', *(f"{other},{ROUTER}" for other in OTHERS))


def scenarios() -> tuple[Scenario, ...]:
    """All scenarios of the platform's alerts, in production."""
    return (
        *easymo_windows.scenarios(),
        *_lighthouse_score(),
        *_lighthouse_regression(),
        *_lighthouse_run(),
        *_functions(),
        *_drift(),
        *easymo_burns.scenarios(),
    )


def _daily(samples: dict[str, str]) -> Series:
    """A gauge each hour for thirty hours, looked at in the end."""
    return Series(samples, at=30 * HOUR, step=HOUR)


def _score(*scores: float, until: int = 31) -> dict[str, str]:
    """Scores of as many pages, reported for `until` hours. Others are very bad."""
    name = "lighthouse_performance_score"
    own = {f'{name}{{{OURS},{ROUTER},page="{page}"}}': gauge([(one, until)]) for page, one in enumerate(scores)}
    return own | {f"{name}{{{labels}}}": gauge([(0.1, 31)]) for labels in NOT_ROUTER}


def _previous(*scores: float) -> dict[str, str]:
    """Scores of the deploy before. Those of others were so bad that nothing could be worse."""
    name = "lighthouse_previous_performance_score"
    own = {f'{name}{{{OURS},{ROUTER},page="{page}"}}': gauge([(one, 31)]) for page, one in enumerate(scores)}
    return own | {f"{name}{{{labels}}}": gauge([(0.01, 31)]) for labels in NOT_ROUTER}


def _lighthouse_score() -> list[Scenario]:
    def scored(title: str, expect: Outcome, *scores: float, until: int = 31) -> Scenario:
        return Scenario("lighthouse-score", title, expect, _daily(_score(*scores, until=until)))

    return [
        scored("0.74", "fires", 0.74),
        scored("exactly 0.75", "silent", 0.75),
        scored("0.76", "silent", 0.76),
        scored("0.95 and 0.74: the worst page counts", "fires", 0.95, 0.74),
        scored("no score for ten hours", "no data", 0.9, until=20),
        Scenario("lighthouse-score", "Prometheus does not answer", "error", Broken()),
    ]


def _lighthouse_regression() -> list[Scenario]:
    def deploys(title: str, expect: Outcome, before: Sequence[float], now: Sequence[float]) -> Scenario:
        return Scenario("lighthouse-regression", title, expect, _daily(_previous(*before) | _score(*now)))

    return [
        deploys("0.80 after 0.90: 11 % worse, and good enough for the objective", "fires", [0.90], [0.80]),
        deploys("0.85 after 0.95: 10.5 % worse", "fires", [0.95], [0.85]),
        deploys("0.72 after 0.80: exactly 10 % worse", "silent", [0.80], [0.72]),
        deploys("0.73 after 0.80: 9 % worse", "silent", [0.80], [0.73]),
        deploys("0.90 after 0.80: better", "silent", [0.80], [0.90]),
        deploys("0.80 after 0.90: the worst page counts before", "fires", [0.95, 0.90], [0.95, 0.80]),
        deploys("0.70 stays 0.70 beside a better page", "silent", [0.95, 0.70], [0.90, 0.70]),
        deploys("the first deploy, with none before", "no data", [], [0.90]),
        deploys("no score for this deploy", "no data", [0.90], []),
        Scenario("lighthouse-regression", "Prometheus does not answer", "error", Broken()),
    ]


def _lighthouse_run() -> list[Scenario]:
    name, now = "lighthouse_run_timestamp_seconds", 100 * HOUR

    def ran(title: str, expect: Outcome, *ages: timedelta) -> Scenario:
        times = [(now - age).total_seconds() for age in ages]
        own = {f'{name}{{{OURS},{ROUTER},page="{page}"}}': f"{at:.0f}x100" for page, at in enumerate(times)}
        others = {f"{name}{{{labels}}}": f"{now.total_seconds():.0f}x100" for labels in NOT_ROUTER}
        return Scenario("lighthouse-no-run", title, expect, Series(own | others, at=now, step=HOUR))

    return [
        ran("no run in 26 h 1 min", "fires", 26 * HOUR + MINUTE),
        ran("a run 26 h ago", "silent", 26 * HOUR),
        ran("a run an hour ago, another page's 60 h ago", "silent", HOUR, 60 * HOUR),
        ran("never a run", "fires"),
        Scenario("lighthouse-no-run", "Prometheus does not answer", "error", Broken()),
    ]


def _functions() -> list[Scenario]:
    """The failure rate is that of the last 5 minutes: it has to be above 1 % at each look for 30 minutes."""
    name = "supabase_function_invocations_total"

    def world(bad: Sequence[tuple[int, int]], good: Sequence[tuple[int, int]]) -> dict[str, str]:
        own = {
            'outcome="failure",function="a"': [(count // 2, steps) for count, steps in bad],
            'outcome="failure",function="b"': [(count - count // 2, steps) for count, steps in bad],
            'outcome="success",function="a"': [(count // 2, steps) for count, steps in good],
            'outcome="success",function="b"': [(count - count // 2, steps) for count, steps in good],
        }
        return {f"{name}{{{OURS},{more}}}": counter(pieces) for more, pieces in own.items()} | {
            f'{name}{{{other},outcome="failure"}}': counter([(50_000, 200)]) for other in OTHERS
        }

    def rate(title: str, expect: Outcome, failed: int, minutes: int, at: int) -> Scenario:
        """An hour without failure, then `failed` of 2,000 a minute, then none. Looked at after `at` minutes of it."""
        bad, good = [(0, 60), (failed, minutes), (0, 60)], [(2_000, 60), (2_000 - failed, minutes), (2_000, 60)]
        return Scenario("function-failures", title, expect, Series(world(bad, good), at=HOUR + at * MINUTE))

    def few(title: str, at: int) -> Scenario:
        """Twenty invocations, one every other minute; the fifth fails."""
        bad = [(0, 69), (1, 1), (0, 60)]
        good = [(0, 60), *[(1, 1), (0, 1)] * 4, (0, 2), *[(1, 1), (0, 1)] * 15, (0, 30)]
        return Scenario("function-failures", title, "silent", Series(world(bad, good), at=HOUR + at * MINUTE))

    gone = {
        series: samples.rsplit(" ", 1)[0] for series, samples in world([(0, 60), (0, 1)], [(9, 60), (9, 1)]).items()
    }
    return [
        rate("all fail: above 1 % for 30 min", "fires", 2_000, 60, at=31),
        rate("all fail: above 1 % for 29 min", "silent", 2_000, 60, at=30),
        rate("all fail for 25 min: above 1 % for 29 min, then none", "silent", 2_000, 25, at=31),
        rate("1.05 % for an hour", "fires", 21, 60, at=60),
        rate("exactly 1 % for an hour", "silent", 20, 60, at=60),
        few("one failure among 20, a minute ago", at=11),
        few("one failure among 20, in the end", at=41),
        rate("no failure", "silent", 0, 60, at=60),
        Scenario(
            "function-failures", "metrics gone for 30 min", "no data", Series(gone, at=3 * HOUR), held=30 * MINUTE
        ),
        Scenario(
            "function-failures", "metrics gone for 29 min", "silent", Series(gone, at=3 * HOUR), held=29 * MINUTE
        ),
        Scenario("function-failures", "no answer for 30 min", "error", Broken(), held=30 * MINUTE),
        Scenario("function-failures", "no answer for 29 min", "silent", Broken(), held=29 * MINUTE),
    ]


def _drift() -> list[Scenario]:
    def found(title: str, expect: Outcome, *differences: int, until: int = 31) -> Scenario:
        name = "supabase_drift_changes"
        own = {f'{name}{{{OURS},schema="{number}"}}': gauge([(one, until)]) for number, one in enumerate(differences)}
        others = {f"{name}{{{other}}}": gauge([(7, 31)]) for other in OTHERS}
        return Scenario("supabase-drift", title, expect, _daily(own | others))

    return [
        found("one difference", "fires", 1),
        found("an empty report", "silent", 0),
        found("one of two schemas differs", "fires", 0, 3),
        found("no report for ten hours", "no data", 0, until=20),
        Scenario("supabase-drift", "Prometheus does not answer", "error", Broken()),
    ]
