"""Error budgets and the burn rates that alerts watch, derived from each objective's own target and period.

The burn rate is how many times faster than allowed the budget is being spent. An alert over a long window that may
spend a given share of the period's budget has the factor share x period / long window; the short window, a twelfth of
it, ends the alert soon after the trouble has ended (Google, The Site Reliability Workbook, chapter 5).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Literal

from runbook.model.fields import duration_text
from runbook.model.problems import PlatformError
from runbook.model.queries import share, while_alive
from runbook.model.signals import Source

Severity = Literal["page", "ticket"]
HOUR = timedelta(hours=1)
RESOLUTION = timedelta.resolution  # of Python's times; each is a whole number of them


@dataclass(frozen=True)
class Burn:
    """One alert: spends `share` of the budget within `long`."""

    share: Decimal
    long: timedelta
    severity: Severity

    @property
    def short(self) -> timedelta:
        return self.long / 12


# The workbook's: over 30 days these are the factors 14.4, 6, 3 and 1.
STANDARD = (
    Burn(Decimal("0.02"), HOUR, "page"),
    Burn(Decimal("0.05"), 6 * HOUR, "page"),
    Burn(Decimal("0.10"), 24 * HOUR, "ticket"),
    Burn(Decimal("0.10"), 72 * HOUR, "ticket"),
)


@dataclass(frozen=True)
class Budget:
    """What a target over a period allows to be bad.

    `bad` and `total` give the expression that counts events in a window. `counted`: how much of the period counts,
    where it is not all of it (business hours). `least_events` and `least_bad`: below either the traffic is too low to
    judge: at ten requests an hour one failure burns a 99.9 % budget a hundredfold. `alive`: an expression that has a
    value while the source delivers; without it a budget would look as full as it was long after a drain has died.
    `mean`: the share of bad ones, where an average says it in less than counts do.
    """

    target: Decimal
    period: timedelta
    source: Source
    bad: Callable[[timedelta], str]
    total: Callable[[timedelta], str]
    least_events: int
    least_bad: int
    burns: tuple[Burn, ...]
    counted: timedelta | None = None
    alive: str | None = None
    mean: Callable[[timedelta], str] | None = None

    @property
    def allowed(self) -> Decimal:
        return 1 - self.target

    def share(self, window: timedelta) -> str:
        """Bad events among all in a window."""
        return self.mean(window) if self.mean else share(self.bad(window), self.total(window))

    def ratio(self, window: timedelta) -> str:
        """Bad events among all in a window, as long as the source delivers."""
        return self.fed(self.share(window))

    def rate(self, window: timedelta) -> str:
        """Burn rate over a window: 1 spends the budget exactly within the period."""
        return self.fed(f"{self.share(window)} / {self.allowed:f}")

    def left(self) -> str:
        """Share of the budget that the period up to now has left; below 0 where more was spent than there was."""
        return f"1 - ({self.rate(self.period)})"

    def failures(self, window: timedelta) -> str:
        """Bad events in a window: 0 and not nothing as long as there are events."""
        return f"{self.bad(window)} or {self.total(window)} * 0"

    def fed(self, expression: str) -> str:
        """The expression as long as the source delivers."""
        return while_alive(expression, self.alive) if self.alive else expression

    def factor(self, burn: Burn) -> Decimal:
        """Burn rate above which the alert fires, to four digits after the point. Raises: PlatformError where no such
        alert makes sense."""
        exact = _factor(burn, self.counted or self.period)
        rounded = (Decimal(exact.numerator) / exact.denominator).quantize(Decimal("0.0001"))
        factor = Decimal(f"{rounded.normalize():f}")  # 70 and neither 70.0000 nor 7E+1
        where = f"A burn-rate alert over {duration_text(burn.long)} of {duration_text(self.period)}"
        if factor * self.allowed >= 1:
            highest = (1 / self.allowed).quantize(Decimal("0.01")).normalize()
            raise PlatformError(
                f"{where} has the factor {factor}, which a target of {self.target} can never exceed: with each "
                f"event bad the burn rate is {highest:f}. Take a smaller share or a longer window."
            )
        if exact < 1:
            raise PlatformError(
                f"{where} has the factor {factor}: it would fire although the budget lasts the period. "
                "Take a larger share or a shorter window."
            )
        return factor


def standard_for(period: timedelta) -> tuple[Burn, ...]:
    """Those of the workbook's alerts whose factor is at least 1 in this period."""
    return tuple(burn for burn in STANDARD if _factor(burn, period) >= 1)


def _factor(burn: Burn, period: timedelta) -> Fraction:
    # As a fraction: a quotient of times is a float in Python, and 100 h / 6 h as a float is no longer 50 / 3.
    return Fraction(burn.share) * Fraction(period // RESOLUTION, burn.long // RESOLUTION)
