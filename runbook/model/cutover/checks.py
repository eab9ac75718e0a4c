"""Checks of a cutover's sections against each other and the platform. What depends on the time or on what serves is
refused later (refusals.py)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from runbook.model.checks import in_zone, needs, not_its_own_host, outside_zone, undeclared_env
from runbook.model.cutover.ledger import alike
from runbook.model.cutover.phases import Phase
from runbook.model.cutover.sections import Cutover, Span, shown_once
from runbook.model.fields import record_type
from runbook.model.platform import Platform
from runbook.model.problems import Problem, Said, nearest, path
from runbook.model.serving import stack_of
from runbook.model.settings import Settings, SlackContact

NEXT = ("cutover", "next")


@needs("cutover")
def window_is_a_span(platform: Platform, settings: Settings) -> Iterator[Problem]:
    if settings.cutover:
        yield from _span(settings.cutover.window, "cutover", "window")
        for index, each in enumerate(settings.cutover.overrides):
            yield from _real(each.until, settings.cutover.window.zone, path("cutover", "overrides", index, "until"))


@needs("freeze")
def freezes_are_spans(platform: Platform, settings: Settings) -> Iterator[Problem]:
    for index, freeze in enumerate(settings.freeze):
        yield from _span(freeze, "freeze", index)


def _span(span: Span, *at: str | int) -> Iterator[Problem]:
    yield from _real(span.start, span.zone, path(*at, "start"))
    yield from _real(span.end, span.zone, path(*at, "end"))
    if span.closes <= span.opens:
        yield Problem(
            path(*at, "end"),
            f"{span.end:%Y-%m-%d %H:%M}",
            f"A time after start, which is {span.start:%Y-%m-%d %H:%M}.",
            "Write a later time; over midnight it is the next day's date.",
        )


def _real(moment: datetime, zone: str, at: str) -> Iterator[Problem]:
    if not shown_once(moment, zone):
        yield Problem(
            at,
            f"{moment:%Y-%m-%d %H:%M}",
            f"A time that a clock in {zone} shows exactly once: in this hour the clocks are changed there.",
            "Write another time, or the same in the zone Etc/UTC.",
        )


def _ahead(settings: Settings) -> Cutover | None:
    """The cutover, unless it is taken back: what it names and the platform no longer has holds no way back up."""
    cutover = settings.cutover
    return None if cutover is None or cutover.phase is Phase.ROLLED_BACK else cutover


@needs("cutover", "owners")
def cutover_owners_are_owners(platform: Platform, settings: Settings) -> Iterator[Problem]:
    cutover = _ahead(settings)
    if cutover is None:
        return
    known = [owner.name for owner in platform.owners]
    for index, name in enumerate(cutover.owners):
        if name not in known:
            yield _unknown(path("cutover", "owners", index), name, known)
    contacts = [contact for owner in settings.owners.values() for contact in owner]
    if not any(isinstance(contact, SlackContact) for contact in contacts):
        yield Problem(
            path("owners"),
            Said.NOBODY,
            "At least one contact of kind slack in a stack with a cutover: its channel gets the reminder.",
            "Add a contact {kind: slack, channel: ..., secret: ...} to the owner who is to be reminded.",
        )


@needs("cutover", "platform", "environment", "current", "business_hours")
def back_out_names_objectives(platform: Platform, settings: Settings) -> Iterator[Problem]:
    cutover = _ahead(settings)
    if cutover is None or (platform.needs_business_hours and settings.business_hours is None):
        return
    known = [objective.name for objective in platform.objectives(stack_of(settings)) if objective.watch]
    for index, name in enumerate(cutover.back_out):
        if name not in known:
            yield _unknown(path("cutover", "backOut", index), name, known)


def _unknown(at: str, name: str, known: list[str]) -> Problem:
    edit = f"Write {nearest(name, known) or 'one of these'}."
    return Problem(at, name, f"One of {', '.join(known)}.", edit)


@needs("cutover", "current")
def next_differs(platform: Platform, settings: Settings) -> Iterator[Problem]:
    if settings.next is None:
        return
    now, then = settings.current, settings.next
    if alike(then, now):
        yield Problem(
            path(*NEXT),
            Said.SAME,
            "At least one of authHost, supabaseRef and targets that current does not have: they are what serves. A "
            "release or env values alone need no cutover.",
            "Write what is to serve after the flip, or remove cutover.",
        )
    if then.generation <= now.generation:
        yield Problem(
            path(*NEXT, "generation"),
            then.generation,
            f"More than current's, which is {now.generation}: generations of the secrets only grow.",
            f"Write {now.generation + 1}, or remove it.",
        )


@needs("cutover")
def next_names_apps(platform: Platform, settings: Settings) -> Iterator[Problem]:
    if settings.cutover is None:
        return
    known = [app.name for app in platform.apps]
    for name in settings.cutover.next.targets:
        if name not in known:
            yield replace(_unknown(path(*NEXT, "targets", name), name, known), value=Said.UNKNOWN)
    yield from undeclared_env(platform, settings.cutover.next.env, *NEXT)


@needs("cutover", "current", "apps")
def next_targets_fit(platform: Platform, settings: Settings) -> Iterator[Problem]:
    """A name's type cannot change in one update (pulumi-cloudflare #687): it would be gone for a moment."""
    if settings.next is None:
        return
    for app in platform.apps:
        old, new = settings.current.targets.get(app.name), settings.next.targets.get(app.name)
        at = path(*NEXT, "targets", app.name)
        if old is None or new is None or old == new:
            continue
        renamed = app.auth and settings.current.auth_host != settings.next.auth_host
        if record_type(old) != record_type(new) and not renamed:
            yield Problem(
                at,
                new,
                f"A target whose record is of type {record_type(old)} like that of the one that serves, {old}: the "
                "type of a name in use never changes in a cutover, or the name would be missing for a moment and "
                "remembered as missing.",
                f"Write one of that type{', or give next a new authHost' if app.auth else ''}.",
            )
        host = (
            settings.next.auth_host
            if app.auth
            else settings.apps[app.name].host
            if app.name in settings.apps
            else None
        )
        yield from not_its_own_host(at, new, host)


