"""What speaks against a flip now: times, what could not be seen, what is not ready, what somebody changed."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime

from runbook.model.checks import host_of
from runbook.model.cutover.ledger import Memory, next_digest
from runbook.model.cutover.observed import Observed
from runbook.model.cutover.opening import Opening
from runbook.model.cutover.phases import Direction, Phase, Rule
from runbook.model.cutover.refusal import PHASE, Refusal, local, whole
from runbook.model.cutover.sections import Cutover, Side
from runbook.model.platform import App, Platform
from runbook.model.problems import Problem, Said, path
from runbook.model.serving import takes_part
from runbook.model.settings import Settings


def against_a_flip(
    platform: Platform,
    settings: Settings,
    memory: Memory,
    observed: Observed,
    now: datetime,
    opens: Opening,
    sources_missing: Collection[str],
) -> Iterator[Refusal]:
    """All of it, in the order in which it is told. `sources_missing`: as `refusals.decide` has them."""
    cutover = settings.cutover
    if cutover is None:
        return
    yield from _times(settings, cutover, now)
    yield from _unseen(settings, observed)
    if opens.at is None or now < opens.at:
        yield _shut(memory, opens, cutover)
    yield from _drifted(platform, settings, memory, observed)
    yield from _builds(platform, settings, memory, observed)
    yield from _functions(platform, cutover, sources_missing)


def _times(settings: Settings, cutover: Cutover, now: datetime) -> Iterator[Refusal]:
    if not cutover.window.holds(now):
        span = f"{local(cutover.window.opens, cutover)} to {local(cutover.window.closes, cutover)}"
        yield Refusal(
            Rule.WINDOW,
            Problem(
                PHASE,
                cutover.phase.value,
                f"In the cutover window, {span}; now it is {local(now, cutover)}.",
                f"Wait for the window, or agree on another one and write it under {path('cutover', 'window')}.",
            ),
        )
    for index, freeze in enumerate(settings.freeze):
        if freeze.holds(now):
            yield Refusal(
                Rule.FREEZE,
                Problem(
                    path("freeze", index),
                    freeze.reason,
                    f"No flip until {local(freeze.closes, cutover)}.",
                    "Wait until the freeze is over.",
                ),
            )


def _unseen(settings: Settings, observed: Observed) -> Iterator[Refusal]:
    for what, why in observed.failures.items():
        yield Refusal(
            Rule.OBSERVATION,
            Problem(
                PHASE,
                settings.phase.value,
                f"A flip before which {what} could be looked at. {why}",
                "Try again when it answers.",
            ),
        )


def _prepared(memory: Memory, edit: str) -> str:
    """What to do: while a flip is under way, prepared would take it back."""
    going = memory.going(Direction.FLIP)
    return f"Override it, or take the flip back with phase: {Phase.ROLLED_BACK}." if going else edit


def _shut(memory: Memory, opens: Opening, cutover: Cutover) -> Refusal:
    when = f"once it opens. {opens.why}" if opens.at is None else f"from {whole(opens.at, cutover)} on. {opens.why}"
    edit = _prepared(memory, f"Go on with phase: {Phase.PREPARED} until then.")
    return Refusal(Rule.OPENS_AT, Problem(PHASE, cutover.phase.value, f"{Phase.FLIPPED} {when}", edit))


def _drifted(platform: Platform, settings: Settings, memory: Memory, observed: Observed) -> Iterator[Refusal]:
    """Somebody changed by hand what serves, or the name that next brings: neither side is what people would reach."""
    now, then = settings.current, settings.next
    if memory.ledger is None or then is None or "records" in observed.failures:
        return
    for app in platform.apps:
        if takes_part(app, settings):
            known = {now.targets[app.name], *([then.targets[app.name]] if memory.open else [])}
            at, host = path("current", "targets", app.name), host_of(app, settings, now)
            listed = _contents(host, observed) or {"no record"}
            yield from (_changed(at, now, app, f"{each} for {host}") for each in sorted(listed - known))
        if app.auth and then.auth_host != now.auth_host:  # where it is missing yet, the flip is not open
            at, listed = path("cutover", "next", "targets", app.name), _contents(then.auth_host, observed)
            others = sorted(listed - {then.targets[app.name]})
            yield from (_changed(at, then, app, f"{each} for {then.auth_host}") for each in others)


def _contents(host: str | None, observed: Observed) -> set[str]:
    return {each.content for each in observed.records if each.name == host and each.type in ("CNAME", "A", "AAAA")}


def _changed(at: str, side: Side, app: App, found: str) -> Refusal:
    said = f"What was declared. Cloudflare's listing has {found}: somebody changed it."
    edit = "Look with pulumi preview --refresh, and put either of the two right."
    return Refusal(Rule.DRIFT, Problem(at, side.targets[app.name], said, edit))


def _builds(platform: Platform, settings: Settings, memory: Memory, observed: Observed) -> Iterator[Refusal]:
    ledger = memory.ledger
    if ledger is None:
        return
    for app, _ in platform.vercel_apps:
        made, build = _made(app, settings, memory), observed.next_builds.get(app.name)
        if made is None or build is None or build.state != "READY":
            state = (
                "was not made for this flip" if made is None else f"is {build.state if build else 'not to be seen'}"
            )
            yield Refusal(
                Rule.BUILD,
                Problem(
                    PHASE,
                    settings.phase.value,
                    f"A next build of {app.title} that is READY; it {state}.",
                    _prepared(memory, f"Run pulumi up with phase: {Phase.PREPARED}, and again when it is READY."),
                ),
            )
        serving, base = observed.serving.get(app.name), ledger.base.get(app.name)
        if serving and made and serving.id not in (base, made):
            yield Refusal(
                Rule.RELEASE,
                Problem(
                    PHASE,
                    settings.phase.value,
                    f"The build of {app.title} beside which next was made, {base or 'which nobody saw'}; a release "
                    f"made outside serves now, {serving.id}, which the flip would take away.",
                    _prepared(memory, f"Run pulumi up with phase: {Phase.PREPARED}: it makes next anew, beside it."),
                ),
            )


def _made(app: App, settings: Settings, memory: Memory) -> str | None:
    """The deployment that was made of this very next; None before that, and once a way back has left it."""
    ledger, step = memory.ledger, f"build-{app.name}"
    if ledger is None or ledger.prepared_for != next_digest(settings):
        return None
    made = memory.acted.get(step) == f"prepare-{ledger.preparation}"
    return memory.evidence.get(step, {}).get("deployment") if made else None


def _functions(platform: Platform, cutover: Cutover, sources_missing: Collection[str]) -> Iterator[Refusal]:
    needed = "A file or folder that is there: the way back deploys the function from it, and then is no time to look."
    for name in platform.recovery.functions:
        if name not in cutover.functions:
            edit = f"Add {name} with source and tag."
            problem = Problem(path("cutover", "functions", name), Said.MISSING, needed, edit)
            yield Refusal(Rule.FUNCTION_SOURCE, problem)
        elif name in sources_missing:
            at = path("cutover", "functions", name, "source")
            edit = "Correct it, or check its repository out there."
            yield Refusal(Rule.FUNCTION_SOURCE, Problem(at, cutover.functions[name].source, needed, edit))
