"""The steps of a stack in their order: which act now, on what, and what waits for what.

Flip: gates, the page of the way back, sessions, auth settings, CDN rules, purge, then DNS and promote, purge again,
verify, complete, tell. Sessions before the switch is the runbook's order (section 3a, 3).
Back: the page first; DNS and promote at once, waiting for nothing; everything else by itself, reported when it fails.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import SecretStr

from runbook.model.cutover import texts
from runbook.model.cutover.ledger import COMPLETE, PURGE, Ledger, Memory, dns_only
from runbook.model.cutover.phases import LOW_TTL, Direction, Phase, Rule
from runbook.model.cutover.sections import Side
from runbook.model.cutover.step import Group, Kind, Plan, Step
from runbook.model.fields import record_type
from runbook.model.platform import App, Platform
from runbook.model.serving import env, hosts, project_name, stack_of, takes_part
from runbook.model.settings import PagerDutyContact, Settings


@dataclass(frozen=True)
class Scene:
    """What the orders are made from. `page`: the way back on paper; empty where there is nothing to go back from.
    `overridden`: rules that an override lets pass in this update, each with its reason."""

    platform: Platform
    settings: Settings
    ledger: Ledger
    memory: Memory
    zone_id: str
    page: str = ""
    overridden: Mapping[Rule, str] = field(default_factory=dict)

    @property
    def live(self) -> bool:
        """Whether a crossing's steps still have something to say: its block stands, or it is not complete."""
        return self.settings.cutover is not None or self.memory.acted.get(COMPLETE, "") != self.ledger.tag

    @property
    def flip(self) -> str:
        return self.ledger.tag if self.live and self.ledger.direction is Direction.FLIP else ""

    @property
    def back(self) -> str:
        return self.ledger.tag if self.live and self.ledger.direction is Direction.BACK else ""

    @property
    def prepare(self) -> str:
        """Trigger of what makes next ready. Past the flip it stays, so that nothing is made twice."""
        return f"prepare-{self.ledger.preparation}" if self.settings.cutover and self.ledger.preparation else ""

    @property
    def gate(self) -> str:
        """Gates look again in every update until the flip is complete."""
        return f"{self.flip}/{self.ledger.attempt}" if self.flip else ""

    @property
    def team(self) -> str:
        return self.settings.vercel.team

    def secrets(self, *names: str) -> dict[str, SecretStr]:
        return {name: self.settings.secrets[name] for name in names if name in self.settings.secrets}

    def project(self, app: App) -> dict[str, Any]:
        """How Vercel's interface names an app's project."""
        return {"team": self.team, "project_id": self.ledger.projects.get(app.name, project_name(app, self.settings))}


def plan(scene: Scene) -> Plan:
    """All steps of the stack, and what DNS records, CDN rules and env wait for. In every phase the same steps."""
    steps = [*_ready(scene), *_gates(scene), *_before(scene), *_switch(scene), *_after(scene)]
    steps += _told(scene, tuple(step.name for step in steps))
    if not scene.flip:
        return Plan(tuple(steps), dict.fromkeys(Group, ()))
    gates = tuple(step.name for step in steps if step.trigger == scene.gate)
    there = {step.name for step in steps}
    ended = tuple(name for name in ("end-sessions", "auth-settings", "custom-hostname") if name in there)
    switch = (*ended, PURGE)
    return Plan(tuple(steps), {Group.CACHE_RULES: (*gates, *ended), Group.RECORDS: switch, Group.ENV: switch})


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
        reported=True,
        undone=True,
    )
    for app, _ in platform.vercel_apps:
        yield Step(f"build-{app.name}", Kind.BUILD, scene.prepare, *_build(scene, app))
    if platform.auth_app:
        phase = f"{scene.prepare}/{scene.ledger.tag}/{settings.phase}" if cutover or scene.back else ""
        switching = ("end-sessions",) if scene.flip else ()
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
        host = texts.custom_hostname(settings)
        yield Step(
            "custom-hostname",
            Kind.CUSTOM_HOSTNAME,
            phase if host else "",
            host,
            token,
            after=switching,
            reported=reported,
        )
    yield Step(
        "way-back",
        Kind.WRITE,
        scene.gate or scene.prepare if scene.page else "",
        {"path": _file(scene, "way-back", "", "md"), "text": scene.page},
        after=_named(platform, "gate-build") if scene.flip else (),
    )


def _build(scene: Scene, app: App) -> tuple[dict[str, Any], dict[str, SecretStr]]:
    settings = scene.settings
    if settings.next is None or not scene.prepare:
        return {}, {}
    generation = max(scene.ledger.generation_in_force, settings.next.generation)
    variables = env(scene.platform, settings, app.name, settings.next, generation)
    args = {
        **scene.project(app),
        "project": project_name(app, settings),
        "app": app.name,
        "release": settings.next.release,
        "repository": scene.platform.repository,
        "env": {each.key: each.value for each in variables if isinstance(each.value, str)},
        "generation": generation,
    }
    hidden = {f"env:{each.key}": each.value for each in variables if isinstance(each.value, SecretStr)}
    return args, {**scene.secrets("VERCEL_API_TOKEN"), **hidden}


