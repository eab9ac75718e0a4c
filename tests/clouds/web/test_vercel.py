"""Vercel's projects, env and domains, and what its API refuses."""

from __future__ import annotations

from typing import Any

import pytest

from runbook.rehearsal.clouds.store import Held
from runbook.rehearsal.clouds.vercel import PROJECT
from tests.clouds.web.world import GIT, TEAM, TOKEN, World

WRONG = "Invalid request:"
BODY = {"name": "ibimina-staff", "target": "production", "gitSource": GIT}


def test_a_project_is_found_by_id_and_by_name_and_changed(world: World) -> None:
    world.project()
    by_name = world.get("/vercel/v9/projects/ibimina-staff")
    assert by_name == world.get("/vercel/v9/projects/prj_1")
    assert (by_name["id"], by_name["autoAssignCustomDomains"], by_name["targets"]) == ("prj_1", True, {})
    body = {"autoAssignCustomDomains": False, "buildCommand": "pnpm build"}
    assert world.ask("PATCH", "/vercel/v9/projects/prj_1", json=body).json()["autoAssignCustomDomains"] is False
    held = world.store.get("vercel", PROJECT, "prj_1")
    assert held is not None
    assert (held.properties["buildCommand"], held.properties["framework"]) == ("pnpm build", "nextjs")


def test_what_belongs_to_a_team_is_not_found_without_it(world: World) -> None:
    world.project()
    path, headers = "/vercel/v9/projects/prj_1", {"Authorization": f"Bearer {TOKEN}"}
    assert world.client.get(path, headers=headers).json()["error"]["code"] == "not_found"
    assert world.client.get(path, headers=headers, params=TEAM).status_code == 200
    assert world.client.get(path, headers=headers, params={"teamId": "team_x"}).status_code == 200
    world.store.put(Held("vercel", PROJECT, "prj_2", {"name": "personal"}))
    assert world.client.get("/vercel/v9/projects/personal", headers=headers).status_code == 200


def test_env_is_listed_without_what_is_sensitive(world: World) -> None:
    world.project()
    listed = world.get("/vercel/v9/projects/prj_1/env", params={"decrypt": "true"})["envs"]
    assert {one["key"]: (one["type"], one["value"]) for one in listed} == {
        "SITE": ("encrypted", "https://auth.ibimina.rw"), "COOKIE_SECRET": ("sensitive", ""),
    }  # fmt: skip
    listed = world.get("/vercel/v9/projects/prj_1/env")["envs"]
    assert [one["value"] for one in listed] == ["", ""]


def test_domains_are_listed_and_told_what_dns_should_be(world: World) -> None:
    world.project()
    world.zone()
    assert [one["name"] for one in world.get("/vercel/v9/projects/prj_1/domains")["domains"]] == ["staff.ibimina.rw"]
    config = world.get("/vercel/v6/domains/staff.ibimina.rw/config")
    assert config["misconfigured"] is True
    record = f"/cloudflare/zones/{world.zone()}/dns_records/{'r' * 32}"
    world.ask("PATCH", record, json={"content": config["recommendedCNAME"][0]["value"]}).raise_for_status()
    assert world.get("/vercel/v6/domains/staff.ibimina.rw/config")["misconfigured"] is False


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"skipDomain": True}, "Invalid request: should NOT have additional property `skipDomain`."),
        ({"name": None}, "Invalid request: missing required property `name`."),
        ({"target": "prod"}, "Invalid request: `target` should be one of production, preview, staging."),
        ({"autoAssignCustomDomains": "no"}, "Invalid request: `autoAssignCustomDomains` should be boolean."),
        ({"env": {"A": 1}}, "Invalid request: `env` should be object of strings."),
        ({"meta": {"A": None}}, "Invalid request: `meta` should be object of strings."),
        ({"build": {"env": {"A": True}}}, "Invalid request: `env` should be object of strings."),
        ({"build": []}, "Invalid request: `build` should be object."),
        ({"gitSource": None}, "Give one of gitSource, deploymentId: there is nothing to build."),
        ({"gitSource": {"type": "svn"}}, f"{WRONG} `gitSource.type` should be one of github, gitlab, bitbucket."),
        ({"gitSource": {"type": "github", "org": "o"}}, f"{WRONG} missing required property `gitSource.repoId`."),
        ({"project": "prj_none"}, "Project not found"),
        ({"deploymentId": "dpl_none"}, "The deployment could not be found"),
    ],
)  # fmt: skip
def test_a_deployment_that_is_refused(world: World, change: dict[str, Any], message: str) -> None:
    world.project()
    answer = world.ask("POST", "/vercel/v13/deployments", json=BODY | change)
    assert answer.status_code in (400, 404)
    assert answer.json()["error"]["message"] == message
    assert world.get("/vercel/v6/deployments")["deployments"] == []


def test_a_project_takes_only_settings_it_has(world: World) -> None:
    world.project()
    status, text = world.refused("PATCH", "/vercel/v9/projects/prj_1", json={"autoAssignDomains": True})
    assert (status, "additional property `autoAssignDomains`" in text) == (400, True)
    assert world.refused("PATCH", "/vercel/v9/projects/prj_1", json={"autoAssignCustomDomains": 0})[0] == 400
    assert world.refused("GET", "/vercel/v9/projects/none")[0] == 404
    assert world.refused("GET", "/vercel/v6/deployments", params={"limit": "many"})[0] == 400
