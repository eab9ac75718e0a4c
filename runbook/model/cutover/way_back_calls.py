"""The steps of the way back that curl does: DNS, builds, Supabase, caches, and the look at what answers then."""

from __future__ import annotations

import json
from collections.abc import Iterator
from shlex import quote
from urllib.parse import quote as in_url

from runbook.model.cutover.paper import Scene, address, block, point, prose
from runbook.model.serving import project_name, takes_part

# Secret to the function that asks its vendor with it, and what the token has to be allowed.
TOKENS = {
    "CLOUDFLARE_API_TOKEN": ("ask_cloudflare", "edit DNS and purge caches in the zone"),
    "VERCEL_API_TOKEN": ("ask_vercel", "deploy to production in the team"),
    "SUPABASE_ACCESS_TOKEN": ("ask_supabase", "administer the Supabase projects"),
}
# The answer is shown with its status; 429 and 5xx are asked again, after Retry-After where there is one.
_CALL = """call() {
  curl --fail-with-body --silent --show-error --max-time 30 --retry 3 \\
    --write-out '\\n%{http_code} %{url_effective}\\n' "$@"
}"""
# The token reaches curl on its standard input: a command line can be read by every process of the machine.
_ASK = """%s() {
  call --header @- --header 'Content-Type: application/json' "$@" <<END
Authorization: Bearer $%s
END
}"""


def tokens(scene: Scene) -> list[str]:
    """Names of the secrets that the steps need."""
    needed = {"VERCEL_API_TOKEN": bool(scene.platform.vercel_apps), "SUPABASE_ACCESS_TOKEN": scene.new_auth_project}
    return [name for name in TOKENS if needed.get(name, True)]


def prepared_shell(scene: Scene) -> str:
    """The block that all others need. It has no comments: an interactive zsh would take them for commands."""
    names = tokens(scene)
    checks = [f': "${{{name}:?is not set}}"' for name in names]
    return block(*checks, _CALL, *(_ASK % (TOKENS[name][0], name) for name in names))


def dns(scene: Scene) -> list[str]:
    """Each record that the flip changes. Its type stays: Cloudflare changes none of a name in use."""
    moving = [app for app in scene.platform.apps if takes_part(app, scene.settings)]
    if not moving:
        return []
    ids = {(each.name, each.type): each.id for each in scene.observed.records}
    calls, unseen = [], []
    for app in moving:
        record = scene.record(app)
        id = ids.get((scene.host(app), str(record["type"])))
        if id:
            url = address(scene.settings.endpoints.cloudflare, "zones", scene.zone_id, "dns_records", id)
            values = {key: record[key] for key in ("content", "ttl", "proxied")}
            calls.append(f"ask_cloudflare --request PATCH {url} \\\n  --data {quote(json.dumps(values))}")
        else:
            said = "The record of {name} was not seen, so its id is not known here. In Cloudflare's dashboard, DNS, "
            rest = "Records, make {name} a {type} record to {content}, TTL {ttl}."
            unseen.append(prose((said + rest).format_map(record)))
    title, what = "Put DNS back", "Each record gets its target from before, and keeps its id and its type."
    return [title, prose(what), *([block(*calls)] if calls else []), *unseen, *_gone(scene)]


def _gone(scene: Scene) -> list[str]:
    """A settled cutover to a new auth host has taken the old name away."""
    app = scene.platform.auth_app
    if app is None or not scene.new_auth_host:
        return []
    url = address(scene.settings.endpoints.cloudflare, "zones", scene.zone_id, "dns_records")
    return [
        prose(
            f"{scene.then.auth_host} stays where it is: clients that learned it still ask for it. Only if the answer "
            f"for {scene.now.auth_host} is 404, because the cutover was settled, make its record anew:"
        ),
        block(
            f"ask_cloudflare --request POST {url} \\\n  --data {quote(json.dumps(scene.record(app)))}", fence="text"
        ),
    ]