def _gates(scene: Scene) -> Iterator[Step]:
    settings, platform, trigger = scene.settings, scene.platform, scene.gate
    served = hosts(platform, settings)
    for app, _ in platform.vercel_apps:
        yield Step(
            f"gate-build-{app.name}",
            Kind.BUILD_HEALTHY,
            trigger,
            {"team": scene.team, "health": app.health},
            scene.secrets("VERCEL_API_TOKEN", "VERCEL_BYPASS_SECRET"),
            reads=(f"build-{app.name}",),
            after=(f"build-{app.name}",),
        )
    for app in platform.apps:
        part = takes_part(app, settings)
        yield Step(
            f"gate-target-{app.name}",
            Kind.TARGET_ANSWERS,
            trigger if part else "",
            {"host": served[app.name], "target": settings.side.targets[app.name], "health": app.health},
        )
    names = dns_only(platform, settings)
    yield Step(
        "gate-ttl",
        Kind.TTL_SERVED,
        trigger if names and Rule.OPENS_AT not in scene.overridden else "",
        {"names": list(names), "ttl": LOW_TTL, "zone": settings.zone},
    )
    for name in platform.drains:
        yield Step(f"gate-{name}", Kind.DRAIN_ANSWERS, trigger, {"url": settings.drains[name]})


def _before(scene: Scene) -> Iterator[Step]:
    """What is done just before the switch, and in a way back after it."""
    platform, settings = scene.platform, scene.settings
    if platform.auth_app:
        gates = tuple(step.name for step in _gates(scene) if step.trigger)
        yield Step(
            "end-sessions",
            Kind.END_SESSIONS,
            scene.flip,
            {"ref": settings.current.supabase_ref},
            scene.secrets("SUPABASE_ACCESS_TOKEN"),
            after=(*gates, "way-back"),
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
        yield Step(f"function-{name}", Kind.DEPLOY_FUNCTION, *_function(scene, name), reported=True)
    settled = ("auth-settings", "custom-hostname") if platform.auth_app else ()  # a login depends on them
    for step in _verify(scene):
        yield replace(step, trigger=step.trigger and trigger, after=(again.name, *settled), reported=reported)


def _function(scene: Scene, name: str) -> tuple[str, dict[str, Any], dict[str, SecretStr]]:
    cutover = scene.settings.cutover
    if cutover is None or name not in cutover.functions:  # nothing says from where: the page names it
        return "", {}, {}
    given = cutover.functions[name]
    args = {"ref": scene.settings.side.supabase_ref, "slug": name, "source": given.source, "tag": given.tag}
    return scene.back, args, scene.secrets("SUPABASE_ACCESS_TOKEN")


def _verify(scene: Scene) -> Iterator[Step]:
    """What is looked at after either switch. A trigger here only says whether a step applies."""
    platform, settings = scene.platform, scene.settings
    served, side = hosts(platform, settings), settings.side
    applies = "applies"
    moved = platform.apps
    yield Step(
        "verify-dns",
        Kind.DNS_SERVED,
        applies,
        {
            "zone": settings.zone,
            "targets": {served[app.name]: side.targets[app.name] for app in moved},
            "types": {served[app.name]: record_type(side.targets[app.name]) for app in moved},
            "proxied": [served[app.name] for app in moved if settings.apps[app.name].proxied],
        },
    )
    for app in platform.apps:
        yield Step(f"verify-{app.name}", Kind.HEALTHY, applies, {"host": served[app.name], "path": app.health})
    for app, _ in platform.vercel_apps:
        if app.service_worker:
            # Only a flip knows which build has to serve; a way back may find a release made outside.
            yield Step(
                f"verify-worker-{app.name}",
                Kind.WORKER_SERVED,
                applies if scene.flip else "",
                {"host": served[app.name], "path": app.service_worker},
                scene.secrets("VERCEL_BYPASS_SECRET"),
                reads=(f"build-{app.name}",),
            )
    if platform.auth_app:
        yield _login(scene, served, side)
    logged = next((app for app, _ in platform.vercel_apps), None)
    if logged:
        yield _event(scene, served[logged.name], logged)


def _login(scene: Scene, served: dict[str, str], side: Side) -> Step:
    platform, settings = scene.platform, scene.settings
    first = next((app for app, _ in platform.vercel_apps), None)
    secrets = scene.secrets("LOGIN_EMAIL", "LOGIN_PASSWORD", "LOGIN_API_KEY")
    if side.supabase_ref != settings.current.supabase_ref and "LOGIN_API_KEY_NEXT" in settings.secrets:
        secrets["LOGIN_API_KEY"] = settings.secrets["LOGIN_API_KEY_NEXT"]
    args = {
        "auth_host": side.auth_host,
        "issuer": f"https://{side.auth_host}/auth/v1",
        "app_url": f"https://{served[first.name]}" if first else f"https://{side.auth_host}",
    }
    return Step("verify-login", Kind.LOGIN, "applies" if len(secrets) == 3 else "", args, secrets)


def _event(scene: Scene, host: str, app: App) -> Step:
    marker = f"cutover-{scene.ledger.tag}-{scene.ledger.attempt}"
    stack = stack_of(scene.settings)
    labels = ", ".join(f'{key}="{value}"' for key, value in sorted(stack.labels.items()))
    args = {
        "url": f"https://{host}{app.health}?cutover-event={marker}",
        "host": host,
        "path": f"{app.health}?cutover-event={marker}",
        "loki_user": scene.settings.grafana.loki.user,
        "query": f"{{{labels}}}",
        "marker": marker,
    }
    return Step("verify-event", Kind.EVENT_ARRIVES, "applies", args, scene.secrets("LOKI_TOKEN"))


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
            "path": _file(scene, "evidence", tag, "json"),
            "record": texts.record(platform, settings, ledger, scene.overridden),
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


def _file(scene: Scene, what: str, tag: str, ending: str) -> str:
    """Where a file of this stack is written, such as out/evidence/ibimina-prod-1-flip.json."""
    name = "-".join(filter(None, (stack_of(scene.settings).name, tag)))
    return f"{scene.settings.endpoints.out}/{what}/{name}.{ending}"
