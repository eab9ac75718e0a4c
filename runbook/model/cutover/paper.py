"""What the page of the way back is made of: the scene it is written for, prose, and blocks for a shell."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from shlex import quote
from urllib.parse import quote as in_url

from runbook.model.cutover.observed import Observed
from runbook.model.cutover.phases import LOW_TTL
from runbook.model.cutover.sections import Cutover, Side
from runbook.model.fields import TTL_AUTOMATIC, record_type
from runbook.model.platform import App, Platform
from runbook.model.settings import Settings

_WIDTH = 100


@dataclass(frozen=True)
class Scene:
    """`now` serves before the flip and again after the way back, `then` is left. `builds`: app to the deployment that
    served before the flip."""

    platform: Platform
    settings: Settings
    observed: Observed
    zone_id: str
    cutover: Cutover
    now: Side
    then: Side
    builds: Mapping[str, str]

    def host(self, app: App) -> str:
        """Where people reach the app once the cutover is taken back."""
        return (self.now.auth_host if app.auth else self.settings.apps[app.name].host) or ""

    def proxied(self, app: App) -> bool:
        return self.settings.apps[app.name].proxied

    def record(self, app: App) -> dict[str, str | int | bool]:
        """The app's DNS record after the way back, in the words of Cloudflare's interface."""
        target, proxied = self.now.targets[app.name], self.proxied(app)
        ttl = TTL_AUTOMATIC if proxied else LOW_TTL
        kind = record_type(target) or "CNAME"
        return {"name": self.host(app), "type": kind, "content": target, "ttl": ttl, "proxied": proxied}

    @property
    def new_auth_host(self) -> bool:
        return self.now.auth_host is not None and self.now.auth_host != self.then.auth_host

    @property
    def new_auth_project(self) -> bool:
        """Whether another Supabase project takes sign-in over."""
        return self.now.auth_host is not None and self.now.supabase_ref != self.then.supabase_ref


def address(base: str, *parts: str, query: str = "") -> str:
    """A URL as one word of a shell. `query` begins with its question mark."""
    return quote("/".join([base, *(in_url(part, safe="") for part in parts)]) + query)


def block(*lines: str, fence: str = "sh") -> str:
    """Lines as they are pasted. `sh` runs with curl alone; `text` needs more, or a decision."""
    return "\n".join([f"```{fence}", *lines, "```"])


def prose(text: str, indent: str = "") -> str:
    return textwrap.fill(text, _WIDTH, break_long_words=False, break_on_hyphens=False, subsequent_indent=indent)


def point(text: str) -> str:
    return prose(f"- {text}", indent="  ")
