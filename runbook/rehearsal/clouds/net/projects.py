"""Which Supabase project answers for a host, and where it lets a login lead back to."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from runbook.rehearsal.clouds.store import Store
from runbook.rehearsal.clouds.web.auth_state import ACTIVE, HOSTNAME, has_project

OWN = ".supabase.co"
_GLOB = {"**": ".*", "*": "[^./]*", "?": "[^./]"}


def project_of(store: Store, target: str, host: str) -> str | None:
    """The ref of the project that answers for this host behind this target; None when no project does."""
    ref = target.removesuffix(OWN)
    held = store.get("supabase", HOSTNAME, ref)
    custom = held is not None and held.properties == {"custom_hostname": host, "status": ACTIVE}
    return ref if has_project(store, ref) and (custom or host == target) else None


def redirect(settings: dict[str, Any], wanted: str) -> str:
    """Where a login leads back to: what was asked for if it is allowed, else the site's own address.

    Source: GoTrue, internal/utilities/request.go, IsRedirectURLValid: the site's own host name, or a pattern of
    uri_allow_list in which * stops at . and /, and ** at nothing.
    """
    site = str(settings["site_url"])
    patterns = [one.strip() for one in str(settings["uri_allow_list"] or "").split(",") if one.strip()]
    allowed = _host(wanted) == _host(site) or any(re.fullmatch(_pattern(one), wanted) for one in patterns)
    return wanted if wanted and allowed else site


def _host(url: str) -> str:
    return urlsplit(url).hostname or ""


def _pattern(glob: str) -> str:
    # One pass, so that what one sign became is not taken for another.
    return re.sub(r"\*\*|\*|\?|[^*?]+", lambda found: _GLOB.get(found[0]) or re.escape(found[0]), glob)
