"""The rollback horizon: how long after a switch the last client still reaches what was left."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

# What browsers keep an answer for whatever its TTL says (Chromium's host cache, Firefox's
# network.dnsCacheExpiration with its grace period).
FLOORS: Mapping[str, int] = {"Chromium": 60, "Firefox": 120}


@dataclass(frozen=True)
class Horizon:
    """`seconds` from the switch of DNS until clients that keep to the rules are back; `why` a sentence. `ttl`: the
    largest TTL in force among the names that people reach directly; None where every name is proxied."""

    seconds: int
    ttl: int | None
    why: str


def horizon(ttls: Mapping[str, int]) -> Horizon:
    """`ttls`: DNS-only name to the TTL in force, in seconds. A resolver may hand out an answer just before it expires
    there, and the browser then keeps it for its own least time: the two add up."""
    if not ttls:
        return Horizon(0, None, "Every name is proxied: Cloudflare's addresses stay, and the switch is its own.")
    name, ttl = max(ttls.items(), key=lambda each: each[1])
    floors = " and ".join(f"{browser} {seconds} s" for browser, seconds in FLOORS.items())
    return Horizon(
        ttl + max(FLOORS.values()),
        ttl,
        f"{name} is served with a TTL of {ttl} s, and browsers keep an answer longer than that: {floors}. "
        "Some resolvers keep more than they may; they are not counted.",
    )


def span(seconds: int) -> str:
    """For people: "3 min", "1 h 5 min", "45 s"."""
    if seconds < 90:
        return f"{seconds} s"
    minutes = round(seconds / 60)
    if minutes < 90:
        return f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h" + (f" {rest} min" if rest else "")
    return f"{hours // 24} d" + (f" {hours % 24} h" if hours % 24 else "")
