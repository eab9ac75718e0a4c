"""What answers now: everything is asked side by side, and what could not be seen is told instead of raised."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any

from runbook.model.cutover.observed import Observed, Wanted
from runbook.steps.call import Call
from runbook.steps.reach import Reach
from runbook.steps.together import sentence, together

LIMIT = 10.0  # seconds for everything together
_SPARE = 0.5  # seconds of them, so that a part which ends at its limit can still say where it stood


def observe(wanted: Wanted, secrets: Mapping[str, str], reach: Reach) -> Observed:
    """What could be seen of `wanted` within 10 s; `failures` says of each part why it could not be. Never raises.

    `secrets`: CLOUDFLARE_API_TOKEN, VERCEL_API_TOKEN and SUPABASE_ACCESS_TOKEN as far as they are there; and
    VERCEL_TEAM, which is none: the team's slug, or its id.
    """
    from runbook.steps.parts import parts  # httpx and dnspython: half a second that a run without a cutover saves
    from runbook.steps.said import without_secrets

    tokens = {name: value for name, value in secrets.items() if name != "VERCEL_TEAM"}
    ends = time.monotonic() + LIMIT - _SPARE
    call = Call("observe", "", {"team": secrets.get("VERCEL_TEAM", "")}, tokens, reach, deadline=ends)
    done = together(parts(call, wanted), LIMIT)
    seen = [part for part in done.values() if isinstance(part, Observed)]
    failed = {name: sentence(part) for name, part in done.items() if isinstance(part, Exception)}
    found = _merged([*seen, Observed(failures=failed)])
    return _merged([found, Observed(failures=without_secrets(tokens, found.failures))])


def _merged(parts: Iterable[Observed]) -> Observed:
    """All of them in one: mappings are united, of the rest the last that is not empty counts."""
    empty = Observed()
    values: dict[str, Any] = {}
    for part in parts:
        for field in fields(Observed):
            value = getattr(part, field.name)
            if isinstance(value, Mapping):
                values[field.name] = {**values.get(field.name, {}), **value}
            elif value != getattr(empty, field.name):
                values[field.name] = value
    return Observed(**values)
