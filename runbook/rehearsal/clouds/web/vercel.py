"""Vercel's REST API: projects, their env and domains, deployments, promotion and rollback."""

from __future__ import annotations

from typing import Any

from runbook.rehearsal.clouds import vercel as table
from runbook.rehearsal.clouds.behaviours import API, UNVERIFIED
from runbook.rehearsal.clouds.store import Held, Store
from runbook.rehearsal.clouds.vercel import DOMAIN, PROJECT, VARIABLE
from runbook.rehearsal.clouds.web import deployments, tokens, vercel_bodies
from runbook.rehearsal.clouds.web.asking import Answer, Ask, Fact, Refusal, Refused, Route, Vendor, known_in
from runbook.rehearsal.clouds.web.deployments import DEPLOYMENT, production
from runbook.rehearsal.clouds.web.vercel_bodies import EXTRA, WRONG

_DOCS = "https://vercel.com/docs/rest-api, "
NO_TOKEN = Refusal(403, "forbidden", "The request is missing an authentication token", UNVERIFIED)
BAD_TOKEN = Refusal(403, "forbidden", "Not authorized", _DOCS + "errors; the text is unverified")
NO_PROJECT = Refusal(404, "not_found", "Project not found", _DOCS + "errors; the text is unverified")
NO_DEPLOYMENT = Refusal(404, "not_found", "The deployment could not be found", UNVERIFIED)
NO_ROUTE = Refusal(404, "not_found", "The requested API endpoint was not found", UNVERIFIED)
MALFORMED = Refusal(400, "bad_request", "Invalid JSON, or a number that is none", UNVERIFIED)
NOT_READY = Refusal(409, "not_ready", "The deployment {id} is {state}: only a READY one can be promoted.", UNVERIFIED)
UNDER_WAY = Refusal(409, "conflict", "The production domains are already moving to {id}.", UNVERIFIED)
NEVER_SERVED = Refusal(
    422, "invalid_rollback_target", "The deployment {id} has never served production: it can only be promoted.",
    "https://vercel.com/docs/instant-rollback; status and text are unverified",
)  # fmt: skip
OF_A_TEAM = Fact("What belongs to a team is not found without its teamId or slug.", _DOCS + "welcome")
SETTINGS = (
    "autoAssignCustomDomains", "buildCommand", "devCommand", "framework", "gitForkProtection", "installCommand",
    "name", "nodeVersion", "outputDirectory", "rootDirectory",
)  # fmt: skip
SERVES = Fact("targets.production is what has the domains, not the newest production build.", UNVERIFIED)
HIDDEN = Fact("A sensitive variable's value is never given back.", "https://vercel.com/docs/environment-variables")
REBUILT = Fact(
    "Promoting a preview build makes a production build of it.",
    f"{UNVERIFIED}: the vercel CLI asks for that build itself (commands/promote/request-promote.ts)",
)


def said(refusal: Refusal, text: str) -> Any:
    return {"error": {"code": refusal.code, "message": text}}


def admit(ask: Ask) -> None:
    token = tokens.bearer(ask.request)
    if not token:
        raise Refused(NO_TOKEN)
    # The form that Vercel's provider wants of a token, see check_config in the table.
    if len(token) < 24 or not token.isalnum() or not tokens.known(ask.store, "vercel", token):
        raise Refused(BAD_TOKEN)


def project_of(ask: Ask, id: str) -> Held:
    """By id or name. Raises: Refused."""
    by_id = ask.store.get("vercel", PROJECT, id)
    for held in [by_id] if by_id else ask.store.find("vercel", PROJECT, name=id):
        if not held.properties.get("teamId") or ask.query.get("teamId") or ask.query.get("slug"):
            return held
    raise Refused(NO_PROJECT)


def deployment_of(ask: Ask, id: str) -> Held:
    """By id or url. Raises: Refused."""
    by_id = ask.store.get("vercel", DEPLOYMENT, id)
    for held in [by_id] if by_id else ask.store.find("vercel", DEPLOYMENT, url=id.removeprefix("https://")):
        project_of(ask, held.properties["projectId"])
        return held
    raise Refused(NO_DEPLOYMENT)


