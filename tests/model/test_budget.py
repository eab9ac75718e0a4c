"""Error budgets: factors follow from target and period, exactly, and what makes no sense is refused."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from runbook.model.budget import STANDARD, Budget, Burn, standard_for
from runbook.model.fields import duration_text
from runbook.model.problems import PlatformError
from runbook.model.signals import Source
from tests.stacks import settings

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def budget(target: str, period: timedelta, **more: Any) -> Budget:
    """A budget whose counts are named after their window."""
    return Budget(
        target=Decimal(target),
        period=period,
        source=Source.PROMETHEUS,
        bad=lambda window: f"bad{duration_text(window)}",
        total=lambda window: f"all{duration_text(window)}",
        least_events=100,
        least_bad=5,
        burns=standard_for(period),
        **more,
    )


def burn(share: str, long: timedelta) -> Burn:
    return Burn(Decimal(share), long, "page")


# Factors.


@pytest.mark.parametrize(
    ("period", "factors"),
    [
        (30 * DAY, {"1h": "14.4", "6h": "6", "1d": "3", "3d": "1"}),  # those of the workbook
        (28 * DAY, {"1h": "13.44", "6h": "5.6", "1d": "2.8"}),
        (7 * DAY, {"1h": "3.36", "6h": "1.4"}),
        (DAY, {}),  # 2 % of a day are half an hour: over an hour the budget lasts the day
    ],
)
def test_standard_factors_follow_from_the_period(period: timedelta, factors: dict[str, str]) -> None:
    made = budget("0.99", period)
    assert {duration_text(each.long): str(made.factor(each)) for each in made.burns} == factors


@pytest.mark.parametrize(
    ("share", "long", "factor"),
    [("0.1", HOUR, "2.4"), ("0.5", 6 * HOUR, "2"), ("0.25", 6 * HOUR, "1"), ("0.1", 2 * HOUR, "1.2")],
)
def test_factors_of_a_day(share: str, long: timedelta, factor: str) -> None:
    assert budget("0.98", DAY).factor(burn(share, long)) == Decimal(factor)


def test_what_counts_of_a_period_decides() -> None:
    hours = settings("prod").business_hours
    assert hours is not None
    assert hours.per_week == timedelta(hours=45)
    week = budget("0.995", 7 * DAY, counted=hours.per_week)
    assert [week.factor(burn("0.1", HOUR)), week.factor(burn("0.25", 6 * HOUR))] == [Decimal("4.5"), Decimal("1.875")]


def test_the_short_window_is_a_twelfth() -> None:
    assert [duration_text(each.short) for each in STANDARD] == ["5m", "30m", "2h", "6h"]


def test_factors_have_four_digits_at_most_and_no_noise() -> None:
    """As a float 100 h / 6 h is 16.66…68, and 0.07 of 100 is 7.000…1."""
    assert str(budget("0.99", timedelta(hours=100)).factor(burn("0.25", 6 * HOUR))) == "4.1667"
    assert str(budget("0.99", timedelta(hours=100)).factor(burn("0.07", HOUR))) == "7"
    assert str(budget("0.99", timedelta(hours=1000)).factor(burn("0.07", HOUR))) == "70"


shares = st.integers(1, 1000).map(lambda thousandths: Decimal(thousandths) / 1000)
minutes = st.integers(1, 90 * 24 * 60).map(lambda count: timedelta(minutes=count))


@hypothesis_settings(max_examples=300, derandomize=True, database=None, deadline=None)
@given(share=shares, long=minutes, period=minutes, target=st.sampled_from(["0.9", "0.95", "0.99", "0.995", "0.9999"]))
def test_a_factor_kept_for_its_window_spends_its_share(
    share: Decimal, long: timedelta, period: timedelta, target: str
) -> None:
    made = budget(target, period)
    windows = Fraction(long // timedelta.resolution, period // timedelta.resolution)
    exact = Fraction(share) / windows
    assume(1 <= exact < Fraction(99, 100) / Fraction(made.allowed))
    factor = made.factor(Burn(share, long, "page"))
    assert abs(Fraction(factor) * windows - Fraction(share)) <= Fraction(1, 20_000) * windows, "half the last digit"
    if (exact * 10_000).denominator == 1:
        assert Fraction(factor) * windows == share
    assert -factor.as_tuple().exponent <= 4  # type: ignore[operator]


# What makes no sense.


@pytest.mark.parametrize(
    ("target", "period", "each", "said"),
    [
        (
            "0.9",
            30 * DAY,
            burn("0.02", HOUR),
            "A burn-rate alert over 1h of 30d has the factor 14.4, which a target of 0.9 can never exceed: with each "
            "event bad the burn rate is 10. Take a smaller share or a longer window.",
        ),
        (
            "0.5",
            8 * HOUR,  # exactly the highest rate, which is not above it
            burn("0.25", HOUR),
            "A burn-rate alert over 1h of 8h has the factor 2, which a target of 0.5 can never exceed: with each "
            "event bad the burn rate is 2. Take a smaller share or a longer window.",
        ),
        (
            "0.97",
            30 * DAY,
            burn("0.05", HOUR),
            "A burn-rate alert over 1h of 30d has the factor 36, which a target of 0.97 can never exceed: with each "
            "event bad the burn rate is 33.33. Take a smaller share or a longer window.",
        ),
        (
            "0.995",
            7 * DAY,
            burn("0.10", 3 * DAY),
            "A burn-rate alert over 3d of 7d has the factor 0.2333: it would fire although the budget lasts the "
            "period. Take a larger share or a shorter window.",
        ),
        (
            "0.98",
            DAY,
            burn("0.02", HOUR),
            "A burn-rate alert over 1h of 1d has the factor 0.48: it would fire although the budget lasts the "
            "period. Take a larger share or a shorter window.",
        ),
    ],
)
def test_a_burn_that_makes_no_sense_is_refused(target: str, period: timedelta, each: Burn, said: str) -> None:
    with pytest.raises(PlatformError) as refused:
        budget(target, period).factor(each)
    assert str(refused.value) == said


def test_a_factor_of_exactly_one_is_allowed_and_just_below_is_not() -> None:
    assert budget("0.99", 10 * HOUR).factor(burn("0.1", HOUR)) == 1
    with pytest.raises(PlatformError, match="would fire although the budget lasts"):
        budget("0.99", 10 * HOUR - timedelta(seconds=1)).factor(burn("0.1", HOUR))  # 0.99997: rounded it would be 1


@pytest.mark.parametrize("hours", range(1, 100))
def test_a_factor_of_one_is_one_whatever_the_window(hours: int) -> None:
    """As a float 100 h / 9 h times 9 % is below 1."""
    share = Decimal(hours) / 100
    assert budget("0.995", 100 * HOUR).factor(Burn(share, hours * HOUR, "page")) == 1


@pytest.mark.parametrize("days", [1, 7, 28, 30, 90])
def test_the_standard_burns_of_a_period_are_those_that_are_not_refused(days: int) -> None:
    made = budget("0.999", days * DAY)
    assert made.burns == standard_for(days * DAY)
    for each in STANDARD:
        if each in made.burns:
            assert made.factor(each) >= 1
        else:
            with pytest.raises(PlatformError, match="would fire although"):
                made.factor(each)


# Expressions.


def test_expressions_of_a_budget() -> None:
    made = budget("0.995", 30 * DAY)
    assert made.ratio(HOUR) == "((bad1h or all1h * 0) / all1h)"
    assert made.rate(6 * HOUR) == "((bad6h or all6h * 0) / all6h) / 0.005"
    assert made.left() == "1 - (((bad30d or all30d * 0) / all30d) / 0.005)"
    assert made.failures(HOUR) == "bad1h or all1h * 0"


def test_expressions_say_nothing_once_the_source_is_silent() -> None:
    made = budget("0.98", DAY, alive="any")
    assert made.rate(HOUR) == "(((bad1h or all1h * 0) / all1h) / 0.02) and any or any * 0"
    assert made.left() == "1 - ((((bad1d or all1d * 0) / all1d) / 0.02) and any or any * 0)"
    assert made.ratio(DAY) == "(((bad1d or all1d * 0) / all1d)) and any or any * 0"


def test_what_a_tight_target_allows_is_written_without_an_exponent() -> None:
    assert budget("0.99999999", DAY).rate(HOUR).endswith(" / 0.00000001")
