"""What clients observe, and all that the clouds hold: to be compared before and after.

before = observe(clouds, hosts), raw(clouds)
...
assert observe(clouds, hosts) == before[0]
assert not differences(before[1], raw(clouds), EXCEPTIONS).others

`proof.py` does so over a whole play, in which each exception must be needed.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from runbook.model.platform import Platform
from runbook.rehearsal.clouds import Clouds, Held, Store
from runbook.rehearsal.clouds.cloudflare import RECORD, RULESET
from runbook.rehearsal.clouds.net.cache import KEPT
from runbook.rehearsal.clouds.net.edge import file_of, fingerprint
from runbook.rehearsal.clouds.vercel import DOMAIN, PROJECT, RETENTION, VARIABLE
from runbook.rehearsal.clouds.web import auth_state, deployments, loki, slack

View = dict[str, Any]
_OURS = "rehearsal"  # what the store keeps of the rehearsal itself: its clock
_GONE = object()


@dataclass(frozen=True)
class Difference:
    """`path`: a JSON pointer (RFC 6901) into what was compared. `before` and `after` are None where there is nothing;
    secrets stand as fingerprints."""

    path: str
    before: Any
    after: Any

    def __str__(self) -> str:
        return f"{self.path}: {_short(self.before)} became {_short(self.after)}"


@dataclass(frozen=True)
class Excused:
    """A path that may differ, and why. One part of it may be *, where ids are made up: it stands for one whole part.
    A path that names an object as a whole is that object made, or where `gone` says so taken away, and lets none of
    its properties change."""

    path: str
    reason: str
    gone: bool = False

    def meets(self, found: Difference) -> bool:
        same = re.fullmatch(re.escape(self.path).replace(r"\*", "[^/]+"), found.path) is not None
        return same and (self.gone or not (found.after is None and isinstance(found.before, dict)))


@dataclass(frozen=True)
class Found:
    """What differs. `others`: what no exception names; `used`: exceptions that were needed."""

    others: tuple[Difference, ...]
    used: tuple[Excused, ...]


def hosts_of(platform: Platform, config: Mapping[str, Any], *auth_hosts: str) -> dict[str, str]:
    """Host name to health path, of each app of a stack file's config (without its namespace). `auth_hosts`: further
    names under which people may look for the auth server."""
    found: dict[str, str] = {}
    for app in platform.apps:
        host = config["current"]["authHost"] if app.auth else config["apps"][app.name]["host"]
        found |= dict.fromkeys([host, *(auth_hosts if app.auth else ())], app.health)
    return found


def observe(clouds: Clouds, hosts: Mapping[str, str]) -> View:
    """What clients and people at the vendors observe now. `hosts`: host name to health path.

    {hosts: {name: {dns: {answers, exists}, status, body, failure, files}},
    projects: {name: {settings, domains, env, assigns, serving}}, cache_rules: {zone: [...]},
    auth: {ref: {settings, custom_hostname}}}.
    `dns` is what a resolver gives that obeys TTLs and holds nothing yet, answers as [name, seconds, type, values];
    `body` names the build and the env baked into it; an env value that Vercel lets nobody read is null. `files`: the
    builds whose static files the host gives, of those that have ever served there: pages of all of them stand open in
    browsers, and ask again. What Cloudflare keeps of an answer it keeps from the first such look on.
    """
    store = clouds.store
    with store.lock:
        deployments.catch_up(store, clouds.clock.now(), clouds.faults)
    return {
        "hosts": {host: _host(clouds, host, path) for host, path in sorted(hosts.items())},
        "projects": {str(one.properties["name"]): _project(store, one) for one in store.find("vercel", PROJECT)},
        "cache_rules": {one.properties["zoneId"]: _rules(one) for one in store.find("cloudflare", RULESET)},
        "auth": {one.id: _auth(store, one.id) for one in store.find("supabase", auth_state.PROJECT)},
    }


def _host(clouds: Clouds, host: str, path: str) -> View:
    said = clouds.world.internet.cache().said(host, "A")
    answers = [[one.name, one.ttl, one.type, *one.values] for one in said.found]
    seen = {"dns": {"answers": answers, "exists": said.exists}, "files": _files(clouds, host)}
    return clouds.client_view(host, path) | seen


def _files(clouds: Clouds, host: str) -> list[str]:
    store = clouds.store
    projects = [one.properties["projectId"] for one in store.find("vercel", DOMAIN, domain=host)]
    builds = [one for id in projects for one in store.find("vercel", deployments.DEPLOYMENT, projectId=id)]
    known = [one.id for one in builds if one.properties["promoted"]]
    return [id for id in known if clouds.client_view(host, file_of(id))["status"] == 200]


def left_over(seen: View) -> str:
    """Which hosts give files of another build than the one that serves, as of an observation; "" when none does."""
    serving = {domain: one["serving"] for one in seen["projects"].values() for domain in one["domains"]}
    wrong = {host: one["files"] for host, one in seen["hosts"].items() if not {*one["files"]} <= {serving.get(host)}}
    return "; ".join(f"{host} gives those of {' and '.join(files)}" for host, files in wrong.items())


def _project(store: Store, project: Held) -> View:
    state = deployments.production(store, project.id)
    variables = store.find("vercel", VARIABLE, projectId=project.id)
    return {
        "settings": _without_secrets(project),
        "domains": sorted(one.properties["domain"] for one in store.find("vercel", DOMAIN, projectId=project.id)),
        "env": {one.properties["key"]: _variable(one) for one in variables},
        "assigns": state["assigns"],
        "serving": state["deployment"],
    }


def _variable(held: Held) -> View:
    """As Vercel shows it: the value of a sensitive one can be read by nobody."""
    values = held.properties
    value = None if values.get("sensitive") else fingerprint(str(values.get("value")))
    return {"value": value, "targets": values.get("targets"), "sensitive": bool(values.get("sensitive"))}


def _rules(ruleset: Held) -> list[View]:
    """Without their ids, which Cloudflare makes anew with each version."""
    rules: list[View] = ruleset.properties.get("rules") or []
    return [{name: value for name, value in rule.items() if name != "id"} for rule in rules]


def _auth(store: Store, ref: str) -> View:
    held = store.get("supabase", auth_state.HOSTNAME, ref)
    return {
        "settings": auth_state.settings_of(store, ref),
        "custom_hostname": held.properties if held else None,
    }


def raw(clouds: Clouds) -> dict[str, View]:
    """All that the clouds hold but for Cloudflare's cache, which is seen by clients alone: the path of each object,
    /cloud/kind/name, to its properties.

    The name is the id, or where ids are made up and people have a name for the thing, that name; the id is then one
    of the properties. Secrets are fingerprints.
    """
    store = clouds.store
    projects = {one.id: str(one.properties["name"]) for one in store.find("vercel", PROJECT)}
    held = [one for one in store.objects() if one.cloud != _OURS and one.kind != KEPT]
    names = [_name(one, projects) for one in held]
    often = Counter((one.cloud, one.kind, name) for one, name in zip(held, names, strict=True))
    found: dict[str, View] = {}
    for one, name in zip(held, names, strict=True):
        known = name and often[one.cloud, one.kind, name] == 1
        kind = one.kind.rpartition(":")[-1]
        place = _pointer(one.cloud, kind, name if known else one.id)
        found[place] = _without_secrets(one) | ({"id": one.id} if known else {})
    return found


def _name(held: Held, projects: Mapping[str, str]) -> str:
    values = held.properties
    if held.kind == RECORD:
        return f"{values['name']} {values['type']}"
    if held.kind == VARIABLE:
        return f"{projects.get(values['projectId'], values['projectId'])} {values['key']}"
    if marker := _marker(held):
        return marker
    if held.kind in (PROJECT, RETENTION):
        return projects.get(str(values.get("projectId", held.id)), "")
    return projects.get(held.id, "") if held.kind == deployments.PRODUCTION else ""


def _marker(held: Held) -> str:
    """What a crossing marked: an announcement, or a line in the logs. A reminder cannot be marked."""
    values = held.properties
    if held.kind == slack.SCHEDULED or (held.kind == slack.MESSAGE and not values["metadata"]):
        return "reminder" if values.get("scheduled", True) else "reminder sent at once"
    if held.kind == slack.MESSAGE:
        return str(values["metadata"].get("event_payload", {}).get("marker", ""))
    found = re.search(r'"cutover-event": "([^"]+)"', str(values.get("line", "")))
    return found[1] if held.kind == loki.LINE and found else ""


def _without_secrets(held: Held) -> View:
    def clean(value: Any, at: tuple[str | int, ...]) -> Any:
        if at in held.secrets:
            return fingerprint(str(value))
        if isinstance(value, dict):
            return {name: clean(inner, (*at, name)) for name, inner in value.items()}
        if isinstance(value, list):
            return [clean(inner, (*at, number)) for number, inner in enumerate(value)]
        return value

    return {name: clean(value, (name,)) for name, value in held.properties.items()}


def differences(before: Mapping[str, Any], after: Mapping[str, Any], exceptions: Sequence[Excused] = ()) -> Found:
    """What differs between two answers of `observe` or of `raw`, but for the exceptions."""
    others: list[Difference] = []
    used: list[Excused] = []
    for each in _differences(before, after):
        excused = [one for one in exceptions if one.meets(each)]
        used += excused
        others += [] if excused else [each]
    return Found(tuple(others), tuple(dict.fromkeys(used)))


def _differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Difference]:
    """The top level's keys are pointers already where they begin with a slash."""
    for name in sorted(before.keys() | after.keys()):
        at = name if name.startswith("/") else _pointer(name)
        yield from _below(at, before.get(name, _GONE), after.get(name, _GONE))


def _below(at: str, before: Any, after: Any) -> Iterator[Difference]:
    if isinstance(before, dict) and isinstance(after, dict):
        for name in sorted(before.keys() | after.keys()):
            yield from _below(f"{at}{_pointer(str(name))}", before.get(name, _GONE), after.get(name, _GONE))
    elif before != after:
        yield Difference(at, None if before is _GONE else before, None if after is _GONE else after)


def _pointer(*parts: str) -> str:
    return "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in parts)


def _short(value: Any) -> str:
    text = "nothing" if value is None else repr(value)
    return text if len(text) <= 60 else f"{text[:59]}…"
