"""The rehearsal's clock goes on at normal speed from where it was moved to, in every process that has the store."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from runbook.rehearsal.clouds.behaviours import Draft
from runbook.rehearsal.clouds.cloudflare import RECORD, now
from runbook.rehearsal.clouds.net.clock import Clock
from runbook.rehearsal.clouds.store import Store

_SLACK = timedelta(seconds=5)


def test_a_clock_that_was_not_moved_is_the_machines_and_leaves_nothing_in_the_store(tmp_path: Path) -> None:
    store = Store(tmp_path / "store.db")
    assert abs(Clock(store).now() - datetime.now(UTC)) < _SLACK
    assert store.objects() == []
    store.close()


def test_it_goes_on_from_where_it_was_moved_to(tmp_path: Path) -> None:
    store = Store(tmp_path / "store.db")
    clock = Clock(store)
    night = datetime(2027, 3, 1, 22, 0, tzinfo=UTC)
    clock.set(night)
    first = clock.now()
    assert night <= first < night + _SLACK
    assert clock.now() > first
    moved = clock.move(timedelta(hours=2))
    assert abs(moved - night - timedelta(hours=2)) < _SLACK
    assert abs(clock.now() - moved) < _SLACK
    store.close()


def test_a_second_process_and_the_records_of_cloudflare_have_the_same_time(tmp_path: Path) -> None:
    one, other = Store(tmp_path / "store.db"), Store(tmp_path / "store.db")
    Clock(one).set(datetime(2027, 3, 1, 22, 0, tzinfo=UTC))
    assert abs(Clock(other).now() - Clock(one).now()) < _SLACK
    modified = datetime.fromisoformat(now(Draft(other, "cloudflare", RECORD, "", {})))
    assert abs(modified - Clock(one).now()) < _SLACK
    one.close()
    other.close()
