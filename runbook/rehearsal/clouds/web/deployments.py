"""Vercel's deployments and which of them takes a project's production domains, as objects in the store.

A deployment is {projectId, name, url, state, target, release, env, createdAt, readyAt, meta, autoAssign, aliased,
promoted}, its secret env values marked; times are milliseconds. `aliased`: has the production domains now;
`promoted`: has had them. Per project one object of the kind PRODUCTION is {deployment, assigns, lastRollbackTarget,
lastAliasRequest}.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from runbook.rehearsal.clouds.behaviours import UNVERIFIED
from runbook.rehearsal.clouds.faults import Faults, Knob
from runbook.rehearsal.clouds.store import Held, SecretPath, Store
from runbook.rehearsal.clouds.vercel import PROJECT, VARIABLE
from runbook.rehearsal.clouds.web.asking import Fact, milliseconds

DEPLOYMENT, PRODUCTION, _PACE = "deployment", "production", "pace"
ALIASING = timedelta(seconds=0.5)

_BAKED = Fact(
    "A build serves the env it was made with: the project's for its target, overlaid by its own env and build.env.",
    "https://vercel.com/docs/environment-variables and the body of POST /v13/deployments in the API documentation",
)
_TAKES_DOMAINS = Fact(
    "A production build that is ready takes the domains, unless it, or the project, or a rollback, says not to.",
    "https://vercel.com/docs/deployments/promoting-a-deployment and vercel deploy --skip-domain",
)
_ROLLED_BACK = Fact(
    "After a rollback no new production build takes a domain, until one is promoted.",
    "https://vercel.com/docs/instant-rollback",
)
_ASYNCHRONOUS = Fact("Domains move half a second after they were asked to.", f"{UNVERIFIED}: how long it takes")
_PENDING = Fact(
    "lastAliasRequest and lastRollbackTarget tell how far it is.", "vercel CLI: commands/promote/status.ts"
)


def builds_take(store: Store, seconds: float) -> None:
    """From now on a build becomes READY so many seconds of the rehearsal's clock after it was asked for."""
    store.put(Held("vercel", _PACE, "builds", {"seconds": seconds}))


def release(store: Store, project_name: str, release: str, now: datetime) -> Held:
    """What a company does outside, `vercel deploy --prod`: a production build with the project's env as it is now.

    Raises: KeyError when there is no such project.
    """
    with store.lock:
        found = store.find("vercel", PROJECT, name=project_name)
        if not found:
            raise KeyError(f"Vercel holds no project {project_name}.")
        made = build(store, found[0], now, release=release, target="production", meta={}, env={}, auto_assign=True)
        if made.properties["readyAt"] <= milliseconds(now):
            _finish(store, made)
        return _held(store, made.id)


def build(
    store: Store,
    project: Held,
    now: datetime,
    *,
    release: str,
    target: str,
    meta: Mapping[str, str],
    env: Mapping[str, str],
    auto_assign: bool,
) -> Held:
    """A new deployment, not READY yet. `target`: production or preview."""
    id = "dpl_" + secrets.token_hex(14)
    name = project.properties["name"]
    pace = store.get("vercel", _PACE, "builds")
    wait = timedelta(seconds=pace.properties["seconds"] if pace else 0)
    baked, secret = baked_env(store, project.id, target, env)
    properties = {
        "projectId": project.id,
        "name": name,
        "url": f"{name}-{hashlib.sha256(id.encode()).hexdigest()[:9]}-standin.vercel.app",
        "state": "BUILDING",
        "target": target,
        "release": release,
        "env": baked,
        "createdAt": milliseconds(now),
        "readyAt": milliseconds(now + wait),
        "meta": dict(meta),
        "autoAssign": auto_assign,
        "aliased": False,
        "promoted": False,
    }
    made = Held("vercel", DEPLOYMENT, id, properties, secret)
    store.put(made)
    return made