def _short(held: Held) -> dict[str, Any]:
    """What every answer says of a deployment."""
    values = held.properties
    state = "STAGED" if not values["promoted"] else "PROMOTED"
    substate = {"readySubstate": state} if values["state"] == "READY" and values["target"] == "production" else {}
    return {
        "name": values["name"],
        "projectId": values["projectId"],
        "url": values["url"],
        "readyState": values["state"],
        "target": values["target"] if values["target"] == "production" else None,
        "createdAt": values["createdAt"],
        "ready": values["readyAt"] if values["state"] == "READY" else None,
        "aliasAssigned": values["readyAt"] if values["aliased"] else False,
        "meta": values["meta"],
    } | substate


def _whole(store: Store, held: Held) -> dict[str, Any]:
    names = sorted(held.properties["env"])
    domains = [
        one.properties["domain"] for one in store.find("vercel", DOMAIN, projectId=held.properties["projectId"])
    ]
    return _short(held) | {
        "id": held.id,
        "status": held.properties["state"],
        "alias": domains if held.properties["aliased"] else [],
        "autoAssignCustomDomains": held.properties["autoAssign"],
        "env": names,
        "build": {"env": names},
        "gitSource": {"type": "github", "ref": held.properties["release"]},
    }


def _project(store: Store, held: Held) -> dict[str, Any]:
    state = production(store, held.id)
    serving = deployments.serving(store, held.id)
    shown = {name: held.properties.get(name) for name in SETTINGS}
    answer = shown | {
        "id": held.id,
        "accountId": held.properties.get("teamId"),
        "targets": {"production": _whole(store, serving)} if serving else {},
        "lastAliasRequest": state["lastAliasRequest"],
        "lastRollbackTarget": state["lastRollbackTarget"],
    }
    repository = held.properties.get("gitRepository")
    return answer | ({"link": repository} if repository else {})


def get_project(ask: Ask) -> Answer:
    return Answer(_project(ask.store, project_of(ask, ask.path["id"])))


def patch_project(ask: Ask) -> Answer:
    held, body = project_of(ask, ask.path["id"]), ask.json()
    for name, value in body.items():
        if name not in SETTINGS:
            raise Refused(EXTRA, name=name)
        if name in ("autoAssignCustomDomains", "gitForkProtection") and not isinstance(value, bool):
            raise Refused(WRONG, name=name, what="boolean")
    ask.store.change("vercel", PROJECT, held.id, **body)
    return get_project(ask)


def list_env(ask: Ask) -> Answer:
    held = project_of(ask, ask.path["id"])
    return Answer({"envs": [_env(ask, one) for one in ask.store.find("vercel", VARIABLE, projectId=held.id)]})


def _env(ask: Ask, held: Held) -> dict[str, Any]:
    values = held.properties
    shown = {"id": held.id, "key": values["key"], "target": values.get("targets", [])}
    shown |= {"type": "sensitive" if values.get("sensitive") else "encrypted", "gitBranch": values.get("gitBranch")}
    readable = not values.get("sensitive") and ask.query.get("decrypt") == "true"
    return shown | ({"value": values.get("value"), "decrypted": True} if readable else {"value": ""})


def list_domains(ask: Ask) -> Answer:
    held = project_of(ask, ask.path["id"])
    found = [_domain(one) for one in ask.store.find("vercel", DOMAIN, projectId=held.id)]
    return Answer({"domains": found, "pagination": {"count": len(found), "next": None, "prev": None}})


def _domain(held: Held) -> dict[str, Any]:
    names = ("projectId", "redirect", "redirectStatusCode", "gitBranch", "verified")
    return {"name": held.properties["domain"]} | {name: held.properties.get(name) for name in names}


def domain_config(ask: Ask) -> Answer:
    found = table.get_domain_config(ask.store, {"domain": ask.path["domain"]})
    ranked = {"rank": 1, "value": found["recommendedCname"]}
    return Answer({"misconfigured": found["misconfigured"], "recommendedCNAME": [ranked]})


