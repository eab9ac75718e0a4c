"""The steps of a stack in their order: which act now, on what, and what waits for what.

Flip: gates, the page of the way back, sessions, auth settings, CDN rules, purge, then DNS and promote, purge again,
verify, complete, tell. Sessions before the switch is the runbook's order (section 3a, 3).
Back: the page first; DNS and promote at once, waiting for nothing; everything else by itself, reported when it fails.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from pydantic import SecretStr

from runbook.model.cutover import texts
from runbook.model.cutover.ledger import COMPLETE, PURGE, left_behind
from runbook.model.cutover.looks import gates, verify
from runbook.model.cutover.phases import Direction, Phase
from runbook.model.cutover.scene import Scene, evidence_file, way_back_file
from runbook.model.cutover.step import Group, Kind, Plan, Step
from runbook.model.platform import App, Platform
from runbook.model.serving import env, hosts, project_name
from runbook.model.settings import PagerDutyContact, Settings


def plan(scene: Scene) -> Plan:
    """All steps of the stack, and what DNS records, CDN rules and env wait for. In every phase the same steps."""
    steps = [*_ready(scene), *gates(scene), *_before(scene), *_switch(scene), *_after(scene)]
    steps += _told(scene, tuple(step.name for step in steps))
    # What does not act needs neither arguments nor secrets: the state keeps what it is given.
    steps = [step if step.trigger or step.undone else replace(step, args={}, secrets={}) for step in steps]
    if not scene.flip:
        return Plan(tuple(steps), dict.fromkeys(Group, ()))
    passed = tuple(step.name for step in steps if step.trigger == scene.gate)
    there = {step.name for step in steps}
    ended = tuple(name for name in ("end-sessions", "auth-settings", "custom-hostname") if name in there)
    switch = (*ended, PURGE)
    return Plan(tuple(steps), {Group.CACHE_RULES: (*passed, *ended), Group.RECORDS: switch, Group.ENV: switch})


def _ready(scene: Scene) -> Iterator[Step]:
    """Of the preparation: the reminder, the next build, what Supabase allows, the page of the way back."""
    settings, platform = scene.settings, scene.platform
    cutover = settings.cutover
    yield Step(
        "remind",
        Kind.REMIND,
        texts.reminder_id(settings),
        texts.reminder(platform, settings),
        scene.secrets("SLACK_BOT_TOKEN"),
        # A flip takes it back, once nothing speaks against the flip: a failed gate leaves the plan as it was.
        after=_passed(scene) if scene.flip else (),
        reported=True,
        undone=True,
    )
    for app, _ in platform.vercel_apps:
        yield Step(f"build-{app.name}", Kind.BUILD, scene.prepare, *_build(scene, app))
    if platform.auth_app:
        phase = f"{scene.prepare}/{scene.ledger.tag}/{settings.phase}" if cutover or scene.back else ""
        # On a way back DNS is first: what hangs beside it would take the engine's few places from it.
        switching = ("end-sessions",) if scene.flip else (Group.RECORDS,) if scene.back else ()
        allowed = texts.auth_settings(platform, settings)
        reported = not scene.flip
        token = scene.secrets("SUPABASE_ACCESS_TOKEN")
        yield Step(
            "auth-settings",
            Kind.AUTH_SETTINGS,
            phase,
            {"refs": allowed},
            token,
            after=switching,
            reported=reported,
            # Given up, what was allowed for next is taken back; once settled there is nothing left to do.
            undone=not scene.memory.acted.get("auth-settings", "").endswith(("/settled", "/steady")),
        )
        host = texts.custom_hostname(settings, left_behind(scene.ledger, scene.memory) is not None)
        yield Step(
            "custom-hostname",
            Kind.CUSTOM_HOSTNAME,
            # Done once for a host: a flip finds it done.
            f"{scene.prepare}/{host['ref']}/{host['host']}" if host and phase else "",
            host,
            token,
            # Next's project is given its host before the gate that looks at it; nothing that serves is touched.
            after=() if scene.flip else switching,
            reported=reported,
        )
    yield Step(
        "way-back",
        Kind.WRITE,
        scene.paper,
        {"path": way_back_file(scene.settings), "text": scene.page},
        after=_named(platform, "gate-build") if scene.flip else (),
    )


def _passed(scene: Scene) -> tuple[str, ...]:
    """The gates that look in this update."""
    return tuple(step.name for step in gates(scene) if step.trigger)


def _build(scene: Scene, app: App) -> tuple[dict[str, Any], dict[str, SecretStr]]:
    settings = scene.settings
    if settings.next is None or not scene.prepare:
        return {}, {}
    generation = scene.ledger.next_generation
    variables = env(scene.platform, settings, app.name, settings.next, generation)
    args = {
        **scene.project(app),
        "project": project_name(app, settings),
        "release": settings.next.release,
        "repository": scene.platform.repository,
        "env": {each.key: each.value for each in variables if isinstance(each.value, str)},
        "generation": generation,
    }
    hidden = {f"env:{each.key}": each.value for each in variables if isinstance(each.value, SecretStr)}
    return args, {**scene.secrets("VERCEL_API_TOKEN"), **hidden}


def _before(scene: Scene) -> Iterator[Step]:
    """What is done just before the switch, and in a way back after it."""
    platform, settings = scene.platform, scene.settings
    if platform.auth_app:
        yield Step(
            "end-sessions",
            Kind.END_SESSIONS,
            scene.flip,
            {"ref": settings.current.supabase_ref},
            scene.secrets("SUPABASE_ACCESS_TOKEN"),
            after=(*_passed(scene), "way-back"),
        )
    yield replace(_purge(scene, PURGE), after=(Group.CACHE_RULES,), trigger=scene.flip)


def _purge(scene: Scene, name: str) -> Step:
    proxied = [
        host for app, host in hosts(scene.platform, scene.settings).items() if scene.settings.apps[app].proxied
    ]
    args = {"zone_id": scene.zone_id, "hosts": sorted(proxied)}
    return Step(name, Kind.PURGE, "", args, scene.secrets("CLOUDFLARE_API_TOKEN"))


def _switch(scene: Scene) -> Iterator[Step]:
    """DNS is a declared resource; the builds are switched here."""
    for app, _ in scene.platform.vercel_apps:
        name, made = f"promote-{app.name}", f"build-{app.name}"
        step = Step(
            name, Kind.PROMOTE, scene.flip, scene.project(app), scene.secrets("VERCEL_API_TOKEN"), reads=(made,)
        )
        if scene.flip:
            yield replace(step, after=(PURGE, f"gate-build-{app.name}"))
        elif scene.ledger.direction is Direction.BACK and _left(scene, name):
            yield replace(step, kind=Kind.REASSIGN, trigger=f"{scene.ledger.tag}/leave", reads=())
        else:
            before = {"deployment": scene.ledger.builds.get(app.name, "")}
            trigger = scene.back if before["deployment"] else ""
            yield replace(step, kind=Kind.ROLL_BACK, trigger=trigger, args={**scene.project(app), **before})


def _left(scene: Scene, name: str) -> bool:
    """Whether rolled-back is left behind: then Vercel assigns domains to new builds again."""
    acted, tag = scene.memory.acted.get(name, ""), scene.ledger.tag
    over = not scene.memory.open and scene.settings.phase in (Phase.STEADY, Phase.PREPARED)
    return acted == f"{tag}/leave" or (over and acted == tag)


def _after(scene: Scene) -> Iterator[Step]:
    platform = scene.platform
    switched = (Group.CACHE_RULES, Group.RECORDS, *_named(platform, "promote"))
    trigger, reported = scene.flip or scene.back, bool(scene.back)
    again = replace(_purge(scene, "purge-again"), trigger=trigger, after=switched, reported=reported)
    yield again
    for name in platform.recovery.functions:
        yield Step(
            f"function-{name}", Kind.DEPLOY_FUNCTION, *_function(scene, name), after=(Group.RECORDS,), reported=True
        )
    settled = ("auth-settings", "custom-hostname") if platform.auth_app else ()  # a login depends on them
    builds = {f"verify-{app.name}" for app, _ in platform.vercel_apps} | {"verify-event"}
    for step in verify(scene):
        # On a way back only what a build answers waits for the builds: Vercel may be down.
        first = (again.name,) if scene.flip or step.name in builds else (Group.RECORDS,)
        yield replace(step, trigger=step.trigger and trigger, after=(*first, *settled), reported=reported)


def _function(scene: Scene, name: str) -> tuple[str, dict[str, Any], dict[str, SecretStr]]:
    """From where the flip said, also when the config from before it has been restored."""
    given = scene.ledger.functions.get(name)
    if given is None:
        return "", {}, {}
    args = {"ref": scene.settings.side.supabase_ref, "slug": name, **given}
    return scene.back, args, scene.secrets("SUPABASE_ACCESS_TOKEN")


def _told(scene: Scene, done: tuple[str, ...]) -> Iterator[Step]:
    """Who is told, what is kept, and what is locked."""
    settings, platform, ledger = scene.settings, scene.platform, scene.ledger
    tag = scene.flip or scene.back
    for secret in _pagers(settings):
        yield Step(
            f"page-{secret.lower().replace('_', '-')}",
            Kind.PAGE,
            scene.back,
            texts.paged(platform, settings, ledger),
            {"PAGERDUTY_ROUTING_KEY": settings.secrets[secret]} if secret in settings.secrets else {},
            reported=True,
        )
    yield Step(
        "lock",
        Kind.LOCK,
        scene.back,
        {
            "team": scene.team,
            "projects": {app.name: scene.project(app)["project_id"] for app, _ in platform.vercel_apps},
        },
        scene.secrets("VERCEL_API_TOKEN"),
        after=_named(platform, "promote"),
        reported=True,
    )
    kept = (*done, "lock")
    yield Step(
        COMPLETE,
        Kind.COMPLETE,
        tag,
        {
            "path": evidence_file(settings, tag),
            "record": texts.record(platform, settings, ledger),
        },
        reads=kept,
        after=(*kept, *Group),
    )
    yield Step(
        "annotate",
        Kind.ANNOTATE,
        tag,
        {
            "text": texts.annotation(platform, settings, ledger),
            "tags": ["cutover", settings.platform, settings.environment],
        },
        scene.secrets("GRAFANA_AUTH"),
        after=(COMPLETE,),
        reported=True,
    )
    channel = texts.channel(settings)
    yield Step(
        "announce",
        Kind.ANNOUNCE,
        tag if channel else "",
        {"channel": channel, "text": texts.announcement(platform, settings, ledger)},
        scene.secrets("SLACK_BOT_TOKEN"),
        after=(COMPLETE,),
        reported=True,
    )


def _pagers(settings: Settings) -> list[str]:
    """Names of the secrets of everybody who can be paged."""
    contacts = [contact for owner in settings.owners.values() for contact in owner]
    return sorted({each.secret for each in contacts if isinstance(each, PagerDutyContact)})


def _named(platform: Platform, what: str) -> tuple[str, ...]:
    return tuple(f"{what}-{app.name}" for app, _ in platform.vercel_apps)
