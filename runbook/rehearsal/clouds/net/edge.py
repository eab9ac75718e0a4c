"""Vercel's edge: each domain serves the deployment that has it, with the env that the build was made with."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from werkzeug.wrappers import Request, Response

from runbook.rehearsal.clouds.faults import Faults, Knob
from runbook.rehearsal.clouds.net.clock import Clock
from runbook.rehearsal.clouds.store import Held, Store
from runbook.rehearsal.clouds.vercel import DOMAIN, LOG_DRAIN, PROJECT
from runbook.rehearsal.clouds.web import deployments, loki
from runbook.rehearsal.clouds.web.deployments import DEPLOYMENT

_OWN = ".vercel.app"
_STATIC = "/_next/static/"
_AT_ONCE = "public, max-age=0, must-revalidate"
_ADDRESSES = ("76.76.21.21", "216.150.1.1", "216.150.16.1")  # what Vercel tells people to point an apex at


def json_response(body: Any, status: int = 200) -> Response:
    return Response(json.dumps(body), status, mimetype="application/json")


def fingerprint(value: str) -> str:
    return "sha256:" + hashlib.sha256(value.encode()).hexdigest()[:12]


def file_of(build: str) -> str:
    """Where a build with this id keeps the file that each of its pages asks for."""
    return f"{_STATIC}{build}/_buildManifest.js"


class Edge:
    """Answers at every address of Vercel by the name that is asked for."""

    def __init__(self, store: Store, faults: Faults, clock: Clock) -> None:
        self._store, self._faults, self._clock = store, faults, clock

    def is_at(self, target: str) -> bool:
        return target.endswith(_OWN) or ".vercel-dns" in target or target in _ADDRESSES

    def certificate(self, target: str, host: str) -> str:
        if host.endswith(_OWN):
            return f"*{_OWN}"
        return host if self._domain(host) else "no-sni.vercel-infra.com"

    def answer(self, target: str, host: str, request: Request) -> Response:
        domain = self._domain(host)
        if domain and domain.properties.get("redirect"):
            code = int(domain.properties.get("redirectStatusCode") or 307)
            return Response("", code, {"Location": f"https://{domain.properties['redirect']}{request.full_path}"})
        deployments.catch_up(self._store, self._clock.now(), self._faults)
        build = self._build(host, domain)
        if build is None or build.properties["state"] != "READY":
            return Response("The deployment could not be found on Vercel.\n\nDEPLOYMENT_NOT_FOUND\n", 404)
        return self._page(build, host, request)

    def _page(self, build: Held, host: str, request: Request) -> Response:
        file = file_of(build.id)
        if request.path.startswith(_STATIC):
            found = Response(f"// {build.id}\n", mimetype="text/javascript") if request.path == file else _not_found()
            return _aging(found, "public, max-age=31536000, immutable" if request.path == file else _AT_ONCE)
        if request.path.endswith(".js"):
            stale = self._faults.turned(Knob.STALE_WORKER, host)
            worker = f"// service worker\nconst BUILD = {'another build' if stale else build.id!r};\n"
            return _aging(Response(worker, mimetype="text/javascript"))
        if "health" in request.path:
            self._log(build, request)
            return _aging(json_response(_health(build)))
        if request.path != "/":
            return _aging(_not_found())
        return _aging(Response(f'<title>{host}</title><script src="{file}"></script>', mimetype="text/html"))

    def _domain(self, host: str) -> Held | None:
        return next(iter(self._store.find("vercel", DOMAIN, domain=host)), None)

    def _build(self, host: str, domain: Held | None) -> Held | None:
        for build in self._store.find("vercel", DEPLOYMENT, url=host):
            return build
        if domain:
            return deployments.serving(self._store, str(domain.properties["projectId"]))
        for project in self._store.find("vercel", PROJECT, name=host.removesuffix(_OWN)):
            return deployments.serving(self._store, project.id)
        return None

    def _log(self, build: Held, request: Request) -> None:
        """A request with ?cutover-event= is logged; a drain of the project takes the line to where logs are kept.

        Its receiver is nobody's stand-in: the labels of the stream are taken from the project's name.
        """
        marker, project = request.args.get("cutover-event"), str(build.properties["projectId"])
        if not marker or not any(_drains(one, project) for one in self._store.find("vercel", LOG_DRAIN)):
            return
        platform, *_, environment = str(build.properties["name"]).split("-")
        line = json.dumps({"deploymentId": build.id, "path": request.path, "cutover-event": marker})
        loki.add_line(self._store, {"platform": platform, "environment": environment}, line, self._clock.now())


def _drains(drain: Held, project: str) -> bool:
    chosen = drain.properties.get("projectIds")  # without any it drains them all
    return "production" in drain.properties["environments"] and (not chosen or project in chosen)


def _health(build: Held) -> dict[str, Any]:
    """What the build is and the env it carries, secrets as fingerprints: what a client could tell builds apart by."""
    env = {
        key: fingerprint(str(value)) if ("env", key) in build.secrets else value
        for key, value in build.properties["env"].items()
    }
    release = build.properties["release"]
    return {"status": "ok", "deployment": build.id, "release": release, "env": env}


def _not_found() -> Response:
    return Response("Not Found", 404)


def _aging(answer: Response, control: str = _AT_ONCE) -> Response:
    answer.headers["cache-control"] = control
    return answer
