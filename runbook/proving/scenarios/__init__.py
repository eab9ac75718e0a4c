"""The scenarios of each platform's alerts, in production."""

from __future__ import annotations

from collections.abc import Callable

from runbook.proving.scenario import Scenario
from runbook.proving.scenarios import easymo, ibimina_console, ibimina_logs, ibimina_tables

_MADE: dict[str, tuple[Callable[[], tuple[Scenario, ...]], ...]] = {
    "easymo": (easymo.scenarios,),
    "ibimina": (ibimina_console.scenarios, ibimina_logs.scenarios, ibimina_tables.scenarios),
}


def scenarios(platform: str) -> tuple[Scenario, ...]:
    """All scenarios of a platform; none for one that has none yet."""
    return tuple(scenario for make in _MADE.get(platform, ()) for scenario in make())
