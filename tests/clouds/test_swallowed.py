"""A call can be answered well without being done, and done without being answered."""

from __future__ import annotations

import grpc
import httpx
import pytest

from runbook.rehearsal.clouds.cloudflare import RECORD
from runbook.rehearsal.clouds.faults import Lost, Swallowed
from tests.clouds.engine import Engine
from tests.clouds.samples import SAMPLES
from tests.clouds.web.world import REF, World


@pytest.fixture
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return World(tmp_path_factory.mktemp("world") / "store.db")


def test_an_update_of_the_engine_is_swallowed_and_the_next_is_not(engine: Engine) -> None:
    id, outputs, _ = engine.create(RECORD, SAMPLES[RECORD])
    (held,) = engine.held(RECORD)
    changed = SAMPLES[RECORD] | {"comment": "changed"}
    engine.clouds.faults.fail("cloudflare", method="Update", kind=RECORD, message="", how=Swallowed())

    answered = engine.update(RECORD, id, outputs, changed)

    assert engine.held(RECORD) == [held]
    assert engine.update(RECORD, id, outputs, changed)["comment"] == answered["comment"] == "changed"
    assert engine.held(RECORD)[0].properties["comment"] == "changed"


def test_a_delete_of_the_engine_is_swallowed(engine: Engine) -> None:
    id, _, _ = engine.create(RECORD, SAMPLES[RECORD])
    engine.clouds.faults.fail("cloudflare", method="Delete", message="", how=Swallowed())
    engine.delete(RECORD, id)
    assert len(engine.held(RECORD)) == 1


def test_what_the_engine_creates_updates_and_deletes_is_done_and_never_answered(engine: Engine) -> None:
    for method in ("Create", "Update", "Delete"):
        engine.clouds.faults.fail("cloudflare", method=method, kind=RECORD, message="", how=Lost(0.01))

    with pytest.raises(grpc.RpcError, match=r"The connection was lost\."):
        engine.create(RECORD, SAMPLES[RECORD])
    (held,) = engine.held(RECORD)
    with pytest.raises(grpc.RpcError, match=r"The connection was lost\."):
        engine.update(RECORD, held.id, held.properties, SAMPLES[RECORD] | {"comment": "changed"})
    assert engine.held(RECORD)[0].properties["comment"] == "changed"
    with pytest.raises(grpc.RpcError, match=r"The connection was lost\."):
        engine.delete(RECORD, held.id)
    assert engine.held(RECORD) == []


def test_a_request_is_swallowed(world: World) -> None:
    path = f"/supabase/v1/projects/{REF}/config/auth"
    before = world.get(path)
    world.faults.fail("supabase", method="PATCH", message="", how=Swallowed())

    answer = world.ask("PATCH", path, json={"site_url": "https://new.example"})

    assert answer.json()["site_url"] == "https://new.example"
    assert world.get(path) == before
    world.close()


def test_an_answer_is_lost_after_the_request_was_done(world: World) -> None:
    path = f"/supabase/v1/projects/{REF}/config/auth"
    world.faults.fail("supabase", method="PATCH", message="", how=Lost(0.01))

    with pytest.raises(httpx.ReadError, match="reset"):
        world.ask("PATCH", path, json={"site_url": "https://new.example"})

    assert world.get(path)["site_url"] == "https://new.example"
    world.close()
