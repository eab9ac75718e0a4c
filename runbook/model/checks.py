"""Checks across sections of the stack config, and between it and the platform.

What the vendors let through in preview and fail, obey or lose later is refused here with its own message.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator

from runbook.model.fields import TTL_AUTOMATIC, TTL_LEAST, TTL_MOST
from runbook.model.platform import App, Platform, Secret
from runbook.model.problems import Problem, Said, nearest, path
from runbook.model.settings import EmailContact, Settings

Check = Callable[[Platform, Settings], Iterable[Problem]]
CHECKS: list[tuple[frozenset[str], Check]] = []

# What every stack needs, and what reads it.
_SECRETS = {
    "CLOUDFLARE_API_TOKEN": "the Cloudflare provider",
    "VERCEL_API_TOKEN": "the Vercel provider",
    "GRAFANA_AUTH": "the Grafana provider",
    "GRAFANA_SM_ACCESS_TOKEN": "the Grafana provider, for uptime checks",
    "PROMETHEUS_TOKEN": "the data source Prometheus",
    "LOKI_TOKEN": "the data source Loki",
    "POSTGRES_PASSWORD": "the data source PostgreSQL",
    "LOG_DRAIN_SECRET": "the log drain, which signs what it sends",
}
# Forms that the providers' sources ask for. A secret of another form must not get as far as the provider: when a
# provider refuses a property, the engine prints the refused value in the clear, secret or not (seen, 3.258).
# \Z and not $, before which a line break may stand.
SECRET_FORMS = {
    "CLOUDFLARE_API_TOKEN": (
        re.compile(r"^[A-Za-z0-9_-]{40,}\Z"),
        "A Cloudflare API token: at least 40 letters, digits, hyphens and underscores.",
    ),
    "VERCEL_API_TOKEN": (re.compile("[A-Za-z0-9]{24}"), "A Vercel token: at least 24 letters and digits in a row."),
    "LOG_DRAIN_SECRET": (re.compile(r"^.{32,}\Z"), "At least 32 characters: Vercel signs with it what it sends."),
}


def needs(*sections: str) -> Callable[[Check], Check]:
    """Registers a check that reads these sections only; it is left out while one of them is not sound."""

    def register(check: Check) -> Check:
        CHECKS.append((frozenset(sections), check))
        return check

    return register


def secret_command(name: str) -> str:
    """The edit that sets a secret; pulumi asks for the value, so that it stands in no shell history."""
    return (
        f"Run this, which asks for the value:\npulumi config set --secret --path 'secrets.{name}' --stack {{stack}}"
    )


def in_the_clear(name: str) -> Problem:
    """The stack file holds a secret unencrypted."""
    edit = f"If the file has ever left this machine, have a new one issued. {secret_command(name)}"
    return Problem(path("secrets", name), Said.CLEAR, "A secret that Pulumi has encrypted.", edit)


def required_secrets(platform: Platform, settings: Settings) -> dict[str, str]:
    """Every secret the stack needs, with what reads it. Needs the section owners."""
    wanted = dict(_SECRETS)
    for app, vercel in platform.vercel_apps:
        for variable in vercel.variables:
            if isinstance(variable.value, Secret):
                wanted[variable.value.name] = f"env var {variable.key} of app {app.name}"
    for owner, contacts in settings.owners.items():
        for contact in contacts:
            if not isinstance(contact, EmailContact):
                wanted[contact.secret] = f"the {contact.kind} contact of {owner}"
    return wanted


def host_of(app: App, settings: Settings) -> str | None:
    """The app's host name; the auth app's is the side's."""
    if app.auth:
        return settings.side.auth_host
    configured = settings.apps.get(app.name)
    return configured.host if configured else None


@needs("apps")
def every_app_is_configured(platform: Platform, settings: Settings) -> Iterator[Problem]:
    yield from _same_names(platform, "apps", [app.name for app in platform.apps], settings.apps, "app")


@needs("current")
def every_app_has_a_target(platform: Platform, settings: Settings) -> Iterator[Problem]:
    apps = [app.name for app in platform.apps]
    yield from _same_names(platform, "current.targets", apps, settings.current.targets, "app")


@needs("drains")
def required_drains_are_set(platform: Platform, settings: Settings) -> Iterator[Problem]:
    yield from _same_names(platform, "drains", platform.drains, settings.drains, "drain")


@needs("owners")
def every_owner_can_be_reached(platform: Platform, settings: Settings) -> Iterator[Problem]:
    yield from _same_names(platform, "owners", [owner.name for owner in platform.owners], settings.owners, "owner")
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
    yield from _same_names(platform, "flags", platform.flags, settings.flags, "flag")


@needs("apps", "current", "zone")
def hosts_stand_in_the_zone(platform: Platform, settings: Settings) -> Iterator[Problem]:
    seen: Counter[str] = Counter()
    for app in platform.apps:
        at = path("current", "authHost") if app.auth else path("apps", app.name, "host")
        host = host_of(app, settings)
        if host is None:
            if app.auth or app.name in settings.apps:
                yield Problem(at, Said.MISSING, f"The host name at which people reach {app.title}.", "Add it.")
            continue
        seen[host] += 1
        if seen[host] == 2:
            yield Problem(
                at, host, "A host of its own for each app; another app has this one.", "Write another name."
            )
        if not _in_zone(host, settings.zone):
            yield _outside(at, host, settings.zone)
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
    hosts = {host_of(app, settings) for app in platform.apps}
    ttls: dict[tuple[str, str], int] = {}
    for index, record in enumerate(settings.records):
        at = path("records", index)
        if not _in_zone(record.name, settings.zone):
            yield _outside(f"{at}.name", record.name, settings.zone)
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
        target = settings.current.targets.get(app.name)
        if target is not None and target == host_of(app, settings):
            yield Problem(
                path("current", "targets", app.name),
                target,
                "A name or address other than the app's own host, which would point at itself.",
                "Write what answers for the app, such as the name that Vercel shows for it.",
            )


@needs("current")
def extra_env_declares_nothing_twice(platform: Platform, settings: Settings) -> Iterator[Problem]:
    declared = {app.name: {variable.key for variable in vercel.variables} for app, vercel in platform.vercel_apps}
    for app, values in settings.current.env.items():
        at = path("current", "env", app)
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


@needs("owners", "secrets")
def secrets_are_set(platform: Platform, settings: Settings) -> Iterator[Problem]:
    wanted = required_secrets(platform, settings)
    for name in sorted(wanted.keys() - settings.secrets.keys()):
        yield Problem(path("secrets", name), Said.MISSING, f"A secret, read by {wanted[name]}.", secret_command(name))
    for name in sorted(settings.secrets.keys() - wanted.keys()):
        yield Problem(
            path("secrets", name),
            Said.UNKNOWN,
            f"Only what something reads: {', '.join(sorted(wanted))}.",
            f"Run this:\npulumi config rm --path 'secrets.{name}' --stack {{stack}}",
        )
    for name, value in settings.secrets.items():
        if not value.get_secret_value().strip():
            yield Problem(path("secrets", name), Said.EMPTY, "A value.", secret_command(name))
        elif name in SECRET_FORMS and not SECRET_FORMS[name][0].search(value.get_secret_value()):
            yield Problem(path("secrets", name), Said.HIDDEN, SECRET_FORMS[name][1], secret_command(name))


def _same_names(
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


def _in_zone(host: str, zone: str) -> bool:
    return host == zone or host.endswith("." + zone)


def _outside(at: str, host: str, zone: str) -> Problem:
    return Problem(at, host, f"A name in the zone {zone}.", f"Write a name that ends in .{zone}, or change zone.")
