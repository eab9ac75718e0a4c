"""Checks across sections of the stack config, and between it and the platform.

What the vendors let through in preview and fail, obey or lose later is refused here with its own message.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping

from runbook.model.cutover.sections import Side
from runbook.model.fields import TTL_AUTOMATIC, TTL_LEAST, TTL_MOST
from runbook.model.platform import App, Platform
from runbook.model.problems import Problem, Said, nearest, path
from runbook.model.settings import Settings

Check = Callable[[Platform, Settings], Iterable[Problem]]
CHECKS: list[tuple[frozenset[str], Check]] = []


def needs(*sections: str) -> Callable[[Check], Check]:
    """Registers a check that reads these sections only; it is left out while one of them is not sound."""

    def register(check: Check) -> Check:
        CHECKS.append((frozenset(sections), check))
        return check

    return register


def host_of(app: App, settings: Settings, side: Side) -> str | None:
    """The app's host name when this side serves: the auth app's is the side's. Needs the section apps."""
    if app.auth:
        return side.auth_host
    configured = settings.apps.get(app.name)
    return configured.host if configured else None


@needs("apps")
def every_app_is_configured(platform: Platform, settings: Settings) -> Iterator[Problem]:
    yield from same_names(platform, "apps", [app.name for app in platform.apps], settings.apps, "app")


@needs("current")
def every_app_has_a_target(platform: Platform, settings: Settings) -> Iterator[Problem]:
    apps = [app.name for app in platform.apps]
    yield from same_names(platform, "current.targets", apps, settings.current.targets, "app")


@needs("drains")
def required_drains_are_set(platform: Platform, settings: Settings) -> Iterator[Problem]:
    yield from same_names(platform, "drains", platform.drains, settings.drains, "drain")


@needs("owners")
def every_owner_can_be_reached(platform: Platform, settings: Settings) -> Iterator[Problem]:
    yield from same_names(platform, "owners", [owner.name for owner in platform.owners], settings.owners, "owner")
    for owner, contacts in settings.owners.items():
        if not contacts:
            yield Problem(
                path("owners", owner),
                Said.EMPTY,
                "At least one contact: Grafana refuses a contact point that notifies nobody.",
                "Add a contact of kind slack, pagerduty, webhook or email.",
            )


@needs("flags")
def every_flag_is_set(platform: Platform, settings: Settings) -> Iterator[Problem]:
    yield from same_names(platform, "flags", platform.flags, settings.flags, "flag")


@needs("apps", "current", "zone")
def hosts_stand_in_the_zone(platform: Platform, settings: Settings) -> Iterator[Problem]:
    seen: Counter[str] = Counter()
    for app in platform.apps:
        at = path("current", "authHost") if app.auth else path("apps", app.name, "host")
        host = host_of(app, settings, settings.current)
        if host is None:
            if app.auth or app.name in settings.apps:
                yield Problem(at, Said.MISSING, f"The host name at which people reach {app.title}.", "Add it.")
            continue
        seen[host] += 1
        if seen[host] == 2:
            yield Problem(
                at, host, "A host of its own for each app; another app has this one.", "Write another name."
            )
        if not in_zone(host, settings.zone):
            yield outside_zone(at, host, settings.zone)
    for app in platform.apps:
        if app.auth and app.name in settings.apps and settings.apps[app.name].host:
            yield Problem(
                path("apps", app.name, "host"),
                settings.apps[app.name].host,
                "No host here: sign-in's belongs to the side that serves, so that a flip can change it.",
                "Remove it; current.authHost is the place.",
            )
    if platform.auth_app is None and settings.current.auth_host:
        yield Problem(
            path("current", "authHost"),
            settings.current.auth_host,
            f"Nothing: {platform.title} has no app that carries sign-in.",
            "Remove it.",
        )


