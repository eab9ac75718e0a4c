"""How many resolvers still send people to what served before a flip."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from runbook.rehearsal.clouds import Clouds
from runbook.rehearsal.clouds.cloudflare import RECORD
from runbook.rehearsal.clouds.net.resolvers import Resolver, share_on, used_to

RESOLVERS = 300
AFTER = timedelta(seconds=60)  # the TTL that a flip waits for


@dataclass(frozen=True)
class Clients:
    """The resolvers of many people, which obey TTLs and were asked for a name at all sorts of moments."""

    clouds: Clouds
    name: str
    resolvers: tuple[Resolver, ...]

    @classmethod
    def of(cls, clouds: Clouds, name: str) -> Clients:
        cache = clouds.world.internet.cache
        return cls(clouds, name, tuple(cache() for _ in range(RESOLVERS)))

    def ask(self, over: timedelta) -> None:
        """Each is asked once, at moments spread over the time before now, in which the record has not changed."""
        used_to(self.resolvers, [self.name], self.clouds.clock.now(), over)

    def share_on(self, target: str) -> float:
        """The share (0 to 1) that leads to the target when AFTER has gone by since the record changed; the clock is
        moved there."""
        self.clouds.clock.set(changed_at(self.clouds, self.name) + AFTER)
        return share_on(self.resolvers, self.name, target)


def changed_at(clouds: Clouds, name: str) -> datetime:
    """When the name's record changed last, as Cloudflare's listing tells. Raises: ValueError when there is none."""
    (record,) = clouds.store.find("cloudflare", RECORD, name=name)
    return datetime.fromisoformat(record.properties["modifiedOn"])
