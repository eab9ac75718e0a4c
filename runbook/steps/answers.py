"""The gates that ask the hosts of the apps: a target before the switch, the hosts themselves after it."""

from __future__ import annotations

import hashlib
from functools import partial
from typing import Any

import httpx

from runbook.steps import health, hosts, names
from runbook.steps.call import Call, StepError
from runbook.steps.certificates import Certificate
from runbook.steps.together import results
from runbook.steps.vercel import BYPASS
from runbook.steps.waiting import until

SETTLING = 8.0  # seconds until a promotion and a purge show at every edge


def target_answers(call: Call) -> dict[str, Any]:
    """Every address of a target answers the health path for the host, with a certificate that is valid for it. Of its
    IPv6 addresses nothing is said where it has IPv4 ones; `certificate` is the one at the first address."""
    host, path = call.args["host"], call.args["health"]
    found = names.addresses(call.reach, call.args["target"])
    works = {one: partial(health.get, call, host, path, address=one) for one in found}
    answers = results(works, call.left())
    shown = Certificate.of(answers[0].extensions["certificate"])
    return {"address": ", ".join(found), "status": answers[0].status_code, "certificate": shown.as_json()}


def healthy(call: Call) -> dict[str, Any]:
    """The host answers its health path with 200, at the addresses that a client gets which remembers nothing."""
    host = call.args["host"]

    def look() -> dict[str, Any]:
        address = names.fresh(call.reach, host)[0]
        answer = health.get(call, host, call.args["path"], address=address)
        return {"status": answer.status_code, "address": address}

    return until(call, SETTLING, look)


def worker_served(call: Call) -> dict[str, Any]:
    """The service worker that the host serves is byte for byte the one of the build.

    An older one keeps clients on the pages and the auth host of before, long after DNS has moved.
    """
    host, path = call.args["host"], call.args["path"]
    bypass = call.secrets.get("VERCEL_BYPASS_SECRET")
    build = _build_host(call)
    own = _worker(hosts.get(call, build, path, headers={BYPASS: bypass} if bypass else {}), build, path)

    def look() -> dict[str, Any]:
        answer = hosts.get(call, host, path, address=names.fresh(call.reach, host)[0])
        served = _worker(answer, host, path)
        if _sha256(served) != _sha256(own):
            raise StepError(
                f"{host}{path} is not the service worker of the build at {build}: purge the CDN for that host, or"
                " look at which build serves, and run up again."
            )
        return {"sha256": {"host": _sha256(served), "build": _sha256(own)}}

    return until(call, SETTLING, look)


def _worker(answer: httpx.Response, host: str, path: str) -> httpx.Response:
    """The same answer, which is a script: browsers take nothing else for a service worker (Service Workers, "Update":
    a JavaScript MIME type). A page for every path would be the same at the host and at the build."""
    kind = health.kind_of(answer)
    if answer.content and "javascript" in kind:
        return answer
    what = (kind or "without a content type") if answer.content else "empty"
    raise StepError(
        f"{host}{path} is {what}, which no browser takes for a service worker: look at what {host} serves there, and"
        " run up again."
    )


def _build_host(call: Call) -> str:
    urls = [str(evidence["url"]) for evidence in call.read.values() if evidence.get("url")]
    if len(urls) != 1:
        raise StepError(f"{call.name} knows no build to compare with: run up again after the build step has acted.")
    return httpx.URL(urls[0] if "://" in urls[0] else f"https://{urls[0]}").host


def _sha256(answer: httpx.Response) -> str:
    return hashlib.sha256(answer.content).hexdigest()