def list_deployments(ask: Ask) -> Answer:
    """Newest first; meta-KEY=VALUE narrows, as `vercel list --meta` sends it."""
    found = list(reversed(ask.store.find("vercel", DEPLOYMENT)))
    wanted = {name.removeprefix("meta-"): value for name, value in ask.query.items() if name.startswith("meta-")}
    if "projectId" in ask.query:
        id = project_of(ask, ask.query["projectId"]).id
        found = [one for one in found if one.properties["projectId"] == id]
    for name in ("target", "state"):
        if name in ask.query:
            found = [one for one in found if one.properties[name] in ask.query[name].split(",")]
    found = [one for one in found if wanted.items() <= one.properties["meta"].items()]
    found = found[: ask.number("limit", 20)]
    shown = [_short(one) | {"uid": one.id, "state": one.properties["state"]} for one in found]
    return Answer({"deployments": shown, "pagination": {"count": len(shown), "next": None, "prev": None}})


def get_deployment(ask: Ask) -> Answer:
    return Answer(_whole(ask.store, deployment_of(ask, ask.path["id"])))


def post_deployment(ask: Ask) -> Answer:
    body = ask.json()
    vercel_bodies.check(body)
    if "deploymentId" in body:
        made = _rebuilt(
            ask, deployment_of(ask, body["deploymentId"]), body.get("target") or "preview", body.get("meta", {})
        )
    else:
        env = body.get("env", {}) | body.get("build", {}).get("env", {})
        made = deployments.build(
            ask.store,
            project_of(ask, body.get("project", body["name"])),
            ask.now,
            release=body["gitSource"].get("ref", ""),
            target=body.get("target") or "preview",
            meta=body.get("meta", {}),
            env=env,
            auto_assign=body.get("autoAssignCustomDomains", True),
        )
    return Answer(_whole(ask.store, made))


def _rebuilt(ask: Ask, held: Held, target: str, meta: dict[str, str]) -> Held:
    """The same release, built again with the project's env as it is now."""
    project = project_of(ask, held.properties["projectId"])
    values = {"release": held.properties["release"], "target": target, "meta": meta, "env": {}}
    return deployments.build(ask.store, project, ask.now, auto_assign=True, **values)


def _both(ask: Ask) -> tuple[Held, Held]:
    project, held = project_of(ask, ask.path["id"]), deployment_of(ask, ask.path["deployment"])
    if held.properties["projectId"] != project.id:
        raise Refused(NO_DEPLOYMENT)
    request = production(ask.store, project.id)["lastAliasRequest"]
    if request and request["jobStatus"] == "in-progress" and request["toDeploymentId"] != held.id:
        raise Refused(UNDER_WAY, id=request["toDeploymentId"])
    return project, held


def promote(ask: Ask) -> Answer:
    project, held = _both(ask)
    if held.properties["target"] != "production":
        held = _rebuilt(ask, held, "production", {"action": "promote"})
    elif held.properties["state"] != "READY":
        raise Refused(NOT_READY, id=held.id, state=held.properties["state"])
    already = production(ask.store, project.id)["deployment"] == held.id
    deployments.request_alias(ask.store, project.id, held.id, "promote", ask.now)
    return Answer(status=201 if already else 202)


def roll_back(ask: Ask) -> Answer:
    project, held = _both(ask)
    if not held.properties["promoted"]:
        raise Refused(NEVER_SERVED, id=held.id)
    deployments.request_alias(ask.store, project.id, held.id, "rollback", ask.now)
    return Answer(status=201)


ROUTES = [
    Route("GET", "/v9/projects/{id}", get_project, API),
    Route("PATCH", "/v9/projects/{id}", patch_project, API),
    Route("GET", "/v9/projects/{id}/env", list_env, API),
    Route("GET", "/v9/projects/{id}/domains", list_domains, API),
    Route("GET", "/v6/domains/{domain}/config", domain_config, API),
    Route("GET", "/v6/deployments", list_deployments, API),
    Route("POST", "/v13/deployments", post_deployment, API),
    Route("GET", "/v13/deployments/{id}", get_deployment, API),
    Route("POST", "/v10/projects/{id}/promote/{deployment}", promote, API),
    Route("POST", "/v1/projects/{id}/rollback/{deployment}", roll_back, API),
]
VENDOR = Vendor(
    "vercel", ROUTES, said, admit, NO_ROUTE, MALFORMED, known_in(globals() | vars(deployments) | vars(vercel_bodies)),
    deployments.catch_up,
)  # fmt: skip
