"""When a flip opens: not configured but reckoned from what was observed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from runbook.model.cutover.ledger import dns_only, moving, new_names, seconds
from runbook.model.cutover.observed import Observed, SeenRecord
from runbook.model.cutover.phases import LOW_TTL
from runbook.model.platform import Platform
from runbook.model.settings import Settings

LEAST = 3600  # the runbook's one hour (section 3a, 1); it is too short where a TTL before was longer
UNKNOWN_TTL = 86_400  # the most that Cloudflare serves: what a name may have had that nobody saw
UNKNOWN_NEGATIVE = 1800  # Cloudflare's SOA minimum
MARGIN = 300  # until every edge serves what the listing shows, and for clocks that differ

ALWAYS = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Opening:
    """`at`: from when on a flip is safe for clients; None while that cannot be said. `why`: a sentence."""

    at: datetime | None
    why: str

    @property
    def when(self) -> str:
        """For people."""
        if self.at is None:
            return "not known yet; preview again"
        return "at once" if self.at == ALWAYS else f"{self.at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def opening(
    platform: Platform,
    settings: Settings,
    observed: Observed,
    ttls_before: Mapping[str, int],
    opened: datetime | None = None,
) -> Opening:
    """When the flip opens: when the low TTL was first served, plus the longest that any resolver may hold what was
    served before it, plus a margin.

    `ttls_before`: as the ledger has them; `opened`: when the flip that is under way was found open: its own changes
    of records do not start the wait anew. Proxied names need no wait: clients hold Cloudflare's addresses, which
    stay. One counts as proxied when it is and was, whatever the config makes of it in this same update.
    """
    listed = {record.name: record for record in observed.records}
    held = {*dns_only(platform, settings), *ttls_before, *(name for name, each in listed.items() if not each.proxied)}
    old = tuple(name for name in moving(platform, settings) if name in held)
    new = new_names(platform, settings)
    if not old and not new:
        return Opening(ALWAYS, "Every name that flips is proxied, so no resolver holds what changes.")
    if opened is not None:
        return Opening(opened, "It was open when it began.")
    for name in (*old, *new):
        if said := _not_low(name, listed.get(name), observed.served_ttl.get(name)):
            return Opening(None, said)
    wait = LEAST
    reasons = []
    if old:
        seen = all(name in ttls_before for name in old)
        largest = max(ttls_before[name] for name in old) if seen else UNKNOWN_TTL
        known = "was" if seen else "is not known, so it counts as"
        wait = max(wait, largest)
        reasons.append(f"the largest TTL before {known} {largest} s")
    if new:
        negative = observed.negative_ttl or UNKNOWN_NEGATIVE
        wait = max(wait, negative)
        reasons.append(f"a missing name is remembered for {negative} s")
    since = _latest(listed[name] for name in (*old, *new))
    return Opening(
        since + timedelta(seconds=wait + MARGIN),
        f"{' and '.join((*old, *new))} changed last at {since.astimezone(UTC):%Y-%m-%d %H:%M} UTC, "
        f"{' and '.join(reasons)}, and {MARGIN} s are a margin.",
    )


def _not_low(name: str, record: SeenRecord | None, served: int | None) -> str:
    """Why the wait has not begun for a name; empty when it has."""
    if record is None:
        return f"{name} is not in Cloudflare's listing yet: the wait begins when it is."
    if record.proxied:
        return ""  # its TTL stays automatic; a resolver may still remember that it was missing, or not proxied
    if seconds(record.ttl) > LOW_TTL:
        return f"{name} has a TTL of {seconds(record.ttl)} s: the wait begins when it is {LOW_TTL}."
    if served is None or served > LOW_TTL:
        given = "do not answer" if served is None else f"still give {served} s"
        return f"The authoritative servers {given} for {name}: the wait begins when they give {LOW_TTL}."
    return ""


def _latest(records: Iterable[SeenRecord]) -> datetime:
    return max(record.modified for record in records)
