"""PromQL of an outside check's uptime in business hours: the samples of other times are left out of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from runbook.model.fields import duration_text
from runbook.model.queries import in_business_hours, series
from runbook.model.settings import BusinessHours
from runbook.model.signals import PROBE

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


@dataclass(frozen=True)
class Uptime:
    """The check with these labels, in these hours. Time is judged in pieces, each by the mean of all its samples."""

    check: Mapping[str, str]
    hours: BusinessHours

    def share(self, window: timedelta) -> str:
        """Share of a window's business hours in which the check succeeded; nothing when it holds none of them."""
        return self._over("avg_over_time", self._up(window), window)

    def failing(self, window: timedelta) -> str:
        """Share of a window's business hours in which the check failed; nothing when it holds none of them."""
        return f"(1 - {self.share(window)})"

    def down(self, window: timedelta) -> str:
        """Minutes of a window's business hours in which the check failed."""
        return f"({_piece(window) // MINUTE} * {self._over('sum_over_time', f'(1 - {self._up(window)})', window)})"

    def minutes(self, window: timedelta) -> str:
        """Minutes of business hours in a window."""
        return f"({_piece(window) // MINUTE} * {self._over('count_over_time', self._up(window), window)})"

    def alive(self) -> str:
        """An element as long as the check reports, whatever it reports."""
        return f"group({series(PROBE, self.check)})"

    def _up(self, window: timedelta) -> str:
        return f"avg(avg_over_time({series(PROBE, self.check, _piece(window))}))"

    def _over(self, function: str, value: str, window: timedelta) -> str:
        piece = _piece(window)
        open_then = in_business_hours(self.hours, piece)
        return f"{function}(({value} and ({open_then}))[{duration_text(window)}:{duration_text(piece)}])"


def _piece(window: timedelta) -> timedelta:
    """Long ones for a long window: promtool, which proves the queries, holds 10,000 samples at a time."""
    return 10 * MINUTE if window > DAY else 5 * MINUTE
