"""The rehearsal's one clock, which can be moved."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from runbook.rehearsal.clouds.store import Held, Store

_PLACE = ("rehearsal", "clock", "clock")  # in the store: {ahead: seconds before the machine's time}


class Clock:
    """The machine's time, until it is moved; from there time goes on at its normal speed.

    How far it was moved is kept in the store, so that another process, or a later one, reads the same time.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def now(self) -> datetime:
        """The time, in UTC."""
        return datetime.now(UTC) + self._ahead()

    def move(self, by: timedelta) -> datetime:
        """Move the clock, forwards or back: the new time."""
        with self._store.lock:
            return self._keep(self._ahead() + by)

    def set(self, to: datetime) -> datetime:
        """Set the clock to this time, which has a zone: the new time."""
        return self._keep(to - datetime.now(UTC))

    def _ahead(self) -> timedelta:
        held = self._store.get(*_PLACE)
        return timedelta(seconds=held.properties["ahead"] if held else 0)

    def _keep(self, ahead: timedelta) -> datetime:
        self._store.put(Held(*_PLACE, {"ahead": ahead.total_seconds()}))
        return datetime.now(UTC) + ahead
