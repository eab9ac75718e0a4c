"""EasyMO's burn-rate alerts: Voice API, Supabase Functions and Kafka broker. Factors and windows are written out, as
derived from 30 days (and 7 for the broker) by hand: budget share x period / window."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from decimal import Decimal

from runbook.proving.samples import counter
from runbook.proving.scenario import Scenario, Series
from runbook.proving.scenarios.burns import EVENTS, Burn, Piece, burn_scenarios

HOUR = timedelta(hours=1)
OURS = 'platform="easymo",environment="prod"'
OTHERS = ('platform="easymo",environment="staging"', 'platform="ibimina",environment="prod"')
MONTH = (("1h", HOUR, "14.4"), ("6h", 6 * HOUR, "6"), ("1d", 24 * HOUR, "3"), ("3d", 72 * HOUR, "1"))
WEEK = (("1h", HOUR, "3.36"), ("6h", 6 * HOUR, "1.4"))


def scenarios() -> tuple[Scenario, ...]:
    """All scenarios of these alerts."""
    burns = [
        *(
            Burn(f"voice-burn-{name}", Decimal("0.005"), Decimal(factor), long, _voice)
            for name, long, factor in MONTH
        ),
        *(
            Burn(f"functions-burn-{name}", Decimal("0.01"), Decimal(factor), long, _functions)
            for name, long, factor in MONTH
        ),
        *(
            Burn(f"broker-burn-{name}", Decimal("0.05"), Decimal(factor), long, _broker)
            for name, long, factor in WEEK
        ),
    ]
    return (*(scenario for burn in burns for scenario in burn_scenarios(burn)), *_no_bucket())


def _no_bucket() -> list[Scenario]:
    """The bucket that the budget counts with is gone, say because its limits were changed."""
    pieces = [(EVENTS, EVENTS, 200)]
    left = {
        series: samples
        for series, samples in _broker(pieces).items()
        if "consumer" not in series or 'le="5' not in series
    }
    return [
        Scenario(f"broker-burn-{name}", "no bucket of 5 s", "no data", Series(left, at=2 * long, step=long / 100))
        for name, long, _ in WEEK
    ]


def _voice(pieces: Sequence[Piece]) -> Mapping[str, str]:
    app, bad = 'app="voice-api"', 'status="500"'
    strangers = [f'{OURS},app="admin-router",{bad}', *(f"{other},{app},{bad}" for other in OTHERS)]
    return _counted(
        pieces,
        "http_requests_total",
        f"{OURS},{app}",
        ('status="503"', bad),
        ('status="200"', 'status="404"'),
        strangers,
    )


def _functions(pieces: Sequence[Piece]) -> Mapping[str, str]:
    bad, good = 'outcome="failure",function="{}"', 'outcome="success",function="{}"'
    strangers = [f'{other},outcome="failure"' for other in OTHERS]
    return _counted(
        pieces,
        "supabase_function_invocations_total",
        OURS,
        (bad.format("a"), bad.format("b")),
        (good.format("a"), good.format("b")),
        strangers,
    )


def _counted(
    pieces: Sequence[Piece],
    name: str,
    own: str,
    bad: tuple[str, str],
    good: tuple[str, str],
    strangers: Iterable[str],
) -> dict[str, str]:
    """Bad and good events in two series each; strangers see nothing but bad ones."""
    rates = {
        bad[0]: [(one // 2, steps) for one, _, steps in pieces],
        bad[1]: [(one - one // 2, steps) for one, _, steps in pieces],
        good[0]: [((every - one) // 2, steps) for one, every, steps in pieces],
        good[1]: [((every - one) - (every - one) // 2, steps) for one, every, steps in pieces],
    }
    return {f"{name}{{{own},{more}}}": counter(pieces) for more, pieces in rates.items()} | {
        f"{name}{{{labels}}}": counter([(5 * EVENTS, sum(steps for _, _, steps in pieces))]) for labels in strangers
    }


def _broker(pieces: Sequence[Piece]) -> Mapping[str, str]:
    """Late messages are those beyond the bucket of 5 s; there are two consumers, and exporters write 5 or 5.0.
    Strangers are never late."""
    name, series = "broker_message_latency_seconds_bucket", {}
    for consumer, five in (("a", "5"), ("b", "5.0")):
        half = [
            ((one + (consumer == "b")) // 2, (every + (consumer == "b")) // 2, steps) for one, every, steps in pieces
        ]
        own = f'{name}{{{OURS},consumer="{consumer}"'
        series[f'{own},le="2.5"}}'] = counter((0, steps) for _, _, steps in half)
        series[f'{own},le="{five}"}}'] = counter((every - one, steps) for one, every, steps in half)
        series[f'{own},le="+Inf"}}'] = counter((every, steps) for _, every, steps in half)
    for other in OTHERS:
        for le in ("5", "+Inf"):
            series[f'{name}{{{other},le="{le}"}}'] = counter([(5 * EVENTS, sum(steps for _, _, steps in pieces))])
    return series
