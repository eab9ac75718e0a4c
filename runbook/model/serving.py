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
from runbook.model.cutover.generations import generation_of
from runbook.model.cutover.phases import LOW_TTL
from runbook.model.cutover.sections import Side
from runbook.model.fields import TTL_AUTOMATIC, record_type
from runbook.model.objectives import Stack
from runbook.model.platform import App, Drain, Fact, Platform, Secret, Variable
from runbook.model.settings import Settings


@dataclass(frozen=True)
class Record:
    """One DNS record. `key` is its stable short name, `formerly` the one it had; `serves`: people reach an app by it,
    so it is protected. `in_use`: people may know the name, so a flip changes it only once all is ready."""

    key: str
    name: str
    type: str
    content: str
    ttl: int
    proxied: bool = False
    priority: int | None = None
    comment: str = ""
    serves: bool = False
    formerly: str | None = None
    in_use: bool = False


@dataclass(frozen=True)
class CacheRule:
    """One rule of the zone's cache settings; `ref` keeps its identity when rules move. How long, the app says: a TTL
    of ours would hold for its 404s as well, and in browsers, where no purge reaches."""

    ref: str
    description: str
    expression: str
    cache: bool


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
    return Stack(settings.platform, settings.environment, settings.side.release, settings.business_hours)


def hosts(platform: Platform, settings: Settings) -> dict[str, str]:
    """App name to host name. Settings that were read have one for every app."""
    return {app.name: host for app in platform.apps if (host := host_of(app, settings, settings.side))}


def records(
    platform: Platform, settings: Settings, leaving: Side | None = None, put_back: str = ""
) -> tuple[Record, ...]:
    """A record for every app's host, and the extra ones of the stack.

    `leaving`: the side that served until a way back that is still going on. While a cutover changes the auth host
    both names stand, and the one that is left stands until the way back is complete: a name that clients just used is
    not taken away in the same move, since a missing one is remembered for half an hour (RFC 2308).
    `put_back`: the last crossing, where it was a way back. It stands in the comment, so that each way back writes
    every name again: an update that was killed may have changed one and not have noted it, and the engine would see
    no difference.
    """
    return (
        *(record for app in platform.apps for record in _app_records(app, settings, leaving, put_back)),
        *_extra_records(settings),
    )


def takes_part(app: App, settings: Settings) -> bool:
    """Whether a flip moves the app: to another target or, for sign-in, to another host."""
    if settings.next is None:
        return False
    now, then = settings.current, settings.next
    return now.targets[app.name] != then.targets[app.name] or (app.auth and now.auth_host != then.auth_host)


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


def _app_records(app: App, settings: Settings, leaving: Side | None, put_back: str) -> Iterator[Record]:
    """One record, or while a cutover changes the auth host one for either name. Those of sign-in are keyed by their
    host, since it changes hands: a key by the app would turn one name into the other."""
    if not app.auth:
        yield _app_record(app, app.name, settings.apps[app.name].host or "", settings.side, settings, put_back)
        return
    sides = [settings.side]
    if settings.next and settings.phase.low_ttl:  # prepared, flipped, rolled back: both names stand
        sides += [settings.current, settings.next]
    by_host = {side.auth_host: side for side in reversed([*sides, *([leaving] if leaving else [])])}
    for host, side in sorted((host, side) for host, side in by_host.items() if host):
        yield _app_record(app, host, host, side, settings, put_back)


def _app_record(app: App, key: str, host: str, side: Side, settings: Settings, put_back: str) -> Record:
    reach, target = settings.apps[app.name], side.targets[app.name]
    low = settings.phase.low_ttl and takes_part(app, settings)
    normal = reach.ttl or TTL_AUTOMATIC
    return Record(
        key=key,
        name=host,
        type=record_type(target) or "CNAME",
        content=target,
        ttl=TTL_AUTOMATIC if reach.proxied else LOW_TTL if low else normal,
        proxied=reach.proxied,
        comment=f"{settings.platform} {settings.environment}: {app.title}"
        + (put_back and f", put back by {put_back}"),
        # The name that a cutover brings serves after it, and is protected then: a way back by restoring the config
        # from before has to be able to let it go.
        serves=not app.auth or host == settings.current.auth_host == settings.side.auth_host,
        formerly=app.name if app.auth and host == settings.current.auth_host else None,
        in_use=not app.auth or host == settings.current.auth_host,
    )


def cache_rules(platform: Platform, settings: Settings) -> tuple[CacheRule, ...]:
    """Per app: files named by their hash are kept (Next.js says for a year), the service worker and sign-in never.

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


def webs(platform: Platform, settings: Settings, generation: int | None = None) -> tuple[Web, ...]:
    """The apps that are on Vercel. `generation`: that of the renewed secrets; without it the side's."""
    where = hosts(platform, settings)
    number = generation or settings.side.generation
    return tuple(
        Web(
            app=app.name,
            project=project_name(app, settings),
            host=where[app.name],
            framework=vercel.framework,
            root_directory=vercel.root_directory,
            retention=settings.vercel.retention,
            env=env(platform, settings, app.name, settings.side, number),
            targets=tuple(settings.vercel.targets),
            reads_flags=vercel.reads_flags,
        )
        for app, vercel in platform.vercel_apps
    )


def project_name(app: App, settings: Settings) -> str:
    return f"{settings.platform}-{app.name}-{settings.environment}"


def env(platform: Platform, settings: Settings, name: str, side: Side, generation: int) -> tuple[EnvVar, ...]:
    """The env of one app on Vercel when this side serves, with this generation of the renewed secrets."""
    targets, host = tuple(settings.vercel.targets), hosts(platform, settings)[name]
    variables = next(vercel.variables for app, vercel in platform.vercel_apps if app.name == name)
    return (
        *(
            EnvVar(each.key, _value(each, host, settings, side, generation), targets, each.sensitive)
            for each in variables
        ),
        *(EnvVar(key, value, targets, sensitive=False) for key, value in sorted(side.env.get(name, {}).items())),
    )


def _value(variable: Variable, host: str, settings: Settings, side: Side, generation: int) -> str | SecretStr:
    match variable.value:
        case Secret(name, renewed):
            secret = settings.secrets[name]
            return generation_of(secret, name, generation) if renewed else secret
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