@needs("cutover", "current", "apps", "zone", "records")
def next_auth_host_fits(platform: Platform, settings: Settings) -> Iterator[Problem]:
    given = settings.cutover.next.auth_host if settings.cutover else None
    at, app = path(*NEXT, "authHost"), platform.auth_app
    if given is None or settings.next is None:
        return
    if app is None:
        yield Problem(at, given, f"Nothing: {platform.title} has no app that carries sign-in.", "Remove it.")
        return
    if not in_zone(given, settings.zone):
        yield outside_zone(at, given, settings.zone)
    if given in {each.host for each in settings.apps.values()} or given in {each.name for each in settings.records}:
        yield Problem(at, given, "A name that no app and no record has.", "Write another name.")
    if given == settings.current.auth_host:
        return
    if settings.next.supabase_ref == settings.current.supabase_ref:
        yield Problem(
            at,
            given,
            "A new host with another supabaseRef: Supabase keeps one custom host name per project, and the one that "
            "serves would be taken away.",
            "Add supabaseRef of the project that answers there, or remove authHost.",
        )
    if app.vercel:
        yield Problem(
            at,
            given,
            f"The host that {app.title} has: it is on Vercel, where a domain belongs to one project at a time.",
            "Remove it, and change targets or env.",
        )


@needs("cutover")
def functions_are_the_platforms(platform: Platform, settings: Settings) -> Iterator[Problem]:
    """One that is missing is refused at the flip, since preparing needs none."""
    known = list(platform.recovery.functions)
    cutover = _ahead(settings)
    for name in cutover.functions if cutover else ():
        if name not in known:
            problem = _unknown(path("cutover", "functions", name), name, known)
            nothing = replace(problem, allowed=f"Nothing: {platform.title} has no function.", edit=f"Remove {name}.")
            yield replace(problem if known else nothing, value=Said.UNKNOWN)


@needs("cutover")
def rules_are_overridden_once(platform: Platform, settings: Settings) -> Iterator[Problem]:
    overrides = settings.cutover.overrides if settings.cutover else []
    for rule, count in Counter(each.rule for each in overrides).items():
        if count > 1:
            yield Problem(
                path("cutover", "overrides"), rule.value, "Each rule once.", f"Keep one override of {rule.value}."
            )


@needs("endpoints")
def the_clock_is_a_rehearsals(platform: Platform, settings: Settings) -> Iterator[Problem]:
    if settings.endpoints.clock and not settings.endpoints.here:
        yield Problem(
            path("endpoints", "clock"),
            settings.endpoints.clock,
            "Nothing while a vendor's interface is not on this machine: the clock of a real run cannot be moved.",
            "Remove it.",
        )
