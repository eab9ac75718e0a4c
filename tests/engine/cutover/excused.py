"""What a way back may leave different, for comparisons with `Play.different`: the rehearsal's own list is exact."""

from __future__ import annotations

from runbook.rehearsal.cutover.views import Excused

_STAMPS = "a thing that went there and back has a new time or number of its last change"
_SENT = "what was sent stays sent"
_SESSIONS = "sessions end, and verify signs in"
_VERCEL = "Vercel's rollback turns off the assignment of domains until rolled-back is left"
_NEXT = "what the next Supabase project was given stays: it serves nobody"
_NAME = "the name that people just used stands until the update after"

BACK = (
    *(Excused(f"/cloudflare/DnsRecord/*/{name}odifiedOn", _STAMPS) for name in ("m", "commentM", "tagsM")),
    Excused("/cloudflare/DnsRecord/*/comment", "a way back writes every name again, and says so in its comment"),
    *(Excused(f"/cloudflare/Ruleset/*/{name}", _STAMPS) for name in ("version", "lastUpdated")),
    Excused("/grafana/Dashboard/*/version", _STAMPS),
    *(
        Excused(f"/{place}/*", _SENT)
        for place in (
            "cloudflare/purge",
            "grafana/annotation",
            "loki/line",
            "pagerduty/alert",
            "slack/message",
        )
    ),
    Excused("/slack/scheduled/*", "what was scheduled has been sent since", gone=True),
    *(Excused(f"/supabase/{kind}/*", _SESSIONS, gone=True) for kind in ("session", "refresh-token")),
    Excused("/supabase/user/*", _SESSIONS),
    Excused("/supabase/function/*", "the way back deploys it again"),
    Excused("/vercel/ProjectEnvironmentVariable/* TRUSTED_COOKIE_SECRET/value", "generations only grow"),
    Excused("/vercel/deployment/*/promoted", "the next builds have served"),
    Excused("/vercel/production/*/lastAliasRequest", "Vercel remembers its last promotion or rollback"),
    Excused("/vercel/production/*/lastRollbackTarget", _VERCEL),
    Excused("/vercel/production/*/assigns", _VERCEL),
    Excused("/projects/*/assigns", _VERCEL),
)
# By restoring the config from before the cutover, compared with before it was prepared.
NEXT = (
    Excused("/vercel/deployment/*", "the next builds stay at Vercel"),
    Excused("/auth/ibiminanextplacehold/settings/site_url", _NEXT),
    Excused("/auth/ibiminanextplacehold/settings/uri_allow_list", _NEXT),
    Excused("/auth/ibiminanextplacehold/custom_hostname", _NEXT),
    Excused("/supabase/auth-config/ibiminanextplacehold/site_url", _NEXT),
    Excused("/supabase/auth-config/ibiminanextplacehold/uri_allow_list", _NEXT),
    Excused("/supabase/custom-hostname/ibiminanextplacehold", _NEXT),
)
NAME = (
    *(Excused(f"/hosts/sign-in.ibimina.rw/{name}", _NAME) for name in ("status", "body", "failure")),
    *(Excused(f"/hosts/sign-in.ibimina.rw/dns/{name}", _NAME) for name in ("answers", "exists")),
    Excused("/cloudflare/DnsRecord/sign-in.ibimina.rw CNAME", _NAME),
)
