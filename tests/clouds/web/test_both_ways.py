"""What the engine makes is what HTTP shows, and what is changed over HTTP is what the engine reads."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import httpx
import pytest

from runbook.rehearsal.clouds.cloudflare import RECORD, RULESET
from runbook.rehearsal.clouds.vercel import DOMAIN, PROJECT, VARIABLE
from runbook.rehearsal.clouds.web import release, serve
from tests.clouds.engine import Engine
from tests.clouds.samples import SAMPLES, ZONE_ID
from tests.clouds.web.world import TEAM, TOKEN


@pytest.fixture
def web(engine: Engine) -> Iterator[httpx.Client]:
    clouds = engine.clouds
    headers = {"Authorization": f"Bearer {TOKEN}"}
    with (
        closing(serve(clouds.store, clouds.faults, clouds.clock)) as server,
        httpx.Client(
            base_url=f"http://127.0.0.1:{server.port}", headers=headers, params=TEAM, verify=False
        ) as client,
    ):
        yield client


def shown(answer: httpx.Response) -> Any:
    return answer.raise_for_status().json()


def test_records_and_rulesets(engine: Engine, web: httpx.Client) -> None:
    id, outputs, _ = engine.create(RECORD, SAMPLES[RECORD])
    zone = f"/cloudflare/zones/{ZONE_ID}"
    (listed,) = shown(web.get(f"{zone}/dns_records", params={"name": "admin.ibimina.rw"}))["result"]
    assert (listed["id"], listed["content"], listed["proxied"]) == (id, "target.example", True)
    assert listed["modified_on"] == outputs["modifiedOn"]

    shown(web.patch(f"{zone}/dns_records/{id}", json={"content": "by-hand.example"}))
    _, inputs, now = engine.read(RECORD, id, SAMPLES[RECORD], outputs)
    assert (inputs["content"], now["content"]) == ("by-hand.example", "by-hand.example")
    assert now["modifiedOn"] > outputs["modifiedOn"]
    assert engine.diff(RECORD, inputs, SAMPLES[RECORD]) == {"content": False}

    shown(web.patch(f"{zone}/dns_records/{id}", json={"content": "target.example"}))
    assert engine.read(RECORD, id, SAMPLES[RECORD], outputs)[1] == SAMPLES[RECORD]

    id, _, _ = engine.create(RULESET, SAMPLES[RULESET])
    rule = shown(web.get(f"{zone}/rulesets/{id}"))["result"]["rules"][0]
    assert rule["action_parameters"]["edge_ttl"] == {"mode": "override_origin", "default": 60}


def test_a_project_with_its_env_and_domains_and_what_a_release_makes_of_them(
    engine: Engine, web: httpx.Client
) -> None:
    id, outputs, _ = engine.create(PROJECT, SAMPLES[PROJECT] | {"autoAssignCustomDomains": True})
    engine.create(DOMAIN, SAMPLES[DOMAIN] | {"projectId": id})
    variable = {name: value for name, value in SAMPLES[VARIABLE].items() if name != "gitBranch"} | {"projectId": id}
    variable_id, made, _ = engine.create(VARIABLE, variable)
    path = f"/vercel/v9/projects/{id}"
    assert shown(web.get(path))["name"] == "ibimina-admin"
    assert [one["key"] for one in shown(web.get(f"{path}/env"))["envs"]] == ["TRUSTED_COOKIE_SECRET"]

    first = release(engine.clouds.store, "ibimina-admin", "v1", engine.clouds.clock.now())
    engine.update(VARIABLE, variable_id, made, variable | {"value": "rotated"})
    second = release(engine.clouds.store, "ibimina-admin", "v2", engine.clouds.clock.now())
    assert [one.properties["env"]["TRUSTED_COOKIE_SECRET"] for one in (first, second)] == ["hunter2", "rotated"]
    production = shown(web.get(path))["targets"]["production"]
    assert (production["id"], production["alias"]) == (second.id, ["admin.ibimina.rw"])

    shown(web.patch(path, json={"autoAssignCustomDomains": False}))
    inputs = SAMPLES[PROJECT] | {"autoAssignCustomDomains": True}
    assert engine.read(PROJECT, id, inputs, outputs)[1]["autoAssignCustomDomains"] is False
    release(engine.clouds.store, "ibimina-admin", "v3", engine.clouds.clock.now())
    assert shown(web.get(path))["targets"]["production"]["id"] == second.id
