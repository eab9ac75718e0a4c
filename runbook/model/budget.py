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
from typing import Literal

from runbook.model.fields import duration_text
from runbook.model.problems import PlatformError
from runbook.model.queries import share
from runbook.model.signals import Source

Severity = Literal["page", "ticket"]
HOUR = timedelta(hours=1)


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
    judge: at ten requests an hour one failure burns a 99.9 % budget a hundredfold.
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

    @property
    def allowed(self) -> Decimal:
        return 1 - self.target

    def ratio(self, window: timedelta) -> str:
        """Bad events among all in a window."""
        return share(self.bad(window), self.total(window))

    def factor(self, burn: Burn) -> Decimal:
        """Burn rate from which the alert fires. Raises: PlatformError where no such alert makes sense."""
        period = self.counted or self.period
        factor = (burn.share * Decimal(period / burn.long)).quantize(Decimal("0.0001")).normalize()
        where = f"A burn-rate alert over {duration_text(burn.long)} of {duration_text(self.period)}"
        if factor * self.allowed >= 1:
            raise PlatformError(
                f"{where} has the factor {factor:f}, which a target of {self.target} can never reach: with each event "
                f"bad the rate is {1 / self.allowed:.4g}. Take a smaller share or a longer window."
            )
        if factor < 1:
            raise PlatformError(
                f"{where} has the factor {factor:f}: it would fire although the budget lasts the period. "
                "Take a larger share or a shorter window."
            )
        return factor


def standard_for(period: timedelta) -> tuple[Burn, ...]:
    """Those of the workbook's alerts whose factor is at least 1 in this period."""
    return tuple(burn for burn in STANDARD if burn.share * Decimal(period / burn.long) >= 1)
