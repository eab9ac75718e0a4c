"""Sections of a stack file that a cutover is made of."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import Field, StringConstraints

from runbook.model.cutover.phases import Phase, Rule
from runbook.model.fields import (
    ApiUrl,
    Clock,
    Duration,
    EnvKey,
    Hostname,
    Moment,
    Release,
    Socket,
    SupabaseRef,
    Target,
    Whole,
    ZoneName,
)
from runbook.model.section import Section

Generation = Annotated[Whole, Field(ge=1)]


class Side(Section):
    """One complete set of what can serve. A flip is a change from one side to another, so it holds literal values:
    a target that had to be looked up at Vercel could not be put back while Vercel is down."""

    auth_host: Hostname | None = None
    supabase_ref: SupabaseRef
    release: Release
    targets: dict[str, Target] = Field(description="App name to DNS target.")
    env: dict[str, dict[EnvKey, str]] = Field(default={}, description="App name to further env values, not secret.")
    generation: Generation = Field(
        default=1, description="Generation of the secrets that a flip renews; a lower one changes nothing."
    )


class NextSide(Section):
    """What differs from `current` once next serves; everything else stays."""

    auth_host: Hostname | None = None
    supabase_ref: SupabaseRef | None = None
    release: Release | None = None
    targets: dict[str, Target] = Field(default={}, description="App name to DNS target, of those that change.")
    env: dict[str, dict[EnvKey, str]] = Field(default={}, description="App name to env values that change.")
    generation: Generation | None = Field(
        default=None, description="Generation of the secrets; without it one more than current's."
    )

    def over(self, current: Side) -> Side:
        """The whole next side. The runbook renews the secrets at each cutover, hence the next generation."""
        apps = current.env.keys() | self.env.keys()
        return Side(
            auth_host=self.auth_host or current.auth_host,
            supabase_ref=self.supabase_ref or current.supabase_ref,
            release=self.release or current.release,
            targets={**current.targets, **self.targets},
            env={app: {**current.env.get(app, {}), **self.env.get(app, {})} for app in sorted(apps)},
            generation=self.generation or current.generation + 1,
        )


def shown_once(moment: datetime, zone: str) -> bool:
    """Whether a clock there shows it exactly once: where clocks are put forward or back, a time may be none, or two.
    `moment` has no zone of its own."""
    here = ZoneInfo(zone)
    first, second = moment.replace(tzinfo=here, fold=0), moment.replace(tzinfo=here, fold=1)
    back = first.astimezone(UTC).astimezone(here).replace(tzinfo=None)
    return first.utcoffset() == second.utcoffset() and back == moment


class Span(Section):
    """From start to end, as a clock on a wall of `zone` shows them."""

    start: Moment
    end: Moment
    zone: ZoneName

    @property
    def opens(self) -> datetime:
        return self.start.replace(tzinfo=ZoneInfo(self.zone))

    @property
    def closes(self) -> datetime:
        return self.end.replace(tzinfo=ZoneInfo(self.zone))

    def holds(self, now: datetime) -> bool:
        """Whether `now` is inside; the end is not."""
        return self.opens <= now < self.closes


class Window(Span):
    """The cutover window, agreed with everybody whom it concerns."""


class Freeze(Span):
    """A time in which nothing that serves may change."""

    reason: str = Field(min_length=1, description="Why, for the person who is refused.")


class FunctionSource(Section):
    """From where a Supabase function is deployed again."""

    source: str = Field(min_length=1, description="Its file or folder, from the root of the checkout.")
    tag: Release


class Override(Section):
    """An exception to one rule, with a reason and an end. There is none that switches all rules off."""

    rule: Rule
    reason: Annotated[str, StringConstraints(strip_whitespace=True)] = Field(
        min_length=8, description="Why, for whoever reads the evidence; eight letters at least."
    )
    until: Moment = Field(description="When it ends, in the window's zone.")


class Cutover(Section):
    """One cutover, from its preparation until next is the new current."""

    phase: Phase
    window: Window
    owners: list[str] = Field(min_length=1, description="Owners of the platform who answer for this cutover.")
    back_out: list[str] = Field(
        min_length=1, description="Objectives whose alerts say that it must be taken back; they make the watch."
    )
    soak: Duration = Field(
        default="1h", validate_default=True, description="How long next serves before it can be settled."
    )
    next: NextSide
    functions: dict[str, FunctionSource] = Field(default={}, description="Functions that the way back deploys again.")
    overrides: list[Override] = Field(default=[], description="Exceptions, each to one rule.")

    def in_force(self, now: datetime) -> dict[Rule, str]:
        """The rules that are overridden now, each with its reason."""
        zone = ZoneInfo(self.window.zone)
        return {each.rule: each.reason for each in self.overrides if now < each.until.replace(tzinfo=zone)}


class Endpoints(Section):
    """Where the vendors' interfaces answer. A rehearsal points them at its stand-ins; nobody else has to."""

    cloudflare: ApiUrl = "https://api.cloudflare.com/client/v4"
    vercel: ApiUrl = "https://api.vercel.com"
    supabase: ApiUrl = "https://api.supabase.com"
    slack: ApiUrl = "https://slack.com/api"
    pagerduty: ApiUrl = "https://events.pagerduty.com"
    grafana: ApiUrl | None = Field(default=None, description="In place of grafana.url, for annotations.")
    loki: ApiUrl | None = Field(default=None, description="In place of grafana.loki.url, for the marked event.")
    resolver: Socket | None = Field(default=None, description="DNS server asked in place of the system's.")
    https_port: Annotated[Whole, Field(ge=1, le=65_535)] = Field(default=443, description="Where hosts answer.")
    ca: str | None = Field(default=None, description="File of certificates trusted in place of the system's.")
    clock: Clock | None = Field(default=None, description="A rehearsal's clock; only while every API is here.")

    out: str = Field(default="out", description="Folder for the page of the way back and the evidence of crossings.")

    @property
    def here(self) -> bool:
        """Whether every interface is on this machine."""
        apis = (self.cloudflare, self.vercel, self.supabase, self.slack, self.pagerduty, self.grafana, self.loki)
        return all(api and urlsplit(api).hostname == "127.0.0.1" for api in apis)
