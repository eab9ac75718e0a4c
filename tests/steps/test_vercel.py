"""Builds at Vercel: what is sent, what is kept, and that a second act does nothing twice."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from runbook.model.cutover.step import Kind
from runbook.steps import hosts, vendors
from runbook.steps.call import Call, StepError
from runbook.steps.kinds import act
from tests.steps.cases import BUILD, MADE, PROJECT
from tests.steps.misbehaving import Reply, Server

Make = Callable[..., Call]
TOKEN = {"VERCEL_API_TOKEN": "vercel-token"}
ARGS = {"team": "acme", "project_id": "prj_1"}
READ = {"build-staff": {"deployment": "dpl_next", "url": "staff-next.vercel.app"}}
META = {"crossing": "prepare-2", "release": "v1.2.3", "generation": "2", "env": "eb6fb41853c6"}
PROMOTE = "POST /v10/projects/prj_1/promote/dpl_next"
ROLL_BACK = "POST /v1/projects/prj_1/rollback/dpl_was"
GET = f"GET {PROJECT}"


def project(serving: str | None, moving: str = "", status: str = "in-progress", **rest: Any) -> dict[str, Any]:
    targets = {"production": {"id": serving}} if serving else {}
    request = {"lastAliasRequest": {"toDeploymentId": moving, "jobStatus": status}} if moving else {}
    return {"targets": targets, "lastAliasRequest": None, **request, **rest}


def failing(kind: Kind, call: Call) -> str:
    with pytest.raises(StepError) as error:
        act(kind, call)
    return str(error.value)


def test_a_build_takes_no_domain_and_carries_its_env(server: Server, call: Make) -> None:
    server.on("GET /v6/deployments", {"deployments": []})
    server.on("POST /v13/deployments", MADE)
    evidence = act(Kind.BUILD, call(BUILD, TOKEN | {"env:COOKIE": "c00kie-secret"}, trigger="prepare-2"))
    assert evidence == {
        "deployment": "dpl_next",
        "url": "staff-next.vercel.app",
        "state": "QUEUED",
        "release": "v1.2.3",
        "already": False,
    }
    looked, made = server.asked
    assert looked.query == {"slug": ["acme"], "projectId": ["prj_1"], "meta-crossing": ["prepare-2"]}
    assert made.query == {"slug": ["acme"], "forceNew": ["1"], "skipAutoDetectionConfirmation": ["1"]}
    env = {"NEXT_PUBLIC_APP_URL": "https://staff.example", "COOKIE": "c00kie-secret"}
    assert made.json == {
        "name": "staff",
        "project": "prj_1",
        "target": "production",
        "autoAssignCustomDomains": False,
        "gitSource": {"type": "github", "org": "acme", "repo": "apps", "ref": "v1.2.3"},
        "meta": META,
        "env": env,
        "build": {"env": env},
    }


def listed(id: str, state: str = "READY", **meta: str) -> dict[str, Any]:
    return {"uid": id, "url": f"{id}.vercel.app", "readyState": state, "meta": META | {"githubOrg": "acme"} | meta}


def test_a_build_of_the_same_crossing_is_found_again(server: Server, call: Make) -> None:
    """Others are passed over, also where the filter is not obeyed: of another crossing, or of a stack's former life,
    which counted from 1 too. A broken one is made anew."""
    others = [
        listed("dpl_1", crossing="prepare-1"),
        listed("dpl_2", "ERROR"),
        listed("dpl_3", "CANCELED"),
        listed("dpl_4", release="v1.2.2"),
        listed("dpl_5", generation="1"),
        listed("dpl_6", env="0" * 12),
    ]
    server.on("GET /v6/deployments", {"deployments": [*others, listed("dpl_next", "BUILDING")]})
    assert act(Kind.BUILD, call(BUILD, TOKEN, trigger="prepare-2")) == {
        "deployment": "dpl_next",
        "url": "dpl_next.vercel.app",
        "state": "BUILDING",
        "release": "v1.2.3",
        "already": True,
    }
    assert server.routes() == ["GET /v6/deployments"]
    server.on("GET /v6/deployments", {"deployments": others})
    server.on("POST /v13/deployments", MADE)
    assert act(Kind.BUILD, call(BUILD, TOKEN, trigger="prepare-2"))["already"] is False


@pytest.mark.parametrize(("team", "query"), [("acme", {"slug": ["acme"]}), ("team_1", {"teamId": ["team_1"]})])
def test_the_team_is_a_slug_or_an_id(server: Server, call: Make, team: str, query: dict[str, list[str]]) -> None:
    server.on(GET, project("dpl_next"))
    act(Kind.PROMOTE, call({**ARGS, "team": team}, TOKEN, read=READ))
    assert server.only(GET).query == query


def test_promotion(server: Server, call: Make) -> None:
    server.on(GET, project("dpl_was"), project("dpl_was", "dpl_next"), project("dpl_next", "dpl_next", "succeeded"))
    server.on(PROMOTE, Reply(202, b""))
    evidence = act(Kind.PROMOTE, call(ARGS, TOKEN, read=READ))
    assert evidence == {"deployment": "dpl_next", "was": "dpl_was", "already": False}
    assert server.routes() == [GET, PROMOTE, GET, GET]
    assert server.only(PROMOTE).query == {"slug": ["acme"]}
    assert server.only(PROMOTE).raw == b""
    assert act(Kind.PROMOTE, call(ARGS, TOKEN, read=READ))["already"] is True
    assert len(server.all(PROMOTE)) == 1


def test_what_serves_and_is_just_being_left_is_promoted_again(server: Server, call: Make) -> None:
    """The domains are on their way to another build, and do not arrive within half of the time."""
    left: list[float] = []
    after = [project("dpl_next", "dpl_next"), project("dpl_next")]
    given = call(ARGS, TOKEN, read=READ, seconds=0.6)
    server.on(GET, lambda: after.pop(0) if left else project("dpl_next", "dpl_was"))
    server.on(PROMOTE, Reply(202, lambda: left.append(given.left())))
    assert act(Kind.PROMOTE, given) == {"deployment": "dpl_next", "was": "dpl_next", "already": False}
    assert after == []


def test_a_promotion_that_a_kill_left_under_way_is_not_asked_for_again(server: Server, call: Make) -> None:
    server.on(GET, project("dpl_was", "dpl_next"), project("dpl_next", "dpl_next", "succeeded"))
    assert act(Kind.PROMOTE, call(ARGS, TOKEN, read=READ))["already"] is True
    assert server.routes() == [GET, GET]


def test_a_promotion_whose_answer_was_lost(server: Server, call: Make) -> None:
    """The second request meets the first, which is under way."""
    server.on(GET, project("dpl_was"), project("dpl_was", "dpl_next"), project("dpl_next"))
    server.on(PROMOTE, Reply(500), Reply(409, {"error": {"message": "already moving"}}))
    assert act(Kind.PROMOTE, call(ARGS, TOKEN, read=READ))["was"] == "dpl_was"


def test_a_promotion_that_vercel_refuses(server: Server, call: Make) -> None:
    server.on(GET, project("dpl_was"))
    server.on(PROMOTE, Reply(409, {"error": {"message": "The deployment is BUILDING"}}))
    assert failing(Kind.PROMOTE, call(ARGS, TOKEN, read=READ)) == (
        "Vercel answered 409 to POST /v10/projects/prj_1/promote/dpl_next: The deployment is BUILDING. Mend"
        " what it names, then run up again."
    )


def test_a_promotion_that_may_not_be_made(server: Server, call: Make) -> None:
    server.on(GET, project("dpl_was"))
    server.on(PROMOTE, Reply(403, {"error": {"code": "forbidden", "message": "Not authorized"}}))
    assert failing(Kind.PROMOTE, call(ARGS, TOKEN, read=READ)) == (
        "Vercel answered 403 to POST /v10/projects/prj_1/promote/dpl_next: Not authorized. VERCEL_API_TOKEN is wrong"
        " or may not do this: it needs the rights of a team member who may deploy to production."
    )


def test_what_vercel_refused_is_told_also_when_a_second_look_fails(server: Server, call: Make) -> None:
    server.on(GET, project("dpl_was"), Reply(403, {"error": {"message": "another refusal"}}))
    server.on(PROMOTE, Reply(409, {"error": {"message": "The deployment is BUILDING"}}))
    assert "to POST /v10/projects/prj_1/promote/dpl_next: The deployment" in failing(
        Kind.PROMOTE, call(ARGS, TOKEN, read=READ)
    )


def test_a_promotion_that_does_not_come_through(server: Server, call: Make) -> None:
    server.on(GET, project("dpl_was"))
    server.on(PROMOTE, Reply(202, b""))
    assert failing(Kind.PROMOTE, call(ARGS, TOKEN, read=READ, seconds=0.3)) == (
        "Vercel took the request for dpl_next, but so far project prj_1 serves dpl_was. Run up again."
    )
    server.on(GET, project("dpl_was"), project("dpl_was", "dpl_next"))
    assert failing(Kind.PROMOTE, call(ARGS, TOKEN, read=READ, seconds=0.3)) == (
        "Vercel took the request for dpl_next, but so far project prj_1 serves dpl_was, its domains still on the way."
        " Run up again."
    )
    server.on(GET, project("dpl_was"), project("dpl_was", "dpl_next", "failed"))
    assert failing(Kind.PROMOTE, call(ARGS, TOKEN, read=READ)) == (
        "Vercel could not move project prj_1 to dpl_next: do it by hand there, then run up again."
    )


def test_the_last_look_is_not_cut_short(server: Server, call: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would say that Vercel did not answer, and not what became of the promotion."""
    monkeypatch.setattr(vendors, "_LOOK", 0.4)

    def slowly() -> dict[str, Any]:
        time.sleep(0.2)
        return project("dpl_was")

    server.on(GET, slowly)
    server.on(PROMOTE, Reply(202, b""))
    assert failing(Kind.PROMOTE, call(ARGS, TOKEN, read=READ, seconds=1)) == (
        "Vercel took the request for dpl_next, but so far project prj_1 serves dpl_was. Run up again."
    )