def baked_env(
    store: Store, project_id: str, target: str, own: Mapping[str, str]
) -> tuple[dict[str, str], frozenset[SecretPath]]:
    """What a build made now would serve, and which of it is secret: what is not meant for browsers or readable."""
    env: dict[str, str] = {}
    readable: set[str] = set()
    for variable in store.find("vercel", VARIABLE, projectId=project_id, gitBranch=None):
        values = variable.properties
        if target in values.get("targets", []):
            env[values["key"]] = values.get("value", values.get("valueWo", ""))
            if not values.get("sensitive"):
                readable.add(values["key"])
    env |= own
    secret = {("env", key) for key in env if key not in readable and not key.startswith("NEXT_PUBLIC_")}
    return dict(sorted(env.items())), frozenset(secret)


def production(store: Store, project_id: str) -> dict[str, Any]:
    """{deployment: id or None, assigns, lastRollbackTarget, lastAliasRequest}."""
    held = store.get("vercel", PRODUCTION, project_id)
    empty = {"deployment": None, "assigns": True, "lastRollbackTarget": None, "lastAliasRequest": None}
    return empty | (held.properties if held else {})


def serving(store: Store, project_id: str) -> Held | None:
    """The deployment that has the project's production domains."""
    id = production(store, project_id)["deployment"]
    return store.get("vercel", DEPLOYMENT, id) if id else None


def request_alias(store: Store, project_id: str, deployment_id: str, kind: str, now: datetime) -> None:
    """Ask for the production domains to move: `kind` is promote or rollback. `catch_up` does it when it is due."""
    state = production(store, project_id)
    request = {
        "fromDeploymentId": state["deployment"],
        "toDeploymentId": deployment_id,
        "jobStatus": "in-progress",
        "requestedAt": milliseconds(now),
        "type": kind,
    }
    _keep(store, project_id, state | {"lastAliasRequest": request})


def catch_up(store: Store, now: datetime, faults: Faults | None = None) -> None:
    """Everything that is due by now: builds become READY and take domains, promotions and rollbacks are done."""
    due = milliseconds(now)
    with store.lock:
        for held in store.find("vercel", DEPLOYMENT, state="BUILDING"):
            never = faults is not None and faults.turned(Knob.NEVER_READY, held.properties["name"])
            if held.properties["readyAt"] <= due and not never:
                _finish(store, held)
        for held in store.find("vercel", PRODUCTION):
            request = held.properties.get("lastAliasRequest")
            if request and request["jobStatus"] == "in-progress":
                _finish_alias(store, held.id, request, due)


def _finish(store: Store, held: Held) -> None:
    store.change("vercel", DEPLOYMENT, held.id, state="READY")
    values, state = held.properties, production(store, held.properties["projectId"])
    project = store.get("vercel", PROJECT, values["projectId"])
    wanted = project is not None and project.properties.get("autoAssignCustomDomains", True)
    if values["target"] == "production" and values["autoAssign"] and wanted and state["assigns"]:
        _move(store, held, state)


def _finish_alias(store: Store, project_id: str, request: dict[str, Any], due: int) -> None:
    held = store.get("vercel", DEPLOYMENT, request["toDeploymentId"])
    waits = due < request["requestedAt"] + ALIASING / timedelta(milliseconds=1)
    if waits or held is None or held.properties["state"] != "READY":
        return
    back = request["type"] == "rollback"
    done = request | {"jobStatus": "succeeded"}
    state = production(store, project_id)
    told = {"assigns": not back, "lastAliasRequest": done, "lastRollbackTarget": done if back else None}
    _move(store, held, state | told)


def _move(store: Store, held: Held, state: dict[str, Any]) -> None:
    before = state["deployment"]
    if before and before != held.id:
        store.change("vercel", DEPLOYMENT, before, aliased=False)
    store.change("vercel", DEPLOYMENT, held.id, aliased=True, promoted=True)
    _keep(store, held.properties["projectId"], state | {"deployment": held.id})


def _keep(store: Store, project_id: str, state: dict[str, Any]) -> None:
    store.put(Held("vercel", PRODUCTION, project_id, state))


def _held(store: Store, id: str) -> Held:
    held = store.get("vercel", DEPLOYMENT, id)
    assert held is not None
    return held
