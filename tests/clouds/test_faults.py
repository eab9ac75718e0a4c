"""A call can be made slow, one call can be made to fail, and a whole cloud can be down."""

from __future__ import annotations

import time

import grpc
import pytest
from pulumi.runtime.proto import provider_pb2 as pb

from runbook.rehearsal.clouds.cloudflare import RECORD
from runbook.rehearsal.clouds.grafana import FOLDER, MUTE_TIMING
from runbook.rehearsal.clouds.vercel import PROJECT
from runbook.rehearsal.clouds.wire import encode
from tests.clouds.engine import Engine
from tests.clouds.samples import SAMPLES


def test_a_call_fails_as_often_as_it_was_told_to_and_changes_nothing(engine: Engine) -> None:
    engine.clouds.faults.fail("vercel", method="Create", kind=PROJECT, times=2, message="503 try again")
    assert engine.refusal(PROJECT, SAMPLES[PROJECT]) == "vercel: 503 try again"
    assert engine.refusal(PROJECT, SAMPLES[PROJECT]) == "vercel: 503 try again"
    assert engine.held(PROJECT) == []
    assert engine.create(PROJECT, SAMPLES[PROJECT])[0]
    assert engine.clouds.store.calls()["vercel", PROJECT, "Create"] == 3


def test_only_what_matches_fails(engine: Engine) -> None:
    engine.clouds.faults.fail("grafana", kind=FOLDER, name="another", message="x")
    engine.clouds.faults.fail("grafana", method="Delete", message="500 no")
    id, _, _ = engine.create(FOLDER, SAMPLES[FOLDER])
    engine.create(MUTE_TIMING, SAMPLES[MUTE_TIMING])
    with pytest.raises(grpc.RpcError, match="grafana: 500 no"):
        engine.delete(FOLDER, id)
    assert len(engine.held(FOLDER)) == 1
    engine.delete(FOLDER, id)


def test_a_cloud_that_is_down_answers_nothing_but_check_diff_and_preview(engine: Engine) -> None:
    id, outputs, _ = engine.create(PROJECT, SAMPLES[PROJECT])
    engine.clouds.faults.down("vercel")
    for call in (
        lambda: engine.read(PROJECT, id, SAMPLES[PROJECT], outputs),
        lambda: engine.update(PROJECT, id, outputs, SAMPLES[PROJECT]),
        lambda: engine.delete(PROJECT, id),
        lambda: engine.create(PROJECT, SAMPLES[PROJECT] | {"name": "b"}),
        lambda: engine.invoke("vercel:index/getProject:getProject", {"name": "ibimina-admin"}),
    ):
        with pytest.raises(grpc.RpcError, match="vercel: 503 Service Unavailable"):
            call()
    assert engine.check(PROJECT, SAMPLES[PROJECT]) == {}
    assert engine.diff(PROJECT, SAMPLES[PROJECT], SAMPLES[PROJECT]) == {}
    assert engine.create(PROJECT, SAMPLES[PROJECT], preview=True)[1]
    assert engine.create(RECORD, SAMPLES[RECORD])[0]
    engine.clouds.faults.up("vercel")
    assert engine.read(PROJECT, id, SAMPLES[PROJECT], outputs)[0] == id


def test_vercel_down_with_a_team_keeps_its_provider_from_starting(engine: Engine) -> None:
    engine.clouds.faults.down("vercel")
    stub = engine.stub("vercel")
    assert stub.Configure(pb.ConfigureRequest(args=encode({"apiToken": "x" * 24}))).acceptSecrets
    with pytest.raises(grpc.RpcError, match="vercel: 503 Service Unavailable"):
        stub.Configure(pb.ConfigureRequest(args=encode({"apiToken": "x" * 24, "team": "ibimina"})))


def test_each_call_over_the_network_takes_the_delay(engine: Engine) -> None:
    engine.clouds.faults.delay = 0.2
    start = time.monotonic()
    engine.check(FOLDER, SAMPLES[FOLDER])
    engine.create(FOLDER, SAMPLES[FOLDER], preview=True)
    assert time.monotonic() - start < 0.2
    engine.create(FOLDER, SAMPLES[FOLDER])
    assert time.monotonic() - start >= 0.2


def test_calls_are_counted_by_cloud_kind_and_method_and_a_preview_makes_none(engine: Engine) -> None:
    engine.check(FOLDER, SAMPLES[FOLDER])
    engine.diff(FOLDER, SAMPLES[FOLDER], {})
    engine.create(FOLDER, SAMPLES[FOLDER], preview=True)
    assert engine.clouds.store.calls() == {}
    id, _, _ = engine.create(FOLDER, SAMPLES[FOLDER])
    before = engine.clouds.store.calls()
    engine.delete(FOLDER, id)
    assert before == {("grafana", FOLDER, "Create"): 1}
    assert engine.clouds.store.calls() - before == {("grafana", FOLDER, "Delete"): 1}