def test_a_promotion_without_a_build(server: Server, call: Make) -> None:
    assert failing(Kind.PROMOTE, call(ARGS, TOKEN, read={"build-staff": {}})) == (
        "The step that makes the next build left no evidence of one. Prepare again."
    )
    assert server.asked == []


BACK = {**ARGS, "deployment": "dpl_was"}


def test_rollback(server: Server, call: Make) -> None:
    server.on(GET, project("dpl_next"), project("dpl_was"))
    server.on(ROLL_BACK, Reply(201, b""))
    evidence = act(Kind.ROLL_BACK, call(BACK, TOKEN, read=READ))
    assert evidence == {"deployment": "dpl_was", "was": "dpl_next", "already": False}
    assert server.only(ROLL_BACK).query == {"slug": ["acme"]}
    evidence = act(Kind.ROLL_BACK, call(BACK, TOKEN, read=READ))
    assert evidence == {"deployment": "dpl_was", "was": "dpl_was", "already": True}
    assert len(server.all(ROLL_BACK)) == 1


@pytest.mark.parametrize("read", [READ, {"build-staff": {}}], ids=["ours", "no build of ours"])
def test_a_release_made_outside_is_left_alone(server: Server, call: Make, read: Any) -> None:
    server.on(GET, project("dpl_hotfix"))
    assert act(Kind.ROLL_BACK, call(BACK, TOKEN, read=read)) == {
        "deployment": "dpl_hotfix",
        "was": "dpl_hotfix",
        "left_alone": True,
        "why": "dpl_hotfix serves, which this crossing did not promote: a release made outside stays.",
    }
    assert server.routes() == [GET]


