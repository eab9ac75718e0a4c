"""The secrets of a stack: which it needs and what reads each, their forms, and the command that sets one."""

from __future__ import annotations

import re
from collections.abc import Iterator

from runbook.model.checks import needs
from runbook.model.platform import Platform, Secret
from runbook.model.problems import Problem, Said, path
from runbook.model.settings import EmailContact, Settings

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


def secret_command(name: str) -> str:
    """The edit that sets a secret; pulumi asks for the value, so that it stands in no shell history."""
    return (
        f"Run this, which asks for the value:\npulumi config set --secret --path 'secrets.{name}' --stack {{stack}}"
    )


def in_the_clear(name: str) -> Problem:
    """The stack file holds a secret unencrypted."""
    edit = f"If the file has ever left this machine, have a new one issued. {secret_command(name)}"
    return Problem(path("secrets", name), Said.CLEAR, "A secret that Pulumi has encrypted.", edit)


def cutover_secrets(platform: Platform, settings: Settings) -> dict[str, str]:
    """The secrets of steps, with what reads them. They may stand in a stack without a cutover: a way back by
    restoring the config from before still needs them."""
    wanted = {"SLACK_BOT_TOKEN": "the reminder and the announcements of a cutover"}
    if platform.auth_app or platform.recovery.functions:
        wanted["SUPABASE_ACCESS_TOKEN"] = "the steps at Supabase"
    if platform.auth_app:
        wanted["LOGIN_EMAIL"] = "the login round trip, as an account made for it"
        wanted["LOGIN_PASSWORD"] = "the login round trip"
        wanted["LOGIN_API_KEY"] = "the login round trip, as current's publishable key"
        if settings.next is None or settings.next.supabase_ref != settings.current.supabase_ref:
            wanted["LOGIN_API_KEY_NEXT"] = "the login round trip, as the next project's publishable key"
    return wanted


# Read where they are there: a deployment behind Vercel's protection answers only with its bypass.
OPTIONAL_SECRETS = {
    "VERCEL_BYPASS_SECRET": "the gates on deployments that are protected",
    "LOGIN_API_KEY_NEXT": "the login round trip of a cutover to another Supabase project",
}


def required_secrets(platform: Platform, settings: Settings) -> dict[str, str]:
    """Every secret the stack needs, with what reads it. Needs the sections owners, current and cutover."""
    wanted = dict(_SECRETS)
    if settings.cutover:
        wanted |= cutover_secrets(platform, settings)
    for app, vercel in platform.vercel_apps:
        for variable in vercel.variables:
            if isinstance(variable.value, Secret):
                wanted[variable.value.name] = f"env var {variable.key} of app {app.name}"
    for owner, contacts in settings.owners.items():
        for contact in contacts:
            if not isinstance(contact, EmailContact):
                wanted[contact.secret] = f"the {contact.kind} contact of {owner}"
    return wanted


@needs("owners", "secrets", "current", "cutover")
def secrets_are_set(platform: Platform, settings: Settings) -> Iterator[Problem]:
    wanted = required_secrets(platform, settings)
    for name in sorted(wanted.keys() - settings.secrets.keys()):
        yield Problem(path("secrets", name), Said.MISSING, f"A secret, read by {wanted[name]}.", secret_command(name))
    allowed = {**wanted, **cutover_secrets(platform, settings), **OPTIONAL_SECRETS}
    for name in sorted(settings.secrets.keys() - allowed.keys()):
        yield Problem(
            path("secrets", name),
            Said.UNKNOWN,
            f"Only what something reads: {', '.join(sorted(allowed))}.",
            f"Run this:\npulumi config rm --path 'secrets.{name}' --stack {{stack}}",
        )
    for name, value in settings.secrets.items():
        if not value.get_secret_value().strip():
            yield Problem(path("secrets", name), Said.EMPTY, "A value.", secret_command(name))
        elif name in SECRET_FORMS and not SECRET_FORMS[name][0].search(value.get_secret_value()):
            yield Problem(path("secrets", name), Said.HIDDEN, SECRET_FORMS[name][1], secret_command(name))
