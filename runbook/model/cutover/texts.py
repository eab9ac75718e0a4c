"""What steps say and set, as plain data: reminder, page, announcement, auth settings, the record of a crossing."""

from __future__ import annotations

import hashlib
import textwrap
from datetime import UTC, timedelta
from typing import Any

from runbook.model.cutover.ledger import Ledger
from runbook.model.cutover.phases import Direction, Phase
from runbook.model.cutover.sections import Cutover
from runbook.model.platform import Platform, Secret
from runbook.model.serving import hosts, stack_of
from runbook.model.settings import Settings, SlackContact

REMINDED = timedelta(hours=24)  # section 3a, 1

# What a way back does not bring back. Shown before a flip and on the page of the way back.
_SESSIONS = "Sessions that the flip ended stay ended: everybody signs in again, and once more after a way back."
_SENT = "Messages that were sent stay sent: the reminder, announcements and pages."
_RENEWED = (
    "The generation of the renewed secrets only grows. The build that served before carries the old ones, so cookies "
    "of trusted devices from before the flip count again while it serves."
)
_WRITTEN = "What people wrote to the next Supabase project while it served stays there: the program moves no data."


def cannot_be_undone(platform: Platform) -> tuple[str, ...]:
    """What stays after a way back, of what a flip of this platform does."""
    values = [variable.value for _, app in platform.vercel_apps for variable in app.variables]
    renews = any(isinstance(value, Secret) and value.renewed for value in values)
    said = {_SESSIONS: platform.auth_app is not None, _SENT: True, _RENEWED: renews, _WRITTEN: True}
    return tuple(text for text, holds in said.items() if holds)


def before_a_flip(platform: Platform, tag: str) -> str:
    """What is shown before a flip: that traffic moves, and what cannot be undone, for a terminal of 80 columns."""
    head = f"This update flips (crossing {tag}). What cannot be undone:"
    points = (
        textwrap.fill(each, 76, initial_indent="- ", subsequent_indent="  ", break_on_hyphens=False)
        for each in cannot_be_undone(platform)
    )
    return "\n".join((head, *points))


def channel(settings: Settings) -> str:
    """The Slack channel that is reminded and told: the first of the cutover's owners, else of any owner."""
    named = settings.cutover.owners if settings.cutover else []
    for owner in [*named, *settings.owners]:
        for contact in settings.owners.get(owner, []):
            if isinstance(contact, SlackContact):
                return contact.channel
    return ""


def reminder(platform: Platform, settings: Settings) -> dict[str, Any]:
    """Arguments of the reminder. It carries what section 3a asks for: start and end, owners, back-out criteria. The
    marker is the stack's: by it a reminder of this stack is found again, whatever its window was."""
    marker = f"{stack_of(settings).name} cutover reminder"
    found = {"channel": channel(settings), "marker": marker}
    cutover = settings.cutover
    if cutover is None:
        return found
    titles = {objective.name: objective.title for objective in platform.objectives(stack_of(settings))}
    criteria = ", ".join(titles.get(name, name) for name in cutover.back_out)
    text = (
        f"Cutover of {platform.title} {settings.environment}: {span(cutover)}.\n"
        f"Owners: {', '.join(owner.title for owner in platform.owners if owner.name in cutover.owners)}.\n"
        f"It is taken back when one of these alerts: {criteria}.\n"
        f"({marker})"
    )
    return {
        **found,
        "text": text,
        # In UTC: on the wall a day may be an hour longer or shorter.
        "at": (cutover.window.opens.astimezone(UTC) - REMINDED).isoformat(),
        "until": cutover.window.opens.astimezone(UTC).isoformat(),
    }


def reminder_id(settings: Settings) -> str:
    """Another window, channel, other owners or criteria make another reminder. Empty where none is due: without a
    cutover, and from the flip on, so that leaving settled behind has nothing to take back."""
    cutover, ahead = settings.cutover, settings.phase in (Phase.STEADY, Phase.PREPARED)
    if cutover is None or not ahead or not channel(settings):
        return ""
    said = f"{cutover.window.model_dump_json()}{cutover.owners}{cutover.back_out}{channel(settings)}"
    return f"reminder-{hashlib.sha256(said.encode()).hexdigest()[:12]}"


def span(cutover: Cutover) -> str:
    """The window in its own zone and in UTC."""
    opens, closes = cutover.window.opens, cutover.window.closes
    utc = f"{opens.astimezone(UTC):%H:%M} to {closes.astimezone(UTC):%H:%M} UTC"
    return f"{opens:%Y-%m-%d %H:%M} to {closes:%Y-%m-%d %H:%M} {cutover.window.zone} ({utc})"