def test_a_project_that_serves_nothing_is_left_alone(server: Server, call: Make) -> None:
    server.on(GET, project(None))
    assert act(Kind.ROLL_BACK, call(BACK, TOKEN, read={"build-staff": {}}))["left_alone"] is True


def test_the_way_back_waits_for_the_promotion_of_a_killed_flip(server: Server, call: Make) -> None:
    """What served before still does, but not for long."""
    server.on(GET, project("dpl_was", "dpl_next"), project("dpl_next", "dpl_next", "succeeded"), project("dpl_was"))
    server.on(ROLL_BACK, Reply(201, b""))
    evidence = act(Kind.ROLL_BACK, call(BACK, TOKEN, read=READ))
    assert evidence == {"deployment": "dpl_was", "was": "dpl_next", "already": False}
    assert server.routes() == [GET, GET, ROLL_BACK, GET]


def test_the_way_back_does_not_wait_for_ever(server: Server, call: Make) -> None:
    """A promotion that never ends is overruled while there is time for it, not taken for done."""
    left: list[float] = []
    after = [project("dpl_was", "dpl_next"), project("dpl_was", "dpl_was"), project("dpl_was")]
    given = call(BACK, TOKEN, read=READ, seconds=0.6)
    server.on(GET, lambda: after.pop(0) if left else project("dpl_was", "dpl_next"))
    server.on(ROLL_BACK, Reply(201, lambda: left.append(given.left())))
    assert act(Kind.ROLL_BACK, given) == {"deployment": "dpl_was", "was": "dpl_was", "already": False}
    assert left[0] > 0.15
    assert after == []


def test_releases_take_domains_again(server: Server, call: Make) -> None:
    rolled_back = project("dpl_was", lastRollbackTarget={"toDeploymentId": "dpl_was"})
    server.on(GET, rolled_back, rolled_back, project("dpl_was"))
    route = "POST /v10/projects/prj_1/promote/dpl_was"
    server.on(route, Reply(201, b""))
    assert act(Kind.REASSIGN, call(ARGS, TOKEN)) == {"deployment": "dpl_was", "already": False}
    assert act(Kind.REASSIGN, call(ARGS, TOKEN)) == {"deployment": "dpl_was", "already": True}
    assert len(server.all(route)) == 1
    server.on(GET, rolled_back)
    assert failing(Kind.REASSIGN, call(ARGS, TOKEN, seconds=0.2)) == (
        "Vercel took the request for dpl_was, but so far project prj_1 serves dpl_was and is rolled back. Run up"
        " again."
    )


