"""Vercel's deployments: what a build serves, and which one has the production domains."""

from __future__ import annotations

import pytest

from runbook.rehearsal.clouds.faults import Knob
from runbook.rehearsal.clouds.store import Held
from runbook.rehearsal.clouds.vercel import PROJECT
from runbook.rehearsal.clouds.web import builds_take, release
from runbook.rehearsal.clouds.web.deployments import DEPLOYMENT
from tests.clouds.web.world import World


def promote(world: World, id: str, kind: str = "promote") -> int:
    version = {"promote": "v10", "rollback": "v1"}[kind]
    status = world.ask("POST", f"/vercel/{version}/projects/prj_1/{kind}/{id}").status_code
    world.clock.move(seconds=1)
    return status


def test_a_build_keeps_the_env_it_was_made_with_overlaid_by_its_own_and_its_secrets_are_marked(world: World) -> None:
    world.project()
    world.variable("PREVIEW_ONLY", "x", sensitive=False, targets=("preview",))
    made = world.build(env={"SITE": "https://next.ibimina.rw"}, build={"env": {"OWN": "o", "NEXT_PUBLIC_X": "p"}})
    world.variable("SITE", "changed later", sensitive=False)
    held = world.store.get("vercel", DEPLOYMENT, made["id"])
    assert held is not None
    assert held.properties["env"] == {
        "COOKIE_SECRET": "hunter2", "NEXT_PUBLIC_X": "p", "OWN": "o", "SITE": "https://next.ibimina.rw",
    }  # fmt: skip
    assert held.secrets == {("env", "COOKIE_SECRET"), ("env", "OWN")}
    assert made["env"] == ["COOKIE_SECRET", "NEXT_PUBLIC_X", "OWN", "SITE"]
    assert "hunter2" not in str(made)


def test_a_build_that_is_told_to_takes_no_domain_until_it_is_promoted_which_takes_a_while(world: World) -> None:
    world.project()
    first = release(world.store, "ibimina-staff", "v1", world.clock.now()).id
    made = world.build()
    assert (made["readyState"], made["readySubstate"], made["alias"]) == ("READY", "STAGED", [])
    assert world.served() == first
    assert world.ask("POST", f"/vercel/v10/projects/prj_1/promote/{made['id']}").status_code == 202
    project = world.get("/vercel/v9/projects/prj_1")
    assert project["targets"]["production"]["id"] == first
    assert project["lastAliasRequest"] == {
        "fromDeploymentId": first, "toDeploymentId": made["id"], "jobStatus": "in-progress",
        "requestedAt": int(world.clock.now().timestamp() * 1000), "type": "promote",
    }  # fmt: skip
    world.clock.move(seconds=1)
    project = world.get("/vercel/v9/projects/prj_1")
    assert project["targets"]["production"]["id"] == made["id"]
    assert project["targets"]["production"]["alias"] == ["staff.ibimina.rw"]
    assert project["lastAliasRequest"]["jobStatus"] == "succeeded"
    assert world.get(f"/vercel/v13/deployments/{first}")["alias"] == []


def test_a_rollback_puts_the_very_build_back_and_turns_assignment_off_until_a_promotion(world: World) -> None:
    world.project()
    first = release(world.store, "ibimina-staff", "v1", world.clock.now()).id
    second = release(world.store, "ibimina-staff", "v2", world.clock.now()).id
    assert world.served() == second
    assert promote(world, first, "rollback") == 201
    project = world.get("/vercel/v9/projects/prj_1")
    assert project["targets"]["production"]["id"] == first
    assert project["lastRollbackTarget"]["toDeploymentId"] == first
    outside = release(world.store, "ibimina-staff", "v3", world.clock.now()).id
    assert world.served() == first
    assert promote(world, first) == 201
    project = world.get("/vercel/v9/projects/prj_1")
    assert (project["targets"]["production"]["id"], project["lastRollbackTarget"]) == (first, None)
    assert world.get(f"/vercel/v13/deployments/{outside}")["aliasAssigned"] is False
    assert release(world.store, "ibimina-staff", "v4", world.clock.now()).id == world.served()


def test_a_project_that_assigns_no_domains_releases_none(world: World) -> None:
    world.project(autoAssignCustomDomains=False)
    id = release(world.store, "ibimina-staff", "v1", world.clock.now()).id
    assert world.served() is None
    promote(world, id)
    assert world.served() == id


