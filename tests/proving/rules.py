"""A rule to change in tests."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from runbook.model.signals import Source
from runbook.proving.emitted import Emitted


def rule(source: Source, expression: str) -> Emitted:
    """A rule that fires above zero, evaluated each minute."""
    return Emitted(
        uid="ibimina-prod-rule",
        name="rule",
        source=source,
        expression=expression,
        span=timedelta(hours=1),
        comparator="gt",
        threshold=Decimal(0),
        interval=timedelta(minutes=1),
        for_=timedelta(),
        no_data_state="NoData",
        exec_err_state="Error",
        labels={},
        owner="on-call",
        muted=False,
    )
