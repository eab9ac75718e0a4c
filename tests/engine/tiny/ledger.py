"""Stands in for the model's rules: refuses a ledger that says so."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any


def check(olds: Mapping[str, Any] | None, news: Mapping[str, Any], now: datetime) -> list[str]:
    assert now.tzinfo is not None
    if news["phase"] != "refused":
        return []
    return [f"From {olds and olds['phase']} to refused is no move.\nallowed: any other", "And a second reason."]
