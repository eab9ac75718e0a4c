"""Mutants that no scenario can tell from their rule, each with the reason. All others must be killed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from runbook.proving.mutation import Mutant

_ALIVE = "Of the lines of any kind only it counts that there are some: their number is multiplied by 0 or dropped."
_SEEN = "The query is 0 rows or, without the condition, an empty table's silence: the alert fires on either."
_ANY = "The alert fires above 0, and the largest stream or its bytes are above 0 exactly when the sum of lines is."

_QUOTIENT = "A burn rate is a quotient of floats: whether it meets its factor exactly is a matter of rounding."
_EXTRAPOLATED = "increase() extrapolates to the whole window: in Prometheus 3 a few events are never a whole number."
_MEAN = "A week's uptime is a mean of floats: whether it meets 0.995 exactly is a matter of rounding."
_FIVES = "Minutes of business hours are counted in fives: 9 are reached when 10 are."
_ONE_PIECE = "The short window is one piece of five minutes: its mean, least and greatest are the same."

# Factors of the burn-rate alerts on Prometheus, by platform and alert.
_BURNS = {
    "easymo": {
        **{
            f"{name}-burn-{window}": factor
            for name in ("voice", "functions")
            for window, factor in (("1h", "14.4"), ("6h", "6"), ("1d", "3"), ("3d", "1"))
        },
        "broker-burn-1h": "3.36",
        "broker-burn-6h": "1.4",
    },
    "ibimina": {"staff-console-burn-1h": "4.5", "staff-console-burn-6h": "1.875"},
}
_FEW_BAD = ("voice-burn-6h", "voice-burn-1d", "voice-burn-3d", "functions-burn-1d", "functions-burn-3d")


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
    *(
        Equivalent(platform, rule, "comparator", part, _QUOTIENT)
        for platform, burns in _BURNS.items()
        for rule, factor in burns.items()
        for part in ("comparator gt becomes gte", f"> {factor} becomes >= {factor}")
    ),
    *(Equivalent("easymo", rule, "comparator", ">= 5 becomes > 5", _EXTRAPOLATED) for rule in _FEW_BAD),
    Equivalent("ibimina", "staff-console-uptime", "comparator", "comparator lt becomes lte", _MEAN),
    *(Equivalent("ibimina", rule, "threshold", ">= 10 becomes >= 9", _FIVES) for rule in _BURNS["ibimina"]),
    Equivalent("ibimina", "staff-console-burn-1h", "aggregation", "[5m:5m]) takes m", _ONE_PIECE),
    Equivalent("easymo", "*", "hours", "", "EasyMO has no business hours, so there is no timing to mute with."),
)


def stale(mutants: Iterable[Mutant]) -> list[str]:
    """Equivalents that cover no mutant: what they were for has changed."""
    made = list(mutants)
    return [
        f"{each.platform} {each.rule} {each.operator} {each.part}"
        for each in EQUIVALENTS
        if not any(each.covers(mutant) for mutant in made)
    ]


def reason(mutant: Mutant) -> str | None:
    """Why no scenario can kill the mutant; None when one must."""
    return next((each.reason for each in EQUIVALENTS if each.covers(mutant)), None)
