"""The burn-rate alerts of an error budget: a long window that judges, a short one that says it is still going on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

from runbook.model.budget import Budget, Burn, Severity
from runbook.model.fields import duration_text
from runbook.model.objectives import Alert, Query
from runbook.model.queries import budget_burn


def burn_alerts(
    budget: Budget, name: str, title: str, like: Alert, owners: Mapping[Severity, str]
) -> tuple[Alert, ...]:
    """One alert per burn of the budget, named after its long window. What is not the burn's own is taken from `like`,
    the objective's literal alert; `owners` says who gets pages and who tickets."""
    return tuple(_alert(budget, burn, name, title, like, owners[burn.severity]) for burn in budget.burns)


def _alert(budget: Budget, burn: Burn, name: str, title: str, like: Alert, owner: str) -> Alert:
    factor, window = budget.factor(burn), duration_text(burn.long)
    # Bad events need no count of their own where the rate alone takes as many of the least events.
    implied = factor * budget.allowed * budget.least_events >= budget.least_bad
    expression = budget_burn(
        shares=(budget.share(burn.long), budget.share(burn.short)),
        counts=(budget.total(burn.long), budget.bad(burn.long)),
        allowed=f"{budget.allowed:f}",
        factor=f"{factor:f}",
        least=(budget.least_events, 0 if implied else budget.least_bad),
    )
    return replace(
        like,
        name=f"{name}-burn-{window}",
        title=f"{title}: burn rate above {factor} over {window}",
        summary=f"{burn.share:.0%} of the budget of {duration_text(budget.period)} was spent within {window}, "
        f"and the last {duration_text(burn.short)} were as bad.",
        query=Query(budget.source, budget.fed(expression), burn.long, "none"),
        comparator="gt",
        threshold=factor,
        owner=owner,
        severity=burn.severity,
        no_data="NoData",
        pending=timedelta(),
        burn=burn,
    )