def test_releases_take_domains_once_the_rollback_has_arrived(server: Server, call: Make) -> None:
    """Before that what serves is what was rolled back, which must not be promoted again."""
    rolled: dict[str, Any] = {"lastRollbackTarget": {"toDeploymentId": "dpl_was"}}
    server.on(
        GET,
        project("dpl_next", "dpl_was", **rolled),
        project("dpl_was", "dpl_was", "succeeded", **rolled),
        project("dpl_was"),
    )
    server.on("POST /v10/projects/prj_1/promote/dpl_was", Reply(201, b""))
    assert act(Kind.REASSIGN, call(ARGS, TOKEN)) == {"deployment": "dpl_was", "already": False}


def test_a_lock_says_what_it_really_refuses(server: Server, call: Make) -> None:
    server.on(GET, project("dpl_was", lastRollbackTarget={"toDeploymentId": "dpl_was"}))
    server.on("GET /v9/projects/prj_2", project("dpl_2", autoAssignCustomDomains=True))
    server.on("GET /v9/projects/prj_3", project("dpl_3", autoAssignCustomDomains=False))
    args = {"team": "acme", "projects": {"staff": "prj_1", "client": "prj_2", "admin": "prj_3"}}
    refuses = "new production builds take no domain until one is promoted; a promotion by hand is not refused"
    locked = {"assigns_domains": False, "refuses": refuses}
    nothing = "nothing: the lock is advisory, the next release takes the domains"
    assert act(Kind.LOCK, call(args, TOKEN)) == {
        "staff": locked,
        "client": {"assigns_domains": True, "refuses": nothing},
        "admin": locked,
    }


HEALTH = {"team": "acme", "health": "/api/healthz"}
DEPLOYMENT = "GET /v13/deployments/dpl_next"


def state(state: str) -> dict[str, str]:
    return {"id": "dpl_next", "readyState": state, "url": "staff-next.vercel.app"}


@pytest.mark.parametrize(
    ("secrets", "headers"),
    [({}, None), ({"VERCEL_BYPASS_SECRET": "bypass-1"}, {"x-vercel-protection-bypass": "bypass-1"})],
    ids=["open", "protected"],
)
def test_a_build_is_waited_for_and_asked_for_its_health(
    server: Server,
    call: Make,
    monkeypatch: pytest.MonkeyPatch,
    secrets: dict[str, str],
    headers: dict[str, str] | None,
) -> None:
    seen: list[Any] = []

    def get(_call: Call, host: str, path: str, *, address: None, headers: dict[str, str] | None) -> httpx.Response:
        seen.append((host, path, headers))
        return httpx.Response(200)

    monkeypatch.setattr(hosts, "get", get)
    server.on(DEPLOYMENT, state("BUILDING"), state("READY"))
    evidence = act(Kind.BUILD_HEALTHY, call(HEALTH, TOKEN | secrets, read=READ))
    assert evidence == {"deployment": "dpl_next", "state": "READY", "status": 200}
    assert seen == [("staff-next.vercel.app", "/api/healthz", headers)]
    assert server.all(DEPLOYMENT)[0].query == {"slug": ["acme"]}


def test_a_build_that_shows_a_page_is_not_healthy(
    server: Server, call: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hosts, "get", lambda *_, **__: httpx.Response(200, html="<html>Log in</html>"))
    server.on(DEPLOYMENT, state("READY"))
    assert failing(Kind.BUILD_HEALTHY, call(HEALTH, TOKEN, read=READ)) == (
        "staff-next.vercel.app answered GET /api/healthz with a web page, which says nothing about health. Look at"
        " what staff-next.vercel.app points to there, and run up again."
    )


def test_a_build_that_is_not_ready(server: Server, call: Make) -> None:
    server.on(DEPLOYMENT, state("BUILDING"))
    assert failing(Kind.BUILD_HEALTHY, call(HEALTH, TOKEN, read=READ, seconds=0.3)) == (
        "The next build dpl_next is still BUILDING: run up again when it is READY."
    )
    assert len(server.asked) > 2
    server.on(DEPLOYMENT, state("ERROR"))
    assert failing(Kind.BUILD_HEALTHY, call(HEALTH, TOKEN, read=READ)) == (
        "The next build dpl_next is ERROR: read its log at Vercel, then prepare again."
    )
