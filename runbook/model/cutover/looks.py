"""The steps that only look: the gates before a flip, and what is verified after either switch."""

from __future__ import annotations

from collections.abc import Iterator

from runbook.model.cutover.ledger import dns_only
from runbook.model.cutover.phases import LOW_TTL, Rule
from runbook.model.cutover.scene import Scene
from runbook.model.cutover.sections import Side
from runbook.model.cutover.step import Kind, Step
from runbook.model.fields import record_type
from runbook.model.platform import App
from runbook.model.serving import hosts, stack_of, takes_part


def gates(scene: Scene) -> Iterator[Step]:
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
            after=("custom-hostname",) if app.auth else (),
        )
    names = dns_only(platform, settings)
    yield Step(
        "gate-ttl",
        Kind.TTL_SERVED,
        trigger if names and Rule.OPENS_AT not in scene.overridden else "",
        {"names": list(names), "ttl": LOW_TTL},
    )
    for name in platform.drains:
        yield Step(f"gate-{name}", Kind.DRAIN_ANSWERS, trigger, {"url": settings.drains[name]})


def verify(scene: Scene) -> Iterator[Step]:
    """What is looked at after either switch. A trigger here only says whether a step applies."""
    platform, settings = scene.platform, scene.settings
    served, side = hosts(platform, settings), settings.side
    applies = "applies"
    yield Step(
        "verify-dns",
        Kind.DNS_SERVED,
        applies,
        {
            "targets": {served[app.name]: side.targets[app.name] for app in platform.apps},
            "types": {served[app.name]: record_type(side.targets[app.name]) for app in platform.apps},
            "proxied": [served[app.name] for app in platform.apps if settings.apps[app.name].proxied],
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
        "loki_user": scene.settings.grafana.loki.user,
        "query": f"{{{labels}}}",
        "marker": marker,
    }
    return Step("verify-event", Kind.EVENT_ARRIVES, "applies", args, scene.secrets("LOKI_TOKEN"))
