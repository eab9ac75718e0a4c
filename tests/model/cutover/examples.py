"""Sound cutovers of the committed stacks, as their stack files would have them."""

from __future__ import annotations

from copy import deepcopy
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from runbook.model.reading import read, sections
from runbook.model.secrets_needed import required_secrets
from runbook.model.settings import Settings
from tests.stacks import platform, raw

IN_WINDOW = datetime(2026, 12, 5, 21, 0, tzinfo=UTC)
WINDOW = {"start": "2026-12-05 22:00", "end": "2026-12-06 02:00", "zone": "Africa/Kigali"}  # 20:00 to 00:00 UTC
NEW_REF = "ibiminanextplacehold"

# Both kinds of auth cutover, and one without any: what differs once next serves.
SAME_HOST = {"supabaseRef": NEW_REF, "release": "v1.1.0", "targets": {"auth": f"{NEW_REF}.supabase.co"}}
NEW_HOST = {**SAME_HOST, "authHost": "signin.ibimina.rw"}
APPS = {"release": "v1.1.0", "targets": {"admin": "next.vercel-dns.com", "api": "192.0.2.20"}}
NEXTS = {"prod": NEW_HOST, "staging": SAME_HOST, "easymo-prod": APPS, "easymo-staging": APPS}


def cutover(stack: str, phase: str = "prepared", **changes: Any) -> dict[str, Any]:
    """A cutover section. `changes`: keys of it that are others."""
    ibimina = platform(stack).name == "ibimina"
    functions = {"metrics-exporter": {"source": "supabase/functions/metrics-exporter", "tag": "v1.1.0"}}
    section = {
        "phase": phase,
        "window": WINDOW,
        "owners": ["on-call" if ibimina else "platform-engineering"],
        "backOut": ["auth-availability" if ibimina else "voice-api"],
        "next": NEXTS[stack],
        "functions": functions if ibimina else {},
    }
    return deepcopy({**section, **changes})


def with_secrets(stack: str, config: dict[str, Any]) -> dict[str, Any]:
    """The config with a made-up value for every secret that it needs."""
    sound, _ = sections({**config, "secrets": {}})
    needed = required_secrets(platform(stack), Settings.model_construct(**sound))
    return {**config, "secrets": {name: sha256(name.encode()).hexdigest()[:40] for name in needed}}


def config(stack: str, phase: str | None = "prepared", changes: Any = None, **sections: Any) -> dict[str, Any]:
    """A stack's raw config. `phase`: None is without a cutover. `changes`: of the cutover, by key."""
    block = {} if phase is None else {"cutover": cutover(stack, phase, **(changes or {}))}
    return with_secrets(stack, {**raw(stack), **block, **sections})


def configured(stack: str, phase: str | None = "prepared", changes: Any = None, **sections: Any) -> Settings:
    """As `config`, read. Raises: ConfigError"""
    return read(stack, config(stack, phase, changes, **sections), platform(stack))
