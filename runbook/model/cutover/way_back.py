from __future__ import annotations

from runbook.model.cutover.observed import Observed
from runbook.model.platform import Platform
from runbook.model.settings import Settings


def page(platform: Platform, settings: Settings, observed: Observed, zone_id: str) -> str:
    return ""
