"""The burn-rate alerts of a budget: two windows, enough events, and a threshold that is the factor."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from runbook.model.budget import Budget
from runbook.model.burn_rates import burn_alerts
from runbook.model.fields import duration_text
from runbook.model.objectives import Alert, promql
from runbook.model.problems import PlatformError
from runbook.model.signals import Source
from tests.model.boards import objectives
from tests.model.rules import alerts, every_stack
from tests.model.test_budget import DAY, HOUR, budget, burn

LITERAL = Alert(
    name="shop-errors",
    title="Shop errors",
    summary="The shop answers with errors.",
    query=promql("errors", HOUR, "percentunit"),
    comparator="lt",
    threshold=Decimal("0.1"),
    owner="shopkeepers",
    severity="page",
    section="#shop",
    mitigation="restart it",
    no_data="Alerting",
    pending=timedelta(minutes=5),
    in_business_hours=True,
)


def made(of: Budget) -> tuple[Alert, ...]:
    return burn_alerts(of, "shop", "Shop", LITERAL, {"page": "on-call", "ticket": "desk"})


def test_an_alert_per_burn_named_after_its_long_window() -> None:
    all_four = made(budget("0.99", 30 * DAY))
    assert [(each.name, each.title, str(each.threshold), each.severity, each.owner) for each in all_four] == [
        ("shop-burn-1h", "Shop: burn rate above 14.4 over 1h", "14.4", "page", "on-call"),
        ("shop-burn-6h", "Shop: burn rate above 6 over 6h", "6", "page", "on-call"),
        ("shop-burn-1d", "Shop: burn rate above 3 over 1d", "3", "ticket", "desk"),
        ("shop-burn-3d", "Shop: burn rate above 1 over 3d", "1", "ticket", "desk"),
    ]


def test_an_alert_says_what_was_spent_and_whether_it_goes_on() -> None:
    first, *_ = made(budget("0.99", 30 * DAY))
    assert first.summary == "2% of the budget of 30d was spent within 1h, and the last 5m were as bad."


def test_the_expression_carries_both_windows_and_the_least_traffic() -> None:
    first, *_ = made(budget("0.99", 30 * DAY))
    rate = "((bad1h or all1h * 0) / all1h) / 0.01"
    assert first.query.expression == (
        f"({rate} and ((bad5m or all5m * 0) / all5m) / 0.01 > 14.4 and all1h >= 100) or {rate} * 0"
    )
    assert (first.query.source, first.query.span, first.query.unit) == (Source.PROMETHEUS, HOUR, "none")


def test_the_least_bad_events_are_asked_for_where_the_rate_does_not_take_as_many() -> None:
    asked = [
        " and bad" in each.query.expression and " >= 5)" in each.query.expression
        for each in made(budget("0.99", 30 * DAY))
    ]
    assert asked == [False, False, True, True]  # of 100 events 14.4, 6, 3 and 1


def test_a_mean_stands_for_the_share() -> None:
    first, *_ = made(budget("0.99", 30 * DAY, mean=lambda window: f"mean{duration_text(window)}"))
    rate = "mean1h / 0.01"
    assert first.query.expression == f"({rate} and mean5m / 0.01 > 14.4 and all1h >= 100) or {rate} * 0"


def test_a_silent_source_is_no_data() -> None:
    first, *_ = made(budget("0.99", 30 * DAY, alive="any"))
    plain, *_ = made(budget("0.99", 30 * DAY))
    assert first.query.expression == f"({plain.query.expression}) and any or any * 0"


def test_what_is_not_the_burns_own_is_the_literal_alerts() -> None:
    for each in made(budget("0.99", 30 * DAY)):
        assert (each.comparator, each.no_data, each.pending) == ("gt", "NoData", timedelta())
        for kept in ("section", "mitigation", "on_error", "in_business_hours"):
            assert getattr(each, kept) == getattr(LITERAL, kept)
    assert LITERAL.burn is None


def test_a_burn_that_cannot_fire_is_refused() -> None:
    with pytest.raises(PlatformError, match=r"factor 14\.4, which a target of 0\.9 can never exceed"):
        made(budget("0.9", 30 * DAY))
    with pytest.raises(PlatformError, match=r"factor 0\.48: it would fire although"):
        made(replace(budget("0.9", DAY), burns=(burn("0.02", HOUR),)))


# What both runbooks' objectives make of it.


@every_stack
def test_each_alert_spends_its_share_of_the_budget(stack: str) -> None:
    for objective in objectives(stack):
        of = objective.budget
        burning = [alert for alert in objective.alerts if alert.burn]
        assert [alert.burn for alert in burning] == list(of.burns if of else ())
        for alert in burning:
            assert of
            assert alert.burn
            period = of.counted or of.period
            windows = Decimal(period // timedelta(minutes=1)) / (alert.burn.long // timedelta(minutes=1))
            assert alert.threshold == alert.burn.share * windows
            assert alert.threshold * of.allowed < 1, "every event bad would fire"


@every_stack
def test_each_alert_carries_its_least_traffic(stack: str) -> None:
    for objective in objectives(stack):
        for alert in objective.alerts:
            if objective.budget and alert.burn:
                of, window = objective.budget, alert.burn.long
                assert f" and {of.total(window)} >= {of.least_events}" in alert.query.expression
                asked = f" and {of.bad(window)} >= {of.least_bad})" in alert.query.expression
                assert asked == (alert.threshold * of.allowed * of.least_events < of.least_bad)


@every_stack
def test_the_watch_of_a_cutover_is_the_pages(stack: str) -> None:
    watched = {alert.name for objective in objectives(stack) for alert in objective.watch}
    assert watched == {name for name, alert in alerts(stack).items() if alert.severity == "page"}
    assert watched