def builds(scene: Scene) -> list[str]:
    """The very builds that served before, by Vercel's instant rollback."""
    team = scene.settings.vercel.team
    query = f"?{'teamId' if team.startswith('team_') else 'slug'}={in_url(team, safe='')}"
    calls, points = [], []
    for app, _ in scene.platform.vercel_apps:
        deployment, project = scene.builds.get(app.name), project_name(app, scene.settings)
        if deployment is None:
            hand = f"In Vercel's dashboard, project {project}, Deployments, take the newest of {scene.now.release}"
            points.append(point(f"{app.title}: the build that served was not seen. {hand}, Instant Rollback."))
            continue
        points.append(point(f"{app.title}: {deployment} of project {project}"))
        id = scene.observed.project_ids.get(app.name, project)
        url = address(scene.settings.endpoints.vercel, "v1", "projects", id, "rollback", deployment, query=query)
        calls.append(f"ask_vercel --request POST {url} \\\n  --data '{{}}'")
    if not points:
        return []
    return [
        "Put the builds back",
        prose(
            "The very builds that served before take the domains again, within seconds and without a new build. If "
            "somebody has released since the flip (the dashboard's Deployments show which is Current), ask them "
            "first. From then on new production builds take no domain until one is promoted: that is wanted now."
        ),
        "\n".join(points),
        *([block(*calls)] if calls else []),
    ]


def supabase(scene: Scene) -> list[str]:
    """The custom host name. What a project lets logins lead back to is its own and was not taken away: only a cutover
    to another project moves sign-in."""
    if not scene.new_auth_project:
        return []
    base = (scene.settings.endpoints.supabase, "v1", "projects", scene.now.supabase_ref, "custom-hostname")
    return [
        "Let Supabase answer as before",
        prose(
            f"Project {scene.now.supabase_ref} has to answer as {scene.now.auth_host} again. If it still does, this "
            "block only shows its status, 5_services_reconfigured. If activate fails, wait a minute and paste the "
            "block again: DNS has to be seen first. The project's redirect URLs are still as they were."
        ),
        block(
            f"if ask_supabase {address(*base)} | grep 5_services_reconfigured; then :; else",
            f"  ask_supabase --request POST {address(*base, 'reverify')} --data '{{}}'",
            f"  ask_supabase --request POST {address(*base, 'activate')} --data '{{}}'",
            "fi",
        ),
    ]


def purge(scene: Scene) -> list[str]:
    proxied = [app for app in scene.platform.apps if scene.proxied(app)]
    if not proxied:
        return []
    url = address(scene.settings.endpoints.cloudflare, "zones", scene.zone_id, "purge_cache")
    names = json.dumps({"hosts": sorted(scene.host(app) for app in proxied)})
    body = [
        "Empty Cloudflare's caches",
        prose("Nothing of the builds that are left may stay. The Free plan lets five purges a minute through."),
        block(f"ask_cloudflare --request POST {url} \\\n  --data {quote(names)}"),
    ]
    if scene.new_auth_host and any(app.auth for app in proxied):
        body.append(prose(f"In the dashboard, Caching, Cache Rules, let that of sign-in name {scene.now.auth_host}."))
    return body


def check(scene: Scene) -> list[str]:
    ends = scene.settings.endpoints
    port = "" if ends.https_port == 443 else f":{ends.https_port}"
    trust = f"--cacert {quote(ends.ca)} " if ends.ca else ""
    plain = [app for app in scene.platform.apps if not scene.proxied(app)]
    body = [
        "Check",
        prose(
            "Each app answers 200. Your own resolver may hold the other target for a minute, and Vercel needs some "
            "seconds to move its domains: then look again."
        ),
        block(*(f"call {trust}https://{scene.host(app)}{port}{app.health}" for app in scene.platform.apps)),
    ]
    if plain:
        told = ", ".join(f"{scene.host(app)} is {scene.now.targets[app.name]}" for app in plain)
        names = " ".join(scene.host(app) for app in plain)
        body += [prose(f"The zone's own servers say at once: {told}."), block(*_asked(scene, names), fence="text")]
    return [*body, *_login(scene)]


def _asked(scene: Scene, names: str) -> Iterator[str]:
    yield f"for server in $(dig +short NS {scene.settings.zone}); do"
    yield f'  for name in {names}; do dig +norecurse +noall +answer "@$server" "$name"; done'
    yield "done"


def _login(scene: Scene) -> Iterator[str]:
    if scene.platform.auth_app and scene.platform.vercel_apps:
        home = f"https://{scene.host(scene.platform.vercel_apps[0][0])}"
        asked = scene.now.auth_host or f"{scene.now.supabase_ref}.supabase.co"
        yield prose(f"Sign in at {home} in a private window: it asks {asked} and comes back to {home}.")
