"""What serves: DNS records, cache rules, Vercel apps and outside checks that a stack's settings ask for.

Plain data, one entry per resource that a cloud can see, in the order of the platform's apps. Components turn each
entry into a resource and decide nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from pydantic import SecretStr

from runbook.model.checks import host_of
from runbook.model.fields import TTL_AUTOMATIC, record_type
from runbook.model.objectives import Stack
from runbook.model.platform import App, Drain, Fact, Platform, Secret, Variable
from runbook.model.settings import Settings

YEAR = 31_536_000  # what Next.js itself sends for files whose name holds their hash


@dataclass(frozen=True)
class Record:
    """One DNS record. `key` is its stable short name; `serves`: people reach an app by it, so it is protected."""

    key: str
    name: str
    type: str
    content: str
    ttl: int
    proxied: bool = False
    priority: int | None = None
    comment: str = ""
    serves: bool = False


@dataclass(frozen=True)
class CacheRule:
    """One rule of the zone's cache settings; `ref` keeps its identity when rules move. TTLs are in seconds and
    override what the app sends; None leaves it to the app."""

    ref: str
    description: str
    expression: str
    cache: bool
    edge_ttl: int | None = None
    browser_ttl: int | None = None


@dataclass(frozen=True)
class EnvVar:
    key: str
    value: str | SecretStr
    targets: tuple[str, ...]
    sensitive: bool


@dataclass(frozen=True)
class Web:
    """One app on Vercel: its project, domain and env vars."""

    app: str
    project: str
    host: str
    framework: str
    root_directory: str
    retention: str
    env: tuple[EnvVar, ...]
    targets: tuple[str, ...]
    reads_flags: bool


@dataclass(frozen=True)
class DrainTarget:
    name: str
    endpoint: str
    environments: tuple[str, ...]


@dataclass(frozen=True)
class UptimeCheck:
    """A check from outside, on every probe, each minute."""

    app: str
    job: str
    url: str
    labels: Mapping[str, str] = field(default_factory=dict)


def stack_of(settings: Settings) -> Stack:
    return Stack(settings.platform, settings.environment, settings.current.release, settings.business_hours)


def hosts(platform: Platform, settings: Settings) -> dict[str, str]:
    """App name to host name. Settings that were read have one for every app."""
    return {app.name: host for app in platform.apps if (host := host_of(app, settings))}


def records(platform: Platform, settings: Settings) -> tuple[Record, ...]:
    """A record for every app's host, and the extra ones of the stack."""
    return (
        *(_app_record(app, host, settings) for app, host in _hosted(platform, settings)),
        *_extra_records(settings),
    )


def _extra_records(settings: Settings) -> Iterator[Record]:
    """Keyed by type and name; the second record of a name gets a number, so that others keep theirs."""
    seen: Counter[str] = Counter()
    for record in settings.records:
        key = f"{record.type.lower()}-{record.name}"
        seen[key] += 1
        yield Record(
            key=key if seen[key] == 1 else f"{key}-{seen[key]}",
            name=record.name,
            type=record.type,
            content=record.content,
            ttl=record.ttl,
            priority=record.priority,
        )


def _app_record(app: App, host: str, settings: Settings) -> Record:
    reach, target = settings.apps[app.name], settings.current.targets[app.name]
    return Record(
        key=app.name,
        name=host,
        type=record_type(target) or "CNAME",
        content=target,
        ttl=TTL_AUTOMATIC if reach.proxied else reach.ttl or TTL_AUTOMATIC,
        proxied=reach.proxied,
        comment=f"{settings.platform} {settings.environment}: {app.title}",
        serves=True,
    )


def cache_rules(platform: Platform, settings: Settings) -> tuple[CacheRule, ...]:
    """Per app: files named by their hash stay a year, the service worker never, sign-in never.

    Order matters: where several rules match, Cloudflare lets the last one win.
    """
    rules: list[CacheRule] = []
    for app, host in _hosted(platform, settings):
        if app.auth:
            rules.append(
                CacheRule(
                    "auth-host",
                    "Sign-in is never cached: this rule pins the auth host and changes with it at a flip",
                    f'http.host eq "{host}"',
                    cache=False,
                )
            )
            continue
        if app.vercel:
            rules.append(
                CacheRule(
                    f"{app.name}-static",
                    f"{app.title}: files named by their hash",
                    f'http.host eq "{host}" and starts_with(http.request.uri.path, "/_next/static/")',
                    cache=True,
                    edge_ttl=YEAR,
                    browser_ttl=YEAR,
                )
            )
        never = ['starts_with(http.request.uri.path, "/api/")', f'http.request.uri.path eq "{app.health}"']
        if app.service_worker:
            never.append(f'http.request.uri.path eq "{app.service_worker}"')
        rules.append(
            CacheRule(
                f"{app.name}-never",
                f"{app.title}: answers, health and service worker come from the app itself",
                f'http.host eq "{host}" and ({" or ".join(never)})',
                cache=False,
            )
        )
    return tuple(rules)


def webs(platform: Platform, settings: Settings) -> tuple[Web, ...]:
    """The apps that are on Vercel."""
    targets = tuple(settings.vercel.targets)
    where = hosts(platform, settings)
    return tuple(
        Web(
            app=app.name,
            project=f"{settings.platform}-{app.name}-{settings.environment}",
            host=where[app.name],
            framework=vercel.framework,
            root_directory=vercel.root_directory,
            retention=settings.vercel.retention,
            env=(
                *(
                    EnvVar(each.key, _value(each, where[app.name], settings), targets, each.sensitive)
                    for each in vercel.variables
                ),
                *(
                    EnvVar(key, value, targets, sensitive=False)
                    for key, value in sorted(settings.current.env.get(app.name, {}).items())
                ),
            ),
            targets=targets,
            reads_flags=vercel.reads_flags,
        )
        for app, vercel in platform.vercel_apps
    )


def _value(variable: Variable, host: str, settings: Settings) -> str | SecretStr:
    side = settings.current
    match variable.value:
        case Secret(name):
            return settings.secrets[name]
        case Drain(name):
            return settings.drains[name]
        case Fact.APP_URL:
            return f"https://{host}"
        case Fact.SUPABASE_REF:
            return side.supabase_ref
        case Fact.SUPABASE_URL:
            return f"https://{side.auth_host or side.supabase_ref + '.supabase.co'}"


def log_drain(platform: Platform, settings: Settings) -> DrainTarget:
    return _drain(settings, "logs", platform.log_drain)


def trace_drain(platform: Platform, settings: Settings) -> DrainTarget | None:
    return _drain(settings, "traces", platform.trace_drain) if platform.trace_drain else None


def _drain(settings: Settings, what: str, key: str) -> DrainTarget:
    # Vercel's drains know production and preview; development runs on people's own machines.
    kept = tuple(target for target in settings.vercel.targets if target != "development")
    return DrainTarget(f"{stack_of(settings).name}-{what}", settings.drains[key], kept)


def uptime_checks(platform: Platform, settings: Settings) -> tuple[UptimeCheck, ...]:
    """A check from outside for every app, on Vercel or not."""
    stack = stack_of(settings)
    return tuple(
        UptimeCheck(
            app.name,
            stack.check_job(app.name),
            f"https://{host}{app.health}",
            {**stack.labels, "app": app.name},
        )
        for app, host in _hosted(platform, settings)
    )


def _hosted(platform: Platform, settings: Settings) -> list[tuple[App, str]]:
    where = hosts(platform, settings)
    return [(app, where[app.name]) for app in platform.apps]