@needs("apps")
def ttl_fits_the_proxy(platform: Platform, settings: Settings) -> Iterator[Problem]:
    for name, app in settings.apps.items():
        if app.proxied and app.ttl not in (None, TTL_AUTOMATIC):
            yield Problem(
                path("apps", name, "ttl"),
                app.ttl,
                "1 (automatic): a proxied name has no other TTL, and Cloudflare says so only during up.",
                "Remove ttl, or write proxied: false.",
            )
        if not app.proxied and app.ttl is None:
            yield Problem(
                path("apps", name, "ttl"),
                Said.MISSING,
                f"1 (automatic) or {TTL_LEAST} to {TTL_MOST} seconds where not proxied; a flip waits that long.",
                "Add ttl, or write proxied: true.",
            )


@needs("records", "zone", "apps", "current")
def extra_records_are_whole(platform: Platform, settings: Settings) -> Iterator[Problem]:
    hosts = {host_of(app, settings, settings.current) for app in platform.apps}
    ttls: dict[tuple[str, str], int] = {}
    for index, record in enumerate(settings.records):
        at = path("records", index)
        if not in_zone(record.name, settings.zone):
            yield outside_zone(f"{at}.name", record.name, settings.zone)
        if record.name in hosts:
            yield Problem(
                f"{at}.name",
                record.name,
                "A name that no app has: an app's may be a CNAME, which allows no record beside it.",
                "Write another name.",
            )
        if record.type == "TXT" and not (record.content.startswith('"') and record.content.endswith('"')):
            yield Problem(
                f"{at}.content",
                record.content,
                "A text in double quotes of its own: without them every preview shows a change of this record.",
                """Write it as '"..."': double quotes inside single ones.""",
            )
        if record.type == "MX" and record.priority is None:
            yield Problem(
                f"{at}.priority", Said.MISSING, "A whole number from 0 to 65535 for MX.", "Add priority: 10."
            )
        if record.type != "MX" and record.priority is not None:
            yield Problem(
                f"{at}.priority", record.priority, "Nothing: only an MX record has a priority.", "Remove it."
            )
        if record in settings.records[:index]:
            yield Problem(at, record.content, "Each record once.", "Remove one of the two.")
        rrset = (record.name, record.type)
        if ttls.setdefault(rrset, record.ttl) != record.ttl:
            yield Problem(
                f"{at}.ttl",
                record.ttl,
                "All records of one name and type share one TTL (RFC 2181, 5.2).",
                f"Write {ttls[rrset]}, or change the others as well.",
            )


@needs("current", "apps")
def targets_are_not_their_own_host(platform: Platform, settings: Settings) -> Iterator[Problem]:
    for app in platform.apps:
        target, host = settings.current.targets.get(app.name), host_of(app, settings, settings.current)
        if target is not None:
            yield from not_its_own_host(path("current", "targets", app.name), target, host)


def not_its_own_host(at: str, target: str, host: str | None) -> Iterator[Problem]:
    if target == host:
        yield Problem(
            at,
            target,
            "A name or address other than the app's own host, which would point at itself.",
            "Write what answers for the app, such as the name that Vercel shows for it.",
        )


@needs("current")
def extra_env_declares_nothing_twice(platform: Platform, settings: Settings) -> Iterator[Problem]:
    yield from undeclared_env(platform, settings.current.env, "current")


def undeclared_env(platform: Platform, env: Mapping[str, Mapping[str, str]], *side: str) -> Iterator[Problem]:
    """Further env values of a side are for apps on Vercel, and for keys that the platform does not set."""
    declared = {app.name: {variable.key for variable in vercel.variables} for app, vercel in platform.vercel_apps}
    for app, values in env.items():
        at = path(*side, "env", app)
        if app not in declared:
            edit = f"Write {nearest(app, declared) or 'one of these'}, or remove it."
            yield Problem(at, Said.UNKNOWN, f"An app on Vercel: {', '.join(declared)}.", edit)
            continue
        for key in sorted(values.keys() & declared[app]):
            yield Problem(
                f"{at}.{key}",
                Said.HIDDEN,
                "A key that the platform does not set: Vercel takes a key twice and does not say which holds.",
                "Remove it.",
            )