def auth_settings(platform: Platform, settings: Settings) -> dict[str, Any]:
    """Supabase project ref to what its auth settings allow in this phase.

    The redirect list has every app, and the callback of each auth host that may be met. The site URL is set on a
    project that a cutover brings; the one that serves keeps what the company gave it.
    """
    sides = [settings.side]
    if settings.next and settings.phase.low_ttl:
        sides = [settings.current, settings.next]
    served = hosts(platform, settings)
    apps = [f"https://{served[app.name]}" for app, _ in platform.vercel_apps]
    callbacks = [f"https://{side.auth_host}/auth/v1/callback" for side in sides if side.auth_host]
    allowed = [*(f"{url}/**" for url in apps), *dict.fromkeys(callbacks)]
    wanted: dict[str, Any] = {side.supabase_ref: {"uri_allow_list": allowed} for side in sides}
    new = settings.next.supabase_ref if settings.next else settings.current.supabase_ref
    if new != settings.current.supabase_ref and new in wanted and apps:
        wanted[new]["site_url"] = apps[0]
    return wanted


def custom_hostname(settings: Settings, going_back: bool) -> dict[str, Any]:
    """Which Supabase project answers under which auth host; empty where that is not this cutover's concern.
    `going_back`: a way back is under way, whatever the phase's name.

    A project that a cutover brings is given its host while it is prepared: that changes nothing that serves, and lets
    the gates see the certificate. (Unverified: that Supabase lets two projects have one host.)
    """
    if settings.next is None:
        side = settings.side
    elif settings.next.supabase_ref == settings.current.supabase_ref:
        return {}
    else:
        current = going_back or settings.phase in (Phase.STEADY, Phase.ROLLED_BACK)
        side = settings.current if current else settings.next
    return {"ref": side.supabase_ref, "host": side.auth_host} if side.auth_host else {}


def what(platform: Platform, settings: Settings, ledger: Ledger) -> str:
    """The crossing in a few words."""
    named = f"{platform.title} {settings.environment}"
    if ledger.direction is Direction.BACK:
        return f"Way back of {named} ({ledger.tag})"
    return f"Flip of {named} ({ledger.tag})"


def paged(platform: Platform, settings: Settings, ledger: Ledger) -> dict[str, Any]:
    revert = platform.recovery.revert
    return {
        "summary": f"{what(platform, settings, ledger)}: traffic goes back to release {ledger.side.release}",
        "source": stack_of(settings).name,
        "severity": "critical",
        "dedup_key": f"{stack_of(settings).name}-{ledger.tag}",
        "custom_details": {
            "runbook": settings.runbook_url,
            "database": f"If a migration broke sign-in, the runbook says: {revert} (unverified; nothing runs it)"
            if revert
            else "The runbook names no command.",
            "deployments": "Vercel assigns no domain to new builds until rolled-back is left.",
        },
    }


def announcement(platform: Platform, settings: Settings, ledger: Ledger) -> str:
    side, revert = ledger.side, platform.recovery.revert
    lines = [
        f"{what(platform, settings, ledger)} is complete.",
        f"Serving: release {side.release}, {_targets(ledger)}.",
    ]
    if ledger.direction is Direction.BACK:
        lines.append(
            "Deployments are locked until the fix is proven in staging: new builds take no domain (advisory)."
        )
        if revert:
            lines.append(f"If a migration broke sign-in: {revert} (as in the runbook, unverified; nothing runs it).")
    return "\n".join(lines)


def annotation(platform: Platform, settings: Settings, ledger: Ledger) -> str:
    return f"{what(platform, settings, ledger)}: release {ledger.side.release}, {_targets(ledger)}"


def record(platform: Platform, settings: Settings, ledger: Ledger) -> dict[str, Any]:
    """What the evidence of a crossing says of it, beside what each step saw."""
    left = ledger.before if ledger.direction is Direction.FLIP else ledger.leaving
    return {
        "stack": stack_of(settings).name,
        "crossing": ledger.tag,
        "phase": settings.phase.value,
        "begun": ledger.begun.isoformat() if ledger.begun else None,
        "attempts": ledger.attempt,
        "from": left.model_dump(mode="json", by_alias=True) if left else None,
        "to": ledger.side.model_dump(mode="json", by_alias=True),
        "window": span(settings.cutover) if settings.cutover else None,
        "overrides": {rule.value: reason for rule, reason in ledger.overridden.items()},
        "cannot_be_undone": list(cannot_be_undone(platform)),
        "database": platform.recovery.revert,
    }


def _targets(ledger: Ledger) -> str:
    return ", ".join(f"{app} at {target}" for app, target in sorted(ledger.side.targets.items()))
