"""What a platform is made of, as types. The two runbooks are written down with them in `runbook/platforms/`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from runbook.model.objectives import Objective, Panel, Stack
from runbook.model.recovery import NOTHING_ELSE, Recovery
from runbook.model.signals import Signal


class Fact(Enum):
    """An env value that follows from the stack's config."""

    APP_URL = "https:// and the app's host"
    SUPABASE_URL = "https:// and the auth host, or the project's own host where there is none"
    SUPABASE_REF = "the Supabase project ref of the side"


@dataclass(frozen=True)
class Secret:
    """An env value kept as Pulumi secret of this name. `renewed`: a flip gives the app its next generation."""

    name: str
    renewed: bool = False


@dataclass(frozen=True)
class Drain:
    """An env value that is the drain of this name."""

    name: str


@dataclass(frozen=True)
class Variable:
    """One env var of an app. A secret's is sensitive: Vercel never shows it again."""

    key: str
    value: Fact | Secret | Drain

    @property
    def sensitive(self) -> bool:
        return isinstance(self.value, Secret)


@dataclass(frozen=True)
class VercelApp:
    """How an app stands on Vercel: folder in the repository, framework, env vars, and whether it reads switches."""

    root_directory: str
    variables: tuple[Variable, ...]
    framework: str = "nextjs"
    reads_flags: bool = False


@dataclass(frozen=True)
class App:
    """What people reach. Without `vercel` it is an outside target: DNS and checks only."""

    name: str
    title: str
    health: str
    vercel: VercelApp | None = None
    auth: bool = False  # carries sign-in: its host is the side's authHost
    service_worker: str | None = None  # path that must never come from a cache (stale workers outlive a release)


@dataclass(frozen=True)
class Owner:
    """Who gets an alert. `told` owners are reached through the same contact point, for their information."""

    name: str
    title: str
    told: tuple[str, ...] = ()


@dataclass(frozen=True)
class Assumption:
    """A fact that no runbook states and nobody has seen; counted, and listed in docs/signals.md."""

    fact: str
    check: str  # how to find out


@dataclass(frozen=True)
class Platform:
    """One platform. `objectives` gets what differs by stack (hosts, business hours) and returns all of them."""

    name: str
    title: str
    apps: tuple[App, ...]
    drains: tuple[str, ...]  # env keys that must be set in staging and prod
    log_drain: str  # the drain that Vercel's log drain sends to
    trace_drain: str | None
    owners: tuple[Owner, ...]
    flags: tuple[str, ...]
    signals: tuple[Signal, ...]
    objectives: Callable[[Stack], tuple[Objective, ...]]
    operations: Callable[[Stack], tuple[Panel, ...]]
    checklist: Callable[[Stack], tuple[Panel, ...]]
    assumptions: tuple[Assumption, ...]
    repository: str  # at GitHub, owner/name; its tags are the releases
    recovery: Recovery = NOTHING_ELSE
    needs_business_hours: bool = False

    @property
    def auth_app(self) -> App | None:
        return next((app for app in self.apps if app.auth), None)

    @property
    def vercel_apps(self) -> tuple[tuple[App, VercelApp], ...]:
        return tuple((app, app.vercel) for app in self.apps if app.vercel)
