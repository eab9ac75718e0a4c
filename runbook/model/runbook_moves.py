"""The chapters of a runbook about a cutover: forward phase by phase, and back."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from runbook.model.cutover import texts
from runbook.model.cutover.ledger import new_names
from runbook.model.cutover.opening import LEAST, MARGIN, UNKNOWN_NEGATIVE
from runbook.model.cutover.paper import block, point, prose
from runbook.model.cutover.phases import LOW_TTL, Direction, Phase, Rule
from runbook.model.cutover.sections import Cutover
from runbook.model.fields import duration_text
from runbook.model.plans.horizon import horizon, span
from runbook.model.platform import Platform
from runbook.model.runbook_cutover import acting, least_wait, ttl_before
from runbook.model.runbook_reader import Live, Reader
from runbook.model.serving import stack_of
from runbook.model.settings import Settings

# What refuses a move, by the name under which it can be overridden.
REFUSED: Mapping[Rule, str] = {
    Rule.MOVE: "a phase that does not follow the one that the stack has",
    Rule.OBSERVATION: "a vendor that could not be looked at",
    Rule.DRIFT: "a DNS target that somebody changed by hand",
    Rule.WINDOW: "a time outside the cutover window",
    Rule.FREEZE: "a freeze of the stack file",
    Rule.OPENS_AT: "a time before the flip opens",
    Rule.BUILD: "a next build that is not READY",
    Rule.RELEASE: "a release made since next was made ready",
    Rule.FUNCTION_SOURCE: "no source for a function that the way back deploys again",
    Rule.SOAK: "`settled` before the soak is over",
}


def forward(
    platform: Platform, settings: Settings, planned: Settings, who: Reader, live: Live | None
) -> Iterator[str]:
    """`settings`: the stack's; `planned`: the same with a cutover, theirs or an example."""
    cutover = planned.cutover
    if cutover is None:
        return
    yield prose(
        "One move after the other, each with the hash of a plan that somebody has read. Numbers such as 3a, 4 are "
        "sections of the operations runbook from which the order comes; lines that begin with Look change nothing."
    )
    yield "### Agree on it, and write it down"
    yield from _written(settings, cutover, who)
    for phase in (Phase.PREPARED, Phase.FLIPPED, Phase.SETTLED, Phase.STEADY):
        yield f"### {phase}{' (the stack is here)' if live and live.phase == phase else ''}"
        yield from _PHASES[phase](platform, planned, cutover, who, live)


def _written(settings: Settings, cutover: Cutover, who: Reader) -> Iterator[str]:
    file = f"Pulumi.{who.stack}.yaml"
    if settings.cutover:
        yield f"{file} holds this under `config`:"
    else:
        yield prose(
            f"{file} holds no cutover. This is a sound one to begin with: put it under `config`, and write your own "
            "window, owners, back-out criteria, next side and sources. Only what differs from `current` stands in "
            "`next`."
        )
    yield block(*yaml(cutover), fence="yaml")
    yield prose(
        "The window is agreed with everybody whom it concerns. `backOut` names the objectives whose pages say that "
        "it is taken back."
    )


def yaml(cutover: Cutover) -> Iterator[str]:
    """The section as a stack file has it, without what is there by default."""
    window = cutover.window
    yield "  runbook:cutover:"
    yield f"    phase: {cutover.phase}"
    times = {"start": f"{window.start:%Y-%m-%d %H:%M}", "end": f"{window.end:%Y-%m-%d %H:%M}", "zone": window.zone}
    yield f"    window: {_flow(times)}"
    yield f"    owners: {_flow(cutover.owners)}"
    yield f"    backOut: {_flow(cutover.back_out)}"
    yield f"    soak: {duration_text(cutover.soak)}"
    yield "    next:"
    given: dict[str, Any] = cutover.next.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    for key, value in given.items():
        yield f"      {key}: {_flow(value)}"
    if cutover.functions:
        yield "    functions:"
    for name, each in cutover.functions.items():
        yield f"      {name}: {_flow({'source': each.source, 'tag': each.tag})}"
    if cutover.overrides:
        yield "    overrides:"
    for one in cutover.overrides:
        yield f"      - {_flow({'rule': one.rule, 'reason': one.reason, 'until': f'{one.until:%Y-%m-%d %H:%M}'})}"


