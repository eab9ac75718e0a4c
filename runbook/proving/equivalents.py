"""Mutants that no scenario can tell from their rule, each with the reason. All others must be killed."""

from __future__ import annotations

from dataclasses import dataclass

from runbook.proving.mutation import Mutant

_ALIVE = "Of the lines of any kind only it counts that there are some: their number is multiplied by 0 or dropped."
_SEEN = "The query is 0 rows or, without the condition, an empty table's silence: the alert fires on either."
_ANY = "The alert fires above 0, and the largest stream or its bytes are above 0 exactly when the sum of lines is."


@dataclass(frozen=True)
class Equivalent:
    """Mutants of a platform's rule by an operator whose change has this text in it; the rule `*` is any of them."""

    platform: str
    rule: str
    operator: str
    part: str
    reason: str

    def covers(self, mutant: Mutant) -> bool:
        return (
            mutant.rule.labels["platform"] == self.platform
            and self.rule in ("*", mutant.rule.name)
            and self.operator == mutant.operator
            and self.part in mutant.change
        )


EQUIVALENTS = (
    *(
        Equivalent(
            "ibimina",
            rule,
            "aggregation",
            f'count_over_time({{environment="prod",platform="ibimina"}} [{window}])',
            _ALIVE,
        )
        for rule, window in (
            ("auth-failed-logins", "15m"),
            ("error-budget", "15m"),
            ("error-budget-burn-1h", "15m"),
            ("log-drain-failure", "5m"),
        )
    ),
    Equivalent("ibimina", "log-drain-failure", "aggregation", 'event="log_drain_failure"', _ANY),
    Equivalent(
        "ibimina",
        "error-budget-burn-1h",
        "threshold",
        ">= 5 becomes >= 4",
        "Of at least 100 requests 4 are at most 4 %, a burn rate of 2, and the alert fires above 2.4.",
    ),
    Equivalent("ibimina", "log-drain-silent", "label", "row_security_active('log_drain_pings') becomes true", _SEEN),
    Equivalent(
        "ibimina", "scheduled-functions", "label", "row_security_active('cron.job_run_details') becomes true", _SEEN
    ),
    Equivalent("easymo", "*", "hours", "", "EasyMO has no business hours, so there is no timing to mute with."),
)


def reason(mutant: Mutant) -> str | None:
    """Why no scenario can kill the mutant; None when one must."""
    return next((each.reason for each in EQUIVALENTS if each.covers(mutant)), None)