@needs("vercel")
def sensitive_values_have_no_development(platform: Platform, settings: Settings) -> Iterator[Problem]:
    targets = settings.vercel.targets
    if "development" in targets and any(v.sensitive for _, app in platform.vercel_apps for v in app.variables):
        yield Problem(
            path("vercel", "targets"),
            ", ".join(targets),
            "production and preview: Vercel refuses sensitive values in development.",
            "Remove development.",
        )


@needs("vercel")
def targets_are_whole(platform: Platform, settings: Settings) -> Iterator[Problem]:
    at, targets = path("vercel", "targets"), settings.vercel.targets
    if "production" not in targets:
        yield Problem(
            at, ", ".join(targets), "production among them: what people reach reads its env.", "Add production."
        )
    for target in _twice(targets):
        yield Problem(at, ", ".join(targets), "Each target once.", f"Remove one {target}.")


@needs("grafana")
def rules_are_evaluated_in_whole_tens(platform: Platform, settings: Settings) -> Iterator[Problem]:
    seconds = settings.grafana.interval_seconds
    if seconds < 10 or seconds % 10:
        yield Problem(
            path("grafana", "intervalSeconds"),
            seconds,
            "A multiple of 10, since Grafana looks at its rules every 10 seconds and refuses others only during up.",
            f"Write {max(10, seconds - seconds % 10)}.",
        )


@needs("notifications", "environment")
def only_production_takes_over_the_tree(platform: Platform, settings: Settings) -> Iterator[Problem]:
    if settings.environment != "prod" and settings.notifications.take_over_policy_tree:
        yield Problem(
            path("notifications", "takeOverPolicyTree"),
            True,
            "false outside prod: a Grafana has one tree, and writing this stack's would put production's routes out.",
            "Remove it: each rule then carries its owner's contact point.",
        )


@needs("business_hours")
def business_hours_are_hours(platform: Platform, settings: Settings) -> Iterator[Problem]:
    hours = settings.business_hours
    if hours is None:
        return
    if hours.start >= hours.end:
        yield Problem(
            path("businessHours", "end"),
            f"{hours.end:%H:%M}",
            f"A time after start, which is {hours.start:%H:%M}; hours over midnight are not supported.",
            "Write a later time.",
        )
    for day in _twice(hours.days):
        yield Problem(path("businessHours", "days"), ", ".join(hours.days), "Each day once.", f"Remove one {day}.")


@needs("business_hours")
def business_hours_are_there_where_needed(platform: Platform, settings: Settings) -> Iterator[Problem]:
    if platform.needs_business_hours and settings.business_hours is None:
        yield Problem(
            path("businessHours"),
            Said.MISSING,
            f"A section of timezone, days, start, end: an objective of {platform.title} counts in these hours alone.",
            "Add businessHours.",
        )


def same_names(
    platform: Platform, at: str, wanted: Iterable[str], given: Iterable[str], kind: str
) -> Iterator[Problem]:
    """What is configured by name and what the platform has are the same."""
    names, there = list(wanted), list(given)
    allowed = f"Every {kind} of {platform.title} and no other: {', '.join(names)}."
    section = at.split(".")
    for name in names:
        if name not in there:
            yield Problem(path(*section, name), Said.MISSING, allowed, f"Add {name} under {at}.")
    for name in there:
        if name not in names:
            near = nearest(name, [each for each in names if each not in there])
            edit = f"Write {near} instead of {name}." if near else f"Remove {name}, or add it to the platform."
            yield Problem(
                path(*section, name),
                Said.UNKNOWN,
                allowed if names else f"Nothing: {platform.title} has no {kind}s.",
                edit,
            )


def _twice(names: Iterable[str]) -> list[str]:
    return [name for name, count in Counter(names).items() if count > 1]


def in_zone(host: str, zone: str) -> bool:
    return host == zone or host.endswith("." + zone)


def outside_zone(at: str, host: str, zone: str) -> Problem:
    return Problem(at, host, f"A name in the zone {zone}.", f"Write a name that ends in .{zone}, or change zone.")
