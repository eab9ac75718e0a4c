"""Checks across sections of the stack config, and between it and the platform.

What the vendors let through in preview and fail, obey or lose later is refused here with its own message.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from ipaddress import ip_address

from runbook.model.fields import TTL_AUTOMATIC
from runbook.model.platform import App, Platform, Secret
from runbook.model.problems import Problem, path
from runbook.model.settings import EmailContact, Settings

Check = Callable[[Platform, Settings], Iterable[Problem]]
CHECKS: list[tuple[frozenset[str], Check]] = []

PROVIDER_SECRETS = ("CLOUDFLARE_API_TOKEN", "VERCEL_API_TOKEN", "GRAFANA_AUTH", "GRAFANA_SM_ACCESS_TOKEN")
STORE_SECRETS = ("PROMETHEUS_TOKEN", "LOKI_TOKEN", "POSTGRES_PASSWORD", "LOG_DRAIN_SECRET")


def needs(*sections: str) -> Callable[[Check], Check]:
    """Registers a check that reads these sections only; it is left out while one of them is not sound."""

    def register(check: Check) -> Check:
        CHECKS.append((frozenset(sections), check))
        return check

    return register


def secret_command(name: str) -> str:
    return f"Run pulumi config set --secret --path 'secrets.{name}' and type the value."


def required_secrets(platform: Platform, settings: Settings) -> dict[str, str]:
    """Every secret the stack needs, with what reads it. Needs the section owners."""
    wanted = dict.fromkeys(PROVIDER_SECRETS, "a provider") | dict.fromkeys(STORE_SECRETS, "a data source or drain")
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
        return settings.current.auth_host
    configured = settings.apps.get(app.name)
    return configured.host if configured else None


@needs("apps")
def every_app_is_configured(platform: Platform, settings: Settings) -> Iterator[Problem]:
    yield from _same_names("apps", [app.name for app in platform.apps], settings.apps, "app")


@needs("current")
def every_app_has_a_target(platform: Platform, settings: Settings) -> Iterator[Problem]:
    yield from _same_names("current.targets", [app.name for app in platform.apps], settings.current.targets, "app")


@needs("drains")
def required_drains_are_set(platform: Platform, settings: Settings) -> Iterator[Problem]:
    yield from _same_names("drains", platform.drains, settings.drains, "drain")


@needs("owners")
def every_owner_can_be_reached(platform: Platform, settings: Settings) -> Iterator[Problem]:
    yield from _same_names("owners", [owner.name for owner in platform.owners], settings.owners, "owner")
    for owner, contacts in settings.owners.items():
        if not contacts:
            yield Problem(
                path("owners", owner),
                "[]",
                "At least one contact: Grafana refuses a contact point without a notifier.",
                "Add a contact of kind slack, pagerduty, webhook or email.",
            )


@needs("flags")
def every_flag_is_set(platform: Platform, settings: Settings) -> Iterator[Problem]:
    yield from _same_names("flags", platform.flags, settings.flags, "switch")


@needs("apps", "current", "zone")
def hosts_stand_in_the_zone(platform: Platform, settings: Settings) -> Iterator[Problem]:
    seen: Counter[str] = Counter()
    for app in platform.apps:
        at = path("current", "authHost") if app.auth else path("apps", app.name, "host")
        host = host_of(app, settings)
        if host is None:
            if app.auth or app.name in settings.apps:
                yield Problem(at, None, f"The {app.title} is reached at a host of its own.", "Add its host name.")
            continue
        seen[host] += 1
        if seen[host] == 2:
            yield Problem(at, host, "A host of its own for each app.", "Write another name.")
        if not _in_zone(host, settings.zone):
            yield _outside(at, host, settings.zone)
    for app in platform.apps:
        if app.auth and app.name in settings.apps and settings.apps[app.name].host:
            yield Problem(
                path("apps", app.name, "host"),
                settings.apps[app.name].host,
                "Sign-in's host belongs to the side that serves, so that a flip can change it.",
                "Remove it and set current.authHost.",
            )
    if platform.auth_app is None and settings.current.auth_host:
        yield Problem(
            path("current", "authHost"),
            settings.current.auth_host,
            f"{platform.title} has no app that carries sign-in.",
            "Remove it.",
        )


@needs("apps")
def ttl_fits_the_proxy(platform: Platform, settings: Settings) -> Iterator[Problem]:
    for name, app in settings.apps.items():
        if app.proxied and app.ttl not in (None, TTL_AUTOMATIC):
            yield Problem(
                path("apps", name, "ttl"),
                app.ttl,
                "A proxied name has the automatic TTL: Cloudflare accepts another in preview and refuses it in up.",
                "Remove ttl, or set proxied: false.",
            )
        if not app.proxied and app.ttl is None:
            yield Problem(
                path("apps", name, "ttl"),
                None,
                "A DNS-only name has a normal TTL, 1 or 60 to 86400 seconds; a flip waits that long.",
                "Add ttl, or set proxied: true.",
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
                "A name that no app stands on: an app's name may be a CNAME, which allows no record beside it.",
                "Write another name.",
            )
        if record.type == "TXT" and not (record.content.startswith('"') and record.content.endswith('"')):
            yield Problem(
                f"{at}.content",
                record.content,
                "The content of a TXT record stands in double quotes, or Cloudflare shows a change for ever.",
                f"Write '\"{record.content.strip(chr(34))}\"'.",
            )
        if record.type == "MX" and record.priority is None:
            yield Problem(f"{at}.priority", None, "An MX record has a priority from 0 to 65535.", "Add priority: 10.")
        if record.type != "MX" and record.priority is not None:
            yield Problem(f"{at}.priority", record.priority, "Only an MX record has a priority.", "Remove it.")
        rrset = (record.name, record.type)
        if ttls.setdefault(rrset, record.ttl) != record.ttl:
            yield Problem(
                f"{at}.ttl",
                record.ttl,
                "All records of one name and type share one TTL (RFC 2181, 5.2).",
                f"Write {ttls[rrset]}, or change the others too.",
            )


@needs("current", "apps", "zone")
def targets_are_not_their_own_host(platform: Platform, settings: Settings) -> Iterator[Problem]:
    for app in platform.apps:
        target, host = settings.current.targets.get(app.name), host_of(app, settings)
        if target is not None and target == host:
            yield Problem(
                path("current", "targets", app.name),
                target,
                "A name other than the host itself.",
                "Write its target.",
            )
        if target == settings.zone or (target and host == settings.zone and not _is_address(target)):
            yield Problem(
                path("current", "targets", app.name),
                target,
                "A target outside the zone's own apex; the apex itself takes an address.",
                "Write the vendor's target.",
            )


@needs("current")
def extra_env_declares_nothing_twice(platform: Platform, settings: Settings) -> Iterator[Problem]:
    declared = {app.name: {variable.key for variable in vercel.variables} for app, vercel in platform.vercel_apps}
    for app, values in settings.current.env.items():
        if app not in declared:
            yield Problem(
                path("current", "env", app),
                "…",
                f"An app on Vercel: {', '.join(declared)}.",
                "Move or remove it.",
            )
            continue
        for key in values.keys() & declared[app]:
            yield Problem(
                path("current", "env", app, key),
                values[key],
                "A key that the platform does not set already: Vercel takes the same key and target twice.",
                "Remove it.",
            )


@needs("vercel")
def sensitive_values_have_no_development(platform: Platform, settings: Settings) -> Iterator[Problem]:
    targets = settings.vercel.targets
    if "development" in targets and any(v.sensitive for _, app in platform.vercel_apps for v in app.variables):
        yield Problem(
            path("vercel", "targets"),
            ", ".join(targets),
            "Without development: Vercel refuses sensitive values there.",
            "Remove development.",
        )
    for target in [name for name, count in Counter(targets).items() if count > 1]:
        yield Problem(path("vercel", "targets"), ", ".join(targets), "Each target once.", f"Remove one {target}.")


@needs("grafana")
def rules_are_evaluated_in_whole_tens(platform: Platform, settings: Settings) -> Iterator[Problem]:
    seconds = settings.grafana.interval_seconds
    if seconds < 10 or seconds % 10:
        yield Problem(
            path("grafana", "intervalSeconds"),
            seconds,
            "A multiple of 10: Grafana's scheduler ticks every 10 seconds, and refuses others only in up.",
            f"Write {max(10, round(seconds / 10) * 10)}.",
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
            f"A time after start, which is {hours.start:%H:%M}: an interval over midnight is two.",
            "Write a later time.",
        )
    for day in [name for name, count in Counter(hours.days).items() if count > 1]:
        yield Problem(path("businessHours", "days"), ", ".join(hours.days), "Each day once.", f"Remove one {day}.")


@needs("business_hours")
def business_hours_are_there_where_needed(platform: Platform, settings: Settings) -> Iterator[Problem]:
    if platform.needs_business_hours and settings.business_hours is None:
        yield Problem(
            path("businessHours"),
            None,
            f"An objective of {platform.title} counts in business hours alone.",
            "Add timezone, days, start and end.",
        )


@needs("owners", "secrets")
def secrets_are_set(platform: Platform, settings: Settings) -> Iterator[Problem]:
    wanted = required_secrets(platform, settings)
    for name in sorted(wanted.keys() - settings.secrets.keys()):
        yield Problem(path("secrets", name), None, f"A secret; read by {wanted[name]}.", secret_command(name))
    for name in sorted(settings.secrets.keys() - wanted.keys()):
        yield Problem(
            path("secrets", name),
            "(not shown)",
            f"Nothing reads it. Read are: {', '.join(sorted(wanted))}.",
            f"Run pulumi config rm --path 'secrets.{name}'.",
        )
    for name, value in settings.secrets.items():
        if not value.get_secret_value().strip():
            yield Problem(path("secrets", name), "(empty)", "A value.", secret_command(name))


def _same_names(at: str, wanted: Iterable[str], given: Iterable[str], kind: str) -> Iterator[Problem]:
    names = list(wanted)
    section = at.split(".")
    for name in names:
        if name not in given:
            yield Problem(path(*section, name), None, f"The platform requires this {kind}.", f"Add {name} to {at}.")
    for name in given:
        if name not in names:
            known = f"The platform's {kind}s: {', '.join(names)}." if names else f"The platform has no {kind}s."
            yield Problem(path(*section, name), "…", known, f"Remove {name}, or declare it in the platform.")


def _in_zone(host: str, zone: str) -> bool:
    return host == zone or host.endswith("." + zone)


def _outside(at: str, host: str, zone: str) -> Problem:
    return Problem(at, host, f"A name in the zone {zone}.", f"Write a name that ends in .{zone}, or change zone.")


def _is_address(target: str) -> bool:
    try:
        ip_address(target)
    except ValueError:
        return False
    return True
