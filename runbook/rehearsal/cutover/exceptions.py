"""Paths of what the clouds hold that a way back leaves different, each with its reason. One that is not needed fails
the rehearsal, as does a difference that stands here under no name. The stack is prod, by whose names they go."""

from __future__ import annotations

from runbook.rehearsal.cutover.views import Excused

_RECORD = "/cloudflare/DnsRecord/{} CNAME/{}"
_PRODUCTION = "/vercel/production/{}/{}"
_SECRET = "/vercel/ProjectEnvironmentVariable/{} TRUSTED_COOKIE_SECRET/{}"
PROJECTS = ("ibimina-staff-prod", "ibimina-member-prod")


def _each(pattern: str, names: tuple[str, ...], values: tuple[str, ...], reason: str) -> tuple[Excused, ...]:
    return tuple(Excused(pattern.format(name, value), reason) for name in names for value in values)


_HOSTS = ("app.ibimina.rw", "auth.ibimina.rw", "staff.ibimina.rw")
_WRITTEN = (
    *_each(_RECORD, _HOSTS, ("comment",), "a way back writes every name again, and says so in its comment"),
    *_each(
        _RECORD,
        _HOSTS,
        ("modifiedOn", "commentModifiedOn", "tagsModifiedOn"),
        "a record that is written has a new time",
    ),
)


# Of every way back after a flip that came as far as the switch. The vendors number purges and annotations.
_ALWAYS = (
    *_WRITTEN,
    *(Excused(f"/cloudflare/purge/{number}", "caches are purged before and after a switch") for number in (1, 2, 3)),
    Excused("/grafana/annotation/1", "crossings stay marked in Grafana"),
    Excused("/loki/line/cutover-1-flip-1", "the marked events that verify sent stay in the logs"),
    Excused("/loki/line/cutover-2-back-1", "the marked events that verify sent stay in the logs"),
    Excused("/pagerduty/alert/ibimina-prod-2-back", "a page that was sent stays sent"),
    Excused("/slack/message/2-back", "an announcement that was sent stays sent"),
    Excused("/supabase/function/ibiminaprodplacehold~1metrics-exporter", "the way back deploys it again"),
    Excused("/supabase/session/*", "sessions that the flip ended stay ended; verify signed in anew", gone=True),
    Excused("/supabase/refresh-token/*", "tokens end and begin with their sessions", gone=True),
    Excused("/supabase/user/*", "the user with whom verify signs in"),
    *_each(_SECRET, PROJECTS, ("value",), "the generation of the renewed secret only grows"),
    *_each(_PRODUCTION, PROJECTS, ("lastAliasRequest",), "Vercel remembers its last promotion or rollback"),
)

PLANNED = (
    *_ALWAYS,
    Excused("/slack/message/reminder", "the reminder that was sent stays sent"),
    Excused("/slack/scheduled/reminder", "the reminder that was scheduled has been sent since", gone=True),
    Excused("/vercel/deployment/*/promoted", "the next builds have served once"),
)
ONCE_MORE = (
    Excused("/slack/message/reminder sent at once", "less than a day was left"),
    Excused("/vercel/deployment/*", "next was made anew, and the release before it stays at Vercel"),
)
EMERGENCY = (
    *_ALWAYS,
    Excused("/cloudflare/Ruleset/*/version", "the rule that pins the auth host went there and back"),
    Excused("/cloudflare/Ruleset/*/lastUpdated", "as its version"),
    Excused("/grafana/annotation/2", "crossings stay marked in Grafana"),
    Excused("/slack/message/1-flip", "an announcement that was sent stays sent"),
    Excused("/vercel/deployment/*", "the next builds stay at Vercel"),
)

# While rolled-back, or the first update after a flip was reverted, stands: the next one ends it.
UNTIL_LEFT = _each(
    _PRODUCTION, PROJECTS, ("assigns", "lastRollbackTarget"), "Vercel's rollback turns off the assignment of domains"
)
LEAVING = (Excused("/cloudflare/DnsRecord/login.ibimina.rw CNAME", "a name that people just used stands on"),)
