"""The parts of an observation, each an `Observed` in which only its own fields are filled."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from functools import partial

from runbook.model.cutover.observed import Observed, SeenBuild, SeenRecord, Wanted
from runbook.steps import names
from runbook.steps.call import Call, StepError
from runbook.steps.cloudflare import CLOUDFLARE
from runbook.steps.supabase import SUPABASE
from runbook.steps.together import results, sentence, together
from runbook.steps.vendors import Answer
from runbook.steps.vercel import VERCEL, team

_RECORDS = replace(CLOUDFLARE, needs="the permission DNS Read of the zone")
_BUILDS = replace(VERCEL, needs="a member of the team")


def parts(call: Call, wanted: Wanted) -> dict[str, Callable[[], Observed]]:
    """What is to be asked, by the name under which a failure is told."""
    works: dict[str, Callable[[], Observed]] = {"records": partial(_records, call, wanted)}
    if wanted.names:
        works["served ttl"] = partial(_served, call, wanted)
    works |= {f"project {app}": partial(_project, call, app, name) for app, name in wanted.projects.items()}
    works |= {f"build {app}": partial(_build, call, app, id) for app, id in wanted.builds.items()}
    if wanted.auth_ref:
        works["auth settings"] = partial(_auth, call, wanted.auth_ref)
    return works


def _records(call: Call, wanted: Wanted) -> Observed:
    zones = _RECORDS.get(call, "/zones", params={"name": wanted.zone})
    if not zones.objects("result"):
        raise StepError(
            f"Cloudflare shows no zone {wanted.zone}: check runbook:zone, and that CLOUDFLARE_API_TOKEN may read it."
        )
    zone = zones.text("result", 0, "id")
    path = f"/zones/{zone}/dns_records"
    works = {name: partial(_RECORDS.get, call, path, params={"name": name}) for name in wanted.names}
    listings = results(works, call.left())
    records = (_record(listing, number) for listing in listings for number in range(len(listing.objects("result"))))
    return Observed(zone_id=zone, records=tuple(records))


def _record(listing: Answer, number: int) -> SeenRecord:
    def text(name: str) -> str:
        return listing.text("result", number, name)

    return SeenRecord(
        id=text("id"),
        name=text("name"),
        type=text("type"),
        content=text("content"),
        ttl=listing.number("result", number, "ttl"),
        proxied=listing.at("result", number, "proxied") is True,
        modified=datetime.fromisoformat(text("modified_on")),
    )


def _served(call: Call, wanted: Wanted) -> Observed:
    """A name that no server knows has no TTL. One server that does not answer takes away only what it was asked."""
    reach = call.reach
    servers = names.servers(reach, wanted.zone)
    works: dict[str, Callable[[], int | None]] = {name: partial(_ttl, call, name, servers) for name in wanted.names}
    works[wanted.zone + " SOA"] = partial(names.negative_ttl, reach, wanted.zone, call.left(), servers)
    done = together(works, call.left())
    negative = done.pop(wanted.zone + " SOA")
    wrong = {sentence(one): None for one in (*done.values(), negative) if isinstance(one, Exception)}
    return Observed(
        served_ttl={name: ttl for name, ttl in done.items() if isinstance(ttl, int)},
        negative_ttl=negative if isinstance(negative, int) else None,
        failures={"served ttl": " ".join(wrong)} if wrong else {},
    )


def _ttl(call: Call, name: str, servers: tuple[names.Server, ...]) -> int | None:
    seen = names.served(call.reach, name, seconds=call.left(), among=servers)
    return max((one.ttl for one in seen if one.ttl is not None), default=None)


def _project(call: Call, app: str, name: str) -> Observed:
    project = _BUILDS.get(call, f"/v9/projects/{name}", params=team(call))
    ids = {app: project.text("id")}
    if not isinstance(project.at("targets", "production"), dict):
        return Observed(project_ids=ids)  # nothing was released yet
    return Observed(project_ids=ids, serving={app: _seen(project, "targets", "production")})


def _build(call: Call, app: str, id: str) -> Observed:
    return Observed(next_builds={app: _seen(_BUILDS.get(call, f"/v13/deployments/{id}", params=team(call)))})


def _seen(answer: Answer, *path: str) -> SeenBuild:
    return SeenBuild(answer.text(*path, "id"), answer.text(*path, "url"), answer.text(*path, "readyState"))


def _auth(call: Call, ref: str) -> Observed:
    return Observed(jwt_exp=SUPABASE.get(call, f"/v1/projects/{ref}/config/auth").number("jwt_exp"))
