"""What Cloudflare's proxy keeps shows to clients until it is over or purged, so that a purge left out is seen."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest
import yaml

from runbook.model.cutover.step import Kind
from runbook.rehearsal.clouds.cloudflare import RULESET
from runbook.rehearsal.clouds.faults import Swallowed
from runbook.rehearsal.clouds.net.edge import file_of
from runbook.rehearsal.clouds.net.expressions import HOST, PATH, meant
from runbook.rehearsal.clouds.store import Held
from runbook.rehearsal.clouds.vercel import PROJECT
from runbook.rehearsal.clouds.web import deployments
from runbook.rehearsal.cutover.views import View, differences, observe
from runbook.steps.call import Call, StepError
from runbook.steps.kinds import act
from tests.clouds.net.scene import AUTH, STAFF, ZONE_ID, Scene
from tests.stacks import ROOT

HEALTH, YEAR = "/api/healthz", timedelta(days=365)
ALWAYS = {
    "ref": "worker", "expression": f'http.host eq "{STAFF}"', "action": "set_cache_settings",
    "actionParameters": {"cache": True, "edgeTtl": {"mode": "override_origin", "default": 3600}},
}  # fmt: skip


@pytest.fixture
def ruled(scene: Scene) -> Scene:
    """With the cache rules that the program registers for prod."""
    golden = yaml.safe_load((ROOT / "tests" / "golden" / "prod.yaml").read_text(encoding="utf-8"))
    (rules,) = [one["inputs"]["rules"] for one in golden.values() if one["type"] == RULESET]
    return with_rules(scene, rules)


def with_rules(scene: Scene, rules: list[dict[str, Any]]) -> Scene:
    values = {"zoneId": ZONE_ID, "phase": "http_request_cache_settings", "kind": "zone", "rules": rules}
    scene.store.put(Held("cloudflare", RULESET, "rules", values))
    return scene


def status(answer: httpx.Response) -> str | None:
    found: str | None = answer.headers.get("cf-cache-status")
    return found


def next_build(scene: Scene) -> str:
    (project,) = scene.store.find("vercel", PROJECT)
    values: dict[str, Any] = {"release": "v2", "target": "production", "meta": {}, "env": {}}
    made = deployments.build(scene.store, project, scene.clock.now(), auto_assign=False, **values)
    deployments.catch_up(scene.store, scene.clock.now())
    return made.id


def switch(scene: Scene, build: str, how: str) -> None:
    deployments.request_alias(scene.store, "prj_staff", build, how, scene.clock.now())
    scene.clock.move(timedelta(minutes=1))


def purge(scene: Scene, swallowed: bool) -> None:
    """As the step does it."""
    if swallowed:
        scene.faults.fail("cloudflare", kind="/zones/…/purge_cache", message="", how=Swallowed())
    args = {"zone_id": ZONE_ID, "hosts": [STAFF]}
    secrets = {"CLOUDFLARE_API_TOKEN": "c" * 40}
    assert act(Kind.PURGE, Call("purge-again", "2-back", args, secrets, scene.clouds.reach()))["hosts"] == [STAFF]


def clients(scene: Scene) -> View:
    return dict(observe(scene.clouds, {STAFF: HEALTH})["hosts"])


@pytest.mark.parametrize("swallowed", [False, True], ids=["purged", "purge left out"])
def test_a_way_back_without_its_purge_is_not_identical(ruled: Scene, swallowed: bool) -> None:
    """People look before the flip, after it and after the way back; each build is asked for its file."""
    next, before = next_build(ruled), clients(ruled)
    switch(ruled, next, "promote")
    purge(ruled, swallowed=False)
    assert clients(ruled)[STAFF]["files"] == [next]

    switch(ruled, ruled.build, "rollback")
    purge(ruled, swallowed)

    found = [one.path for one in differences(before, clients(ruled)).others]
    assert found == ([f"/{STAFF}/files"] if swallowed else [])
    assert clients(ruled)[STAFF]["body"]["deployment"] == ruled.build
    assert {*clients(ruled)[STAFF]["files"]} == {ruled.build, *([next] if swallowed else [])}


def test_a_flip_without_its_purge_leaves_the_files_of_before(ruled: Scene) -> None:
    next = next_build(ruled)
    clients(ruled)
    switch(ruled, next, "promote")
    purge(ruled, swallowed=True)
    assert clients(ruled)[STAFF]["files"] == [ruled.build, next]


def test_the_programs_rules_keep_static_files_for_a_year_and_nothing_else(ruled: Scene) -> None:
    file = file_of(ruled.build)
    assert status(ruled.get(STAFF, file)) == "MISS"
    ruled.clock.move(YEAR - timedelta(minutes=1))
    again = ruled.get(STAFF, file)
    assert (status(again), again.text) == ("HIT", f"// {ruled.build}\n")
    assert int(again.headers["age"]) == pytest.approx(31536000 - 60, abs=5)
    assert status(ruled.get(STAFF, f"{file}?v=2")) == "MISS"
    assert [status(ruled.get(STAFF, file_of("dpl_none"))) for _ in range(2)] == ["BYPASS"] * 2, "a 404 is not kept"
    ruled.clock.move(timedelta(minutes=1))
    assert status(ruled.get(STAFF, file)) == "EXPIRED"
    for path in (HEALTH, "/sw.js", "/"):
        assert [status(ruled.get(STAFF, path)) for _ in range(2)] == ["DYNAMIC"] * 2, path
    assert status(ruled.send("HEAD", STAFF, file)) == "DYNAMIC"
    assert status(ruled.get(AUTH, "/auth/v1/.well-known/jwks.json")) is None, "it is not proxied"


def test_without_a_rule_the_extension_and_the_origin_decide(scene: Scene) -> None:
    file = file_of(scene.build)
    assert [status(scene.get(STAFF, file)) for _ in range(2)] == ["MISS", "HIT"]
    assert [status(scene.get(STAFF, "/sw.js")) for _ in range(2)] == ["BYPASS"] * 2
    assert status(scene.get(STAFF, HEALTH)) == "DYNAMIC"


def test_a_missing_file_is_kept_as_long_unless_the_rule_says_otherwise(scene: Scene) -> None:
    missing = file_of("dpl_none")
    codes = {"statusCodeTtls": [{"statusCodeRange": {"from": 400}, "value": 0}]}
    parameters: dict[str, Any] = ALWAYS["actionParameters"]  # type: ignore[assignment]
    rule = ALWAYS | {"actionParameters": parameters | {"edgeTtl": parameters["edgeTtl"] | codes}}
    with_rules(scene, [rule])
    assert [status(scene.get(STAFF, missing)) for _ in range(2)] == ["BYPASS"] * 2
    with_rules(scene, [ALWAYS])
    assert [status(scene.get(STAFF, missing)) for _ in range(2)] == ["MISS", "HIT"]


def test_a_purge_is_of_the_hosts_that_it_names(ruled: Scene) -> None:
    file, url = file_of(ruled.build), f"{ruled.clouds.reach().apis['cloudflare']}/zones/{ZONE_ID}/purge_cache"
    ruled.get(STAFF, file)
    for body, then in (({"hosts": ["app.ibimina.rw"]}, "HIT"), ({"purge_everything": True}, "MISS")):
        answer = httpx.post(url, json=body, headers={"Authorization": f"Bearer {'c' * 40}"}, trust_env=False)
        assert answer.status_code == 200
        assert status(ruled.get(STAFF, file)) == then
    refused = httpx.post(url, json={"tags": ["a"]}, headers={"Authorization": f"Bearer {'c' * 40}"}, trust_env=False)
    assert "purges by hosts or everything, not by tags" in refused.text


def test_the_gate_sees_a_service_worker_that_the_edge_keeps(scene: Scene) -> None:
    """As with the real one: it asks as people do, and what a wrong rule keeps holds it up until a purge."""
    with_rules(scene, [ALWAYS])
    scene.get(STAFF, "/sw.js")
    url = scene.released("v2").properties["url"]
    args = {"host": STAFF, "path": "/sw.js"}
    soon = time.monotonic() + 4  # it looks once more only while there is time
    call = Call("gate", "1-flip", args, {}, scene.clouds.reach(), {"build": {"url": url}}, deadline=soon)
    with pytest.raises(StepError, match="purge the CDN"):
        act(Kind.WORKER_SERVED, call)
    purge(scene, swallowed=False)
    assert act(Kind.WORKER_SERVED, replace(call, deadline=soon + 30))["sha256"]


@pytest.mark.parametrize(
    ("expression", "found"),
    [
        ('http.host eq "a b eq c"', False),
        (f'http.host eq "{STAFF}" and not starts_with(http.request.uri.path, "/api/")', True),
        (f'http.host eq "{STAFF}" and (ends_with(http.request.uri.path, ".css") or http.request.uri.path eq "/a.js")',
         True),
        ('http.host eq "x" or http.host eq "y" and http.request.uri.path eq "/a.js"', False),
    ],
)  # fmt: skip
def test_an_expression_means_these_requests(expression: str, found: bool) -> None:
    assert meant(expression, {HOST: STAFF, PATH: "/a.js"}) is found


@pytest.mark.parametrize(
    "expression", ["", "true", 'ssl and http.host eq "a"', "__import__('os')", 'http.host contains "a"', "(("]
)
def test_an_expression_that_is_not_read_is_never_taken_for_one_that_does_not_match(expression: str) -> None:
    with pytest.raises(ValueError, match="is not read here"):
        meant(expression, {HOST: STAFF, PATH: "/a.js"})