def _flow(value: Any) -> str:
    """Plain JSON is YAML as well; names stand without quotes, but for words that YAML takes for something else."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {_flow(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_flow, value)) + "]"
    name = isinstance(value, str) and value.replace("-", "").isalpha()
    plain = name and value.lower() not in ("y", "n", "yes", "no", "on", "off", "true", "false", "null")
    return str(value) if plain else json.dumps(value, ensure_ascii=False)


def _move(phase: Phase, who: Reader) -> Iterator[str]:
    yield block(who.command(f"phase {phase}"), who.command("plan"), who.apply)
    yield prose(f"HASH is what the plan ends with. With Pulumi alone, `phase: {phase}` is written by hand, and:")
    yield block(f"pulumi up --stack {who.stack}")


def _does(platform: Platform, planned: Settings, direction: Direction | None) -> str:
    """What a move does, as a list of lists."""
    lines = []
    for where, done in acting(platform, planned, direction):
        lines += [f"- {where}", *(f"  - {text}" for text in done)]
    return "\n".join(lines)


def _prepared(
    platform: Platform, planned: Settings, cutover: Cutover, who: Reader, live: Live | None
) -> Iterator[str]:
    yield from _move(Phase.PREPARED, who)
    yield "Nothing that people reach changes. It does:"
    yield _does(platform, planned, None)
    yield prose(f"**The cutover window** is {texts.span(cutover)}.")
    yield prose(f"**When the flip opens.** {_opens(platform, planned, live)} When exactly, and why:")
    yield block(who.command("status"))


def _opens(platform: Platform, planned: Settings, live: Live | None) -> str:
    if live and live.opens:
        return live.opens
    names, ttl = ttl_before(platform, planned)
    if not names and not new_names(platform, planned):
        return "At once: every name that moves is proxied, so no resolver holds what changes."
    wait = span(least_wait(max(ttl, UNKNOWN_NEGATIVE if new_names(platform, planned) else 0)))
    return (
        f"When the authoritative servers have given {LOW_TTL} s for {' and '.join(names) or 'the new name'} for as "
        f"long as a resolver may hold what was served before, at least {span(LEAST)}, and {span(MARGIN)} more: with "
        f"the TTL of the stack file {wait} after `{Phase.PREPARED}`, and later where another was served."
    )


def _flipped(
    platform: Platform, planned: Settings, cutover: Cutover, who: Reader, live: Live | None
) -> Iterator[str]:
    yield from _move(Phase.FLIPPED, who)
    yield "It is refused in the preview, with every reason at once and a block to override just these, by:"
    yield "\n".join(point(f"`{rule}`: {text}") for rule, text in REFUSED.items() if rule is not Rule.SOAK)
    yield "What cannot be undone:"
    yield "\n".join(map(point, texts.cannot_be_undone(platform)))
    yield "It does, and a step that fails stops what comes after it; the same command goes on from there:"
    yield _does(platform, planned, Direction.FLIP)
    watched = [each for each in platform.objectives(stack_of(planned)) if each.name in cutover.back_out]
    yield "**Watch.** Until it is settled, each of these pages means: take it back, chapter 5."
    yield "\n".join(point(f"{each.title}: {alert.title}") for each in watched for alert in each.watch)


def _settled(
    platform: Platform, planned: Settings, cutover: Cutover, who: Reader, live: Live | None
) -> Iterator[str]:
    least = ", or as long as a token lives at Supabase where that is longer" if platform.auth_app else ""
    yield prose(f"{span(int(cutover.soak.total_seconds()))} after the flip{least}. TTLs are normal again.")
    yield from _move(Phase.SETTLED, who)


def _steady(platform: Platform, planned: Settings, cutover: Cutover, who: Reader, live: Live | None) -> Iterator[str]:
    yield prose(
        "What was next becomes `current` in the stack file, and the section `runbook:cutover` goes; the command does "
        "both. No cloud is called."
    )
    yield block(who.command(f"phase {Phase.STEADY}"), who.command("plan"), who.apply)


_PHASES = {
    Phase.PREPARED: _prepared,
    Phase.FLIPPED: _flipped,
    Phase.SETTLED: _settled,
    Phase.STEADY: _steady,
}


def back(platform: Platform, planned: Settings, who: Reader) -> Iterator[str]:
    """One command, what it does, and the ways without it."""
    yield prose(
        "From a flip, whole or half-finished, and from `settled`. No hash, window, freeze or second person is in its "
        "way."
    )
    yield block(who.command("rollback"))
    names, _ = ttl_before(platform, planned)
    how_long = horizon(dict.fromkeys(names, LOW_TTL))
    yield prose(f"People are back {f'within {span(how_long.seconds)}' if names else 'at once'}. {how_long.why}")
    yield prose(
        f"With Pulumi alone, `phase: {Phase.ROLLED_BACK}` is written by hand, or the commit of the flip is "
        "reverted, and:"
    )
    yield block(f"pulumi up --yes --skip-preview --continue-on-error --stack {who.stack}")
    yield prose(
        "Without Pulumi a terminal with curl is enough. Each flip writes the page for it, "
        f"{planned.endpoints.out}/way-back/{stack_of(planned).name}.md; this prints it:"
    )
    yield block(who.command("way-back"))
    yield prose(
        "It does this. DNS and builds go at once and side by side; all else follows by itself, and is reported and "
        "tried again when it fails:"
    )
    yield _does(platform, planned, Direction.BACK)
    yield "What does not come back:"
    yield "\n".join(map(point, texts.cannot_be_undone(platform)))
    yield prose(
        "When the cause is known, the stack is made steady again; until then Vercel gives no domain to new builds:"
    )
    yield block(who.command(f"phase {Phase.STEADY}"), who.command("plan"), who.apply)