def test_a_preview_build_takes_no_domain_and_is_built_again_with_todays_env_when_promoted(world: World) -> None:
    world.project()
    preview = world.build(target=None, autoAssignCustomDomains=True)
    assert world.served() is None
    world.variable("SITE", "today", sensitive=False)
    assert promote(world, preview["id"]) == 202
    served = world.store.get("vercel", DEPLOYMENT, world.served() or "")
    assert served is not None
    assert served.id != preview["id"]
    assert (served.properties["release"], served.properties["env"]["SITE"]) == ("v2", "today")


def test_a_deployment_of_a_deployment_is_the_same_release_built_again(world: World) -> None:
    world.project()
    first = release(world.store, "ibimina-staff", "v1", world.clock.now())
    world.variable("SITE", "today", sensitive=False)
    body = {"name": "ibimina-staff", "deploymentId": first.id, "target": "production", "meta": {"action": "promote"}}
    again = world.post("/vercel/v13/deployments", body)
    held = world.store.get("vercel", DEPLOYMENT, again["id"])
    assert held is not None
    assert (held.properties["release"], held.properties["env"]["SITE"]) == ("v1", "today")
    assert world.served() == again["id"]


def test_builds_take_the_time_of_the_rehearsals_clock(world: World) -> None:
    world.project()
    builds_take(world.store, 90)
    made = world.build(autoAssignCustomDomains=True)
    assert (made["readyState"], made["ready"]) == ("BUILDING", None)
    assert world.refused("POST", f"/vercel/v10/projects/prj_1/promote/{made['id']}")[0] == 409
    world.clock.move(seconds=89)
    assert world.served() is None
    world.clock.move(seconds=1)
    assert world.served() == made["id"]


def test_a_build_may_never_become_ready(world: World) -> None:
    world.project()
    world.faults.turn(Knob.NEVER_READY, "ibimina-staff")
    made = world.build()
    world.clock.move(days=1)
    assert world.get(f"/vercel/v13/deployments/{made['id']}")["readyState"] == "BUILDING"
    world.faults.turn_back(Knob.NEVER_READY, "ibimina-staff")
    assert world.get(f"/vercel/v13/deployments/{made['id']}")["readyState"] == "READY"


def test_builds_are_found_by_what_their_meta_says_newest_first(world: World) -> None:
    world.project()
    one, two = world.build(meta={"crossing": "1-flip"})["id"], world.build(meta={"crossing": "2-flip"})["id"]
    last = release(world.store, "ibimina-staff", "v3", world.clock.now()).id

    def found(**params: str) -> list[str]:
        listed = world.get("/vercel/v6/deployments", params={"projectId": "prj_1"} | params)["deployments"]
        return [one["uid"] for one in listed]

    assert found() == [last, two, one]
    assert found(**{"meta-crossing": "1-flip"}) == [one]
    assert found(**{"meta-crossing": "3-flip"}) == []
    assert found(limit="1") == [last]
    assert found(state="ERROR,CANCELED") == []


def test_a_build_is_found_by_its_own_url(world: World) -> None:
    world.project()
    made = world.build()
    assert made["url"].startswith("ibimina-staff-")
    assert world.get(f"/vercel/v13/deployments/{made['url']}")["id"] == made["id"]


def test_promotions_and_rollbacks_that_are_refused(world: World) -> None:
    world.project()
    first = release(world.store, "ibimina-staff", "v1", world.clock.now()).id
    staged = world.build()["id"]
    status, text = world.refused("POST", f"/vercel/v1/projects/prj_1/rollback/{staged}")
    assert (status, "has never served production" in text) == (422, True)
    assert world.refused("POST", "/vercel/v10/projects/prj_1/promote/dpl_none")[0] == 404
    world.ask("POST", f"/vercel/v10/projects/prj_1/promote/{staged}")
    status, text = world.refused("POST", f"/vercel/v1/projects/prj_1/rollback/{first}")
    assert (status, f"already moving to {staged}" in text) == (409, True)
    world.clock.move(seconds=1)
    assert promote(world, first, "rollback") == 201
    assert world.served() == first


def test_a_build_of_another_project_is_not_promoted_here(world: World) -> None:
    world.project()
    other = release(world.store, "ibimina-staff", "v1", world.clock.now())
    world.store.put(Held("vercel", PROJECT, "prj_2", {"name": "ibimina-member"}))
    world.store.change("vercel", DEPLOYMENT, other.id, projectId="prj_2")
    assert world.get(f"/vercel/v13/deployments/{other.id}")["projectId"] == "prj_2"
    assert world.refused("POST", f"/vercel/v10/projects/prj_1/promote/{other.id}")[0] == 404


def test_a_release_of_no_project_says_so(world: World) -> None:
    with pytest.raises(KeyError, match="holds no project ghost"):
        release(world.store, "ghost", "v1", world.clock.now())
