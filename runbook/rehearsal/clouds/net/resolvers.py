"""Resolvers with a cache, as they stand between people and the zones: each keeps answers as long as its kind does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil

from runbook.rehearsal.clouds.net.clock import Clock
from runbook.rehearsal.clouds.net.zones import LONGEST_CHAIN, Records, Said, Zones

Keeps = Callable[[int], float]  # a TTL in seconds to how many seconds the answer is kept


def obeying(ttl: int) -> float:
    return ttl


def ceiling(most: int) -> Keeps:
    """Never longer than so many seconds: 21,600 at Google, 43,200 at Quad9, 3,600 at OpenDNS."""
    return lambda ttl: min(ttl, most)


def extending(times: float) -> Keeps:
    """So many times as long as it was told, as about 8.7 % of resolvers do in some way (PAM 2023)."""
    return lambda ttl: ttl * times


@dataclass(frozen=True)
class Reply:
    """`targets`: what each CNAME on the way leads to. `age`: seconds since the oldest part was fetched; `ttl`: those
    until the first part is dropped. `exists` is false when there is no such name."""

    targets: tuple[str, ...]
    addresses: tuple[str, ...]
    age: float
    ttl: float
    exists: bool = True


@dataclass(frozen=True)
class _Kept:
    said: Said
    since: datetime
    seconds: float


class Resolver:
    """One cache, aging by the clock. It asks the zones' servers for what it does not hold."""

    def __init__(self, zones: Zones, clock: Clock, keeps: Keeps = obeying) -> None:
        self._zones, self._clock, self._keeps = zones, clock, keeps
        self._cache: dict[tuple[str, str], _Kept] = {}

    def ask(self, name: str, type: str = "A", at: datetime | None = None) -> Reply:
        """The answer that a client gets now. With `at`, as if it were that time: to fill caches that are as old as
        those of real resolvers, while the store still holds what it held then."""
        at = at or self._clock.now()
        parts = self._chain(name, type, at)
        found = [one for part in parts for one in part.said.found]
        return Reply(
            tuple(value.rstrip(".") for one in found if one.type == "CNAME" for value in one.values),
            tuple(value for one in found if one.type == type != "CNAME" for value in one.values),
            max((at - part.since).total_seconds() for part in parts),
            min(part.seconds - (at - part.since).total_seconds() for part in parts),
            parts[-1].said.exists,
        )

    def said(self, name: str, type: str) -> Said:
        """The answer as `NameServers` give it, with the TTLs that are left."""
        at = self._clock.now()
        found: list[Records] = []
        for part in self._chain(name, type, at):
            left = max(0, ceil(part.seconds - (at - part.since).total_seconds()))
            found += [Records(one.name, one.type, left, one.values) for one in part.said.found]
        last = part.said
        start = last.start and Records(last.start.name, "SOA", left, last.start.values)
        return Said(tuple(found), last.exists, start)

    def _chain(self, name: str, type: str, at: datetime) -> list[_Kept]:
        """Each link is kept by its own TTL."""
        parts = [self._link(name, type, at)]
        while len(parts) < LONGEST_CHAIN:
            found = parts[-1].said.found
            if not found or found[-1].type == type:
                break
            parts.append(self._link(found[-1].values[0], type, at))
        return parts

    def _link(self, name: str, type: str, at: datetime) -> _Kept:
        key = (name.lower().rstrip("."), type)
        kept = self._cache.get(key)
        if kept is None or not timedelta() <= at - kept.since < timedelta(seconds=kept.seconds):
            said = self._zones.authoritative(*key) or self._zones.outside(*key)
            first = Said(said.found[:1], True) if said.found else said
            seconds = self._keeps(first.found[0].ttl) if first.found else first.remembered
            kept = self._cache[key] = _Kept(first, at, seconds)
        return kept


def used_to(resolvers: Sequence[Resolver], names: Sequence[str], now: datetime, over: timedelta) -> None:
    """Let the resolvers be asked for the names at times spread evenly over the time before `now`, the last one just
    before it. The store must have held the same all that time."""
    for number, resolver in enumerate(resolvers, start=1):
        at = now - over * (1 - number / len(resolvers))
        for name in names:
            resolver.ask(name, at=at)


def share_on(resolvers: Sequence[Resolver], name: str, target: str) -> float:
    """The share (0 to 1) of resolvers that send a client of this name to the target now."""
    return sum(target in resolver.ask(name).targets for resolver in resolvers) / len(resolvers)
