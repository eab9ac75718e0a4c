"""What answers now, as observed: plain data that `runbook/steps/observe.py` fills and the refusals judge."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True)
class Wanted:
    """What is to be observed. `zone`: its name; `names`: host names; `projects`: app to the name of its Vercel
    project; `builds`: app to the id of its next build; `auth_ref`: the Supabase project whose jwt_exp is read."""

    zone: str
    names: tuple[str, ...] = ()
    projects: Mapping[str, str] = field(default_factory=dict)
    builds: Mapping[str, str] = field(default_factory=dict)
    auth_ref: str | None = None


@dataclass(frozen=True)
class SeenRecord:
    """One record as Cloudflare's listing gives it. `ttl` in seconds, 1 is automatic; `modified` with a zone."""

    id: str
    name: str
    type: str
    content: str
    ttl: int
    proxied: bool
    modified: datetime


@dataclass(frozen=True)
class SeenBuild:
    """A deployment at Vercel. `id` such as dpl_…, `url` its own host name, `state` such as READY or BUILDING."""

    id: str
    url: str
    state: str


@dataclass(frozen=True)
class Observed:
    """What could be seen. A part that could not be is empty, and `failures` says why, by what was asked
    ("records", "served ttl", "project staff", "build staff", "auth settings")."""

    zone_id: str = ""
    records: tuple[SeenRecord, ...] = ()
    served_ttl: Mapping[str, int] = field(default_factory=dict)  # name to the TTL the authoritative servers give
    negative_ttl: int | None = None  # seconds that a missing name of the zone is remembered
    project_ids: Mapping[str, str] = field(default_factory=dict)  # app to the id of its Vercel project
    serving: Mapping[str, SeenBuild] = field(default_factory=dict)  # app to the production deployment
    next_builds: Mapping[str, SeenBuild] = field(default_factory=dict)
    jwt_exp: int | None = None  # seconds
    failures: Mapping[str, str] = field(default_factory=dict)
