"""The stack config, typed: one class per section of `Pulumi.<stack>.yaml`.

What a platform's runbook fixes is in `runbook/platforms/`; here is what differs by environment or is secret.
Keys are camelCase, unknown keys are refused, and everything read is frozen.
"""

from __future__ import annotations

from datetime import time, timedelta
from typing import Annotated, Literal

from pydantic import Field, SecretStr

from runbook.model.cutover.phases import Phase
from runbook.model.cutover.sections import Cutover, Endpoints, Freeze, Side
from runbook.model.fields import (
    Duration,
    Email,
    EnvKey,
    Hostname,
    SecretName,
    SlackChannel,
    TimeOfDay,
    Ttl,
    Url,
    Weekday,
    Whole,
    Zone,
)
from runbook.model.section import Section

Environment = Literal["staging", "prod"]
Retention = Literal["1d", "1w", "1m", "2m", "3m", "6m", "1y"]  # the periods Vercel offers
VercelTarget = Literal["production", "preview", "development"]


class AppSettings(Section):
    """How one app is reached. The app that carries sign-in has no host here: it is the side's authHost."""

    host: Hostname | None = None
    proxied: bool = Field(default=False, description="Through Cloudflare's proxy: its TTL is then automatic.")
    ttl: Ttl | None = Field(default=None, description="Normal TTL in seconds of a DNS-only name.")


class ExtraRecord(Section):
    """A record that is not an app's: proof of ownership for Supabase's custom hostname, and mail. Other types than
    these (CAA, SRV) are not made of one content text."""

    name: Hostname
    type: Literal["TXT", "MX"]
    content: str
    ttl: Ttl = 3600
    priority: Annotated[Whole, Field(ge=0, le=65_535)] | None = None


class VercelSettings(Section):
    team: str = Field(min_length=1, description="Team id or slug.")
    targets: list[VercelTarget] = Field(min_length=1, description="Which deployments get the env values.")
    retention: Retention = Field(default="1y", description="How long a production build can be gone back to.")


class Endpoint(Section):
    """A metrics or logs store with basic auth; its token is a secret."""

    url: Url
    user: str = Field(description="User of basic auth: the instance's number, in quotes.")


class Postgres(Section):
    """The platform's Supabase database, read by a role that may only select."""

    host: Hostname
    port: Annotated[Whole, Field(ge=1, le=65_535)] = 5432
    database: str = "postgres"
    user: str


class GrafanaSettings(Section):
    url: Url
    synthetic_monitoring_url: Url
    prometheus: Endpoint
    loki: Endpoint
    postgres: Postgres
    probes: list[Annotated[Whole, Field(ge=1)]] = Field(
        min_length=1, description="Ids of the public probes that check from outside."
    )
    interval_seconds: Whole = Field(default=60, description="How often rules are evaluated.")
    operations_dashboard: str | None = Field(
        default=None,
        description="Path of the company's own operations dashboard, from the root of the checkout.",
    )


class Notifications(Section):
    """How alerts of one rule are gathered before they are sent (Grafana's notification settings)."""

    take_over_policy_tree: bool = Field(
        default=False,
        strict=True,
        description="Overwrite Grafana's whole notification policy tree, instead of one contact point per rule.",
    )
    group_wait: Duration = Field(default="30s", validate_default=True)
    group_interval: Duration = Field(default="5m", validate_default=True)
    repeat_interval: Duration = Field(default="4h", validate_default=True)


class BusinessHours(Section):
    timezone: Zone
    days: list[Weekday] = Field(min_length=1)
    start: TimeOfDay = time(8)
    end: TimeOfDay = time(17)

    @property
    def per_week(self) -> timedelta:
        day = timedelta(hours=self.end.hour - self.start.hour, minutes=self.end.minute - self.start.minute)
        return day * len(self.days)


class SlackContact(Section):
    kind: Literal["slack"]
    channel: SlackChannel
    secret: SecretName = Field(description="Name of the secret that holds the incoming webhook's URL.")


class PagerDutyContact(Section):
    kind: Literal["pagerduty"]
    secret: SecretName = Field(description="Name of the secret that holds the Events API v2 integration key.")


class WebhookContact(Section):
    kind: Literal["webhook"]
    secret: SecretName = Field(description="Name of the secret that holds the URL.")


class EmailContact(Section):
    kind: Literal["email"]
    addresses: list[Email] = Field(min_length=1)


Contact = Annotated[SlackContact | PagerDutyContact | WebhookContact | EmailContact, Field(discriminator="kind")]


class Settings(Section):
    """The whole config of one stack."""

    platform: str
    environment: Environment
    zone: Hostname = Field(description="The Cloudflare zone. One per stack: a zone has one set of cache rules.")
    apps: dict[str, AppSettings] = Field(description="One entry for every app of the platform.")
    current: Side
    cutover: Cutover | None = None
    freeze: list[Freeze] = Field(default=[], description="Times in which nothing that serves may change.")
    records: list[ExtraRecord] = Field(default=[])
    vercel: VercelSettings
    drains: dict[EnvKey, Url] = Field(description="Where logs, metrics and traces are sent, by env key.")
    grafana: GrafanaSettings
    notifications: Notifications = Notifications()
    owners: dict[str, list[Contact]] = Field(description="How each owner of the platform is reached.")
    business_hours: BusinessHours | None = None
    flags: dict[str, bool] = Field(default={}, description="The platform's feature switches.")
    runbook_url: Url = Field(description="Page of the runbook that alerts link to.")
    endpoints: Endpoints = Endpoints()
    secrets: dict[EnvKey, SecretStr] = Field(default={}, description="Each is set by pulumi config set --secret.")

    @property
    def phase(self) -> Phase:
        return self.cutover.phase if self.cutover else Phase.STEADY

    @property
    def next(self) -> Side | None:
        """The whole side that a flip leads to; None without a cutover."""
        return self.cutover.next.over(self.current) if self.cutover else None

    @property
    def side(self) -> Side:
        """The side that the config asks to serve."""
        return self.next if self.next and self.phase.serves_next else self.current
