"""Stands in for the model's rules: refuses a ledger that says so. All else is the model's own."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from runbook.model.cutover.ledger_as_it_is import *  # type: ignore[import-not-found]  # noqa: F403


def check(olds: Mapping[str, Any] | None, news: Mapping[str, Any], now: datetime) -> list[str]:
    assert now.tzinfo is not None
    if news["phase"] != "refused":
        return []
    return [f"From {olds and olds['phase']} to refused is no move.\nallowed: any other", "And a second reason."]
