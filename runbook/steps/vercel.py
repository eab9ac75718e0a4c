"""Builds at Vercel: made, promoted, put back. Sources: https://vercel.com/docs/rest-api and
https://vercel.com/docs/instant-rollback; what they do not say is marked unverified."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any

from runbook.steps import health
from runbook.steps.call import Call, StepError
from runbook.steps.vendors import Answer, Vendor, looks

VERCEL = Vendor(
    name="Vercel",
    key="vercel",
    secret="VERCEL_API_TOKEN",
    needs="the rights of a team member who may deploy to production",
    missing="Check the names of the team and of the project.",
    status="https://www.vercel-status.com",
)
BYPASS = "x-vercel-protection-bypass"  # Vercel, Protection Bypass for Automation
_ENDED = ("ERROR", "CANCELED")  # builds that never become READY


def build(call: Call) -> dict[str, Any]:
    """Makes the next production build, which takes no domain, and does not wait for it.

    It looks for a build of the same crossing and of the same things first, so that after a kill there is still only
    one. It is not sent again when an answer was lost: the next `up` finds what was made.
    """
    made = _made(call) or _make(call)
    return {**made, "release": call.args["release"]}


def _made(call: Call) -> dict[str, Any] | None:
    query = {**team(call), "projectId": call.args["project_id"], "meta-crossing": call.trigger}
    answer = VERCEL.get(call, "/v6/deployments", params=query)
    for number in range(len(answer.objects("deployments"))):
        place = ("deployments", number)
        state = answer.text(*place, "readyState")
        same = all(answer.at(*place, "meta", name) == value for name, value in _meta(call).items())
        if same and state not in _ENDED:
            url = answer.text(*place, "url")
            return {"deployment": answer.text(*place, "uid"), "url": url, "state": state, "already": True}
    return None


def _make(call: Call) -> dict[str, Any]:
    org, _, repository = call.args["repository"].partition("/")
    env = {**call.args["env"], **_secret_env(call.secrets)}
    body = {
        "name": call.args["project"],
        "project": call.args["project_id"],
        "target": "production",
        "autoAssignCustomDomains": False,
        "gitSource": {"type": "github", "org": org, "repo": repository, "ref": call.args["release"]},
        "meta": _meta(call),
        "env": env,
        "build": {"env": env},
    }
    # forceNew: without build cache, which could carry a stale service worker over.
    query = {**team(call), "forceNew": "1", "skipAutoDetectionConfirmation": "1"}
    answer = VERCEL.ask(call, "POST", "/v13/deployments", params=query, json=body, expect=(200, 201), retry=False)
    return {
        "deployment": answer.text("id"),
        "url": answer.text("url"),
        "state": answer.text("readyState"),
        "already": False,
    }


def _meta(call: Call) -> dict[str, str]:
    """What a build is known by. The crossing alone would do, but a stack that is made anew counts from 1 again, and
    must not take an old build for its own. The secrets are told apart by their generation."""
    plain = json.dumps(call.args["env"], sort_keys=True).encode()
    return {
        "crossing": call.trigger,
        "release": call.args["release"],
        "generation": str(call.args["generation"]),
        "env": hashlib.sha256(plain).hexdigest()[:12],
    }


def _secret_env(secrets: Mapping[str, str]) -> dict[str, str]:
    return {name.removeprefix("env:"): value for name, value in secrets.items() if name.startswith("env:")}


def build_healthy(call: Call) -> dict[str, Any]:
    """The next build is READY and answers 200 at its own URL. It only looks."""
    deployment, url = _ready(call)
    bypass = call.secrets.get("VERCEL_BYPASS_SECRET")
    headers = {BYPASS: bypass} if bypass else None
    status = health.get(call, url, call.args["health"], headers=headers).status_code
    return {"deployment": deployment, "state": "READY", "status": status}


def _ready(call: Call) -> tuple[str, str]:
    deployment, state = _of_build(call), ""
    for _ in looks(call):
        answer = VERCEL.get(call, f"/v13/deployments/{deployment}", params=team(call))
        state = answer.text("readyState")
        if state == "READY":
            return deployment, answer.text("url")
        if state in _ENDED:
            raise StepError(f"The next build {deployment} is {state}: read its log at Vercel, then prepare again.")
    raise StepError(f"The next build {deployment} is still {state}: run up again when it is READY.")


def promote(call: Call) -> dict[str, Any]:
    """The next build takes the production domains.

    It looks at what serves first. Asked twice for the same build, Vercel points the same domains at it once more.
    """
    target, project = _of_build(call), _calm(call)
    was = _serving(project)
    if was == target and not _moving(project):
        return {"deployment": target, "was": was, "already": True}
    _promote(call, target)
    _until(call, target, lambda project: _serving(project) == target)
    return {"deployment": target, "was": was, "already": False}


def roll_back(call: Call) -> dict[str, Any]:
    """The build that served before serves again, the very same one. A release made outside is left alone.

    It looks at what serves first, and at a promotion that a killed flip left under way. Asked twice, Vercel points
    the same domains at the same build once more. It turns off the automatic assignment of domains until `reassign`.
    """
    target, ours = call.args["deployment"], _of_build(call, needed=False)
    project = _calm(call)
    was, ours_comes = _serving(project), bool(ours) and _moving(project, ours)
    if was == target and not ours_comes:
        return {"deployment": target, "was": was, "already": True}
    if not ours_comes and was != ours:
        why = f"{was or 'nothing'} serves, which this crossing did not promote: a release made outside stays."
        return {"deployment": was, "was": was, "left_alone": True, "why": why}
    _point(call, f"/v1/projects/{call.args['project_id']}/rollback", target)
    _until(call, target, lambda project: _serving(project) == target)
    return {"deployment": target, "was": was, "already": False}


def reassign(call: Call) -> dict[str, Any]:
    """After a rollback releases take domains again: the build that serves is promoted, which moves nothing else.

    It looks whether the assignment is off first; twice does no harm. Unverified: that a promotion of the build that
    already serves ends the rolled-back state (the documents say that a promotion does).
    """
    project = _calm(call)
    serving = _serving(project)
    if not _rolled_back(project):
        return {"deployment": serving, "already": True}
    if not serving:
        raise StepError("The project is rolled back and has no production deployment: promote one by hand at Vercel.")
    _promote(call, serving)
    _until(call, serving, lambda now: not _rolled_back(now))
    return {"deployment": serving, "already": False}


def lock(call: Call) -> dict[str, Any]:
    """What Vercel itself refuses of further releases, by app. It only looks: there is no lock to set."""
    return {app: _lock(_project(call, id)) for app, id in call.args["projects"].items()}


def _lock(project: Answer) -> dict[str, Any]:
    if _rolled_back(project) or project.at("autoAssignCustomDomains") is False:
        refuses = "new production builds take no domain until one is promoted; a promotion by hand is not refused"
        return {"assigns_domains": False, "refuses": refuses}
    return {"assigns_domains": True, "refuses": "nothing: the lock is advisory, the next release takes the domains"}


def _project(call: Call, id: str = "") -> Answer:
    return VERCEL.get(call, f"/v9/projects/{id or call.args['project_id']}", params=team(call))


def _serving(project: Answer) -> str | None:
    """Unverified: that a production build which took no domain does not show here."""
    found = project.at("targets", "production", "id")
    if found is None or isinstance(found, str):
        return found
    raise StepError(
        f"The answer to {project.asked} names no production deployment: targets.production.id is no text. Look at the"
        " project at Vercel, then run up again."
    )


def _rolled_back(project: Answer) -> bool:
    """Unverified: that a promotion empties lastRollbackTarget."""
    return bool(project.at("lastRollbackTarget"))


def _promote(call: Call, deployment: str) -> None:
    _point(call, f"/v10/projects/{call.args['project_id']}/promote", deployment)


def _point(call: Call, path: str, deployment: str) -> None:
    """Vercel answers 201 or 202 and does it in its own time. It may refuse a second such request while one to the
    same build is under way, as after a lost answer: that one is as good."""
    try:
        VERCEL.send(call, "POST", f"{path}/{deployment}", params=team(call), expect=(200, 201, 202))
    except StepError:
        if not _under_way(call, deployment):
            raise


def _under_way(call: Call, deployment: str) -> bool:
    try:
        return _moving(_project(call), deployment)
    except StepError:
        return False  # what was refused first says more


def _moving(project: Answer, deployment: str | None = None) -> bool:
    """Whether the domains are on their way to a build, to this one when named."""
    to, state = _last_request(project)
    return state in ("pending", "in-progress") and deployment in (None, to)


def _last_request(project: Answer) -> tuple[Any, Any]:
    """To which build domains were moved last, and how far that is. Unverified: Vercel's SDK has the field and its
    words, its documentation does not say when it is filled."""
    return project.at("lastAliasRequest", "toDeploymentId"), project.at("lastAliasRequest", "jobStatus")


def _calm(call: Call) -> Answer:
    """The project when its domains move nowhere, waited for during half of the time: what serves is then certain."""
    end = call.left() / 2
    for _ in looks(call):
        project = _project(call)
        if not _moving(project) or call.left() < end:
            break
    return project


def _until(call: Call, deployment: str, done: Callable[[Answer], bool]) -> None:
    where = f"project {call.args['project_id']}"
    for _ in looks(call):
        project = _project(call)
        if done(project) and not _moving(project):
            return
        if _last_request(project) == (deployment, "failed"):
            raise StepError(f"Vercel could not move {where} to {deployment}: do it by hand there, then run up again.")
    state = f"serves {_serving(project) or 'nothing'}"
    state += " and is rolled back" if _rolled_back(project) else ""
    state += ", its domains still on the way" if _moving(project) else ""
    raise StepError(f"Vercel took the request for {deployment}, but so far {where} {state}. Run up again.")


def _of_build(call: Call, needed: bool = True) -> str:
    """The deployment that the build step named."""
    for evidence in call.read.values():
        if evidence.get("deployment"):
            return str(evidence["deployment"])
    if needed:
        raise StepError("The step that makes the next build left no evidence of one. Prepare again.")
    return ""


def team(call: Call) -> dict[str, str]:
    """The query that names the team, by its slug or its id."""
    named = call.args["team"]
    return {"teamId": named} if named.startswith("team_") else {"slug": named}
