"""What an update may not do now: every reason at once, each with its rule, and one block that overrides just these.

Going back is never refused here: it is subject to the schema alone.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from runbook.model.cutover.advancing import advance, ttls_before
from runbook.model.cutover.against_a_flip import against_a_flip
from runbook.model.cutover.ledger import Change, Ledger, Memory, alike, change, fixed_hosts
from runbook.model.cutover.observed import Observed
from runbook.model.cutover.opening import Opening, opening
from runbook.model.cutover.phases import MOVES, Direction, Phase, Rule
from runbook.model.cutover.refusal import PHASE, Refusal, whole
from runbook.model.cutover.sections import Side, shown_once
from runbook.model.cutover.unnoted import unnoted
from runbook.model.platform import Platform
from runbook.model.problems import Problem, path
from runbook.model.settings import Settings


@dataclass(frozen=True)
class Decision:
    """What this update is. `ledger`: the record that it writes first. `overridden`: rule to reason, of those that
    would have refused it."""

    change: Change
    ledger: Ledger
    refusals: tuple[Refusal, ...]
    overridden: Mapping[Rule, str]
    opening: Opening | None


class RefusedError(Exception):
    """An update is refused. `str()` is the whole text for the terminal."""

    def __init__(self, stack: str, settings: Settings, refusals: Sequence[Refusal], now: datetime) -> None:
        self.refusals = tuple(refusals)
        count = "1 reason" if len(refusals) == 1 else f"{len(refusals)} reasons"
        blocks = [f"{count} against this update of {stack}; nothing was changed."]
        blocks += [_text(stack, number, each) for number, each in enumerate(refusals, 1)]
        block = override_block(settings, refusals, now)
        if block:
            these = "these" if len(refusals) > 1 else "this"
            blocks.append(f"To override {these}, give a reason and put it under {path('cutover')} in")
            blocks[-1] += f"\nPulumi.{stack}.yaml:\n\n{block}"
        super().__init__("\n\n".join(blocks))


def _text(stack: str, number: int, refusal: Refusal) -> str:
    first, *rest = refusal.problem.text(stack).splitlines()
    rule = refusal.rule.value if refusal.rule else "none that could be overridden"
    return "\n".join([f"{number}. {first}", f"   rule:    {rule}", *rest])


def override_block(settings: Settings, refusals: Sequence[Refusal], now: datetime) -> str:
    """YAML for `cutover.overrides`: those that stand there, and one for each of these refusals. Its reasons are too
    short to be taken as they are."""
    cutover = settings.cutover
    rules = list(dict.fromkeys(each.rule for each in refusals if each.rule))
    if cutover is None or not rules or any(each.rule is None for each in refusals):
        return ""  # where one stays, to override the others would be of no use
    until = f"{_in_an_hour(now, cutover.window.zone):%Y-%m-%d %H:%M}"
    kept = [each for each in cutover.overrides if each.rule not in rules]
    lines = [_line(each.rule, each.reason, f"{each.until:%Y-%m-%d %H:%M}") for each in kept]
    return "\n".join(["overrides:", *lines, *(_line(rule, "", until) for rule in rules)])


def _line(rule: Rule, reason: str, until: str) -> str:
    return f'  - {{rule: {rule}, reason: {json.dumps(reason, ensure_ascii=False)}, until: "{until}"}}'


def _in_an_hour(now: datetime, zone: str) -> datetime:
    """As a clock there shows it; later where clocks are put back then, for a time that is shown twice is refused."""
    until = now + timedelta(hours=1)
    while not shown_once(wall := until.astimezone(ZoneInfo(zone)).replace(tzinfo=None), zone):
        until += timedelta(hours=1)
    return wall


def decide(
    platform: Platform,
    settings: Settings,
    memory: Memory,
    observed: Observed,
    now: datetime,
    sources_missing: Collection[str] = (),
    commit: str = "",
) -> Decision:
    """What this update is, and everything that speaks against it. `sources_missing`: functions whose source is not
    where the config says; `commit`: the git commit that holds the stack file as it is."""
    kind = change(settings, memory.ledger)
    found = list(_moves(settings, memory, kind))
    opens, opened = None, None
    if settings.next and kind is not Change.BACK:
        found += unnoted(platform, settings, memory, observed)
        opens = _opening(platform, settings, memory, observed, now)
        if _flips(memory, kind):
            found += against_a_flip(platform, settings, memory, observed, now, opens, sources_missing)
            opened = min(opens.at or now, now)  # later only where an override lets it pass
    if kind is Change.NONE and settings.phase is Phase.SETTLED:
        found += _before_settling(settings, memory, observed, now)
    in_force = settings.cutover.in_force(now) if settings.cutover else {}
    overridden = {each.rule: in_force[each.rule] for each in found if each.rule in in_force}
    return Decision(
        change=kind,
        ledger=advance(platform, settings, memory, observed, now, opened, commit, overridden),
        refusals=tuple(each for each in found if each.rule not in in_force),
        overridden=overridden,
        opening=opens,
    )


def _flips(memory: Memory, kind: Change) -> bool:
    """Whether this update begins a flip or goes on with one."""
    return kind is Change.FLIP or (kind is Change.NONE and memory.going(Direction.FLIP))


def _opening(platform: Platform, settings: Settings, memory: Memory, observed: Observed, now: datetime) -> Opening:
    old = memory.ledger
    if old is None:
        return opening(platform, settings, observed, {})
    # A flip that began by an override was not open, and an override ends.
    going = memory.going(Direction.FLIP) and Rule.OPENS_AT not in old.overridden
    before = ttls_before(platform, settings, old, observed, now)
    return opening(platform, settings, observed, before, old.opened if going else None)


def _moves(settings: Settings, memory: Memory, kind: Change) -> Iterator[Refusal]:
    was, asked = _stands(memory), settings.phase
    if kind is Change.BACK:
        return
    # From flipped to flipped is a move as well, where next is another one.
    barred = (asked is not was or kind is Change.FLIP) and (was, asked) not in MOVES
    if barred:
        allowed = [each for each in (was, *sorted(to for start, to in MOVES if start is was)) if each is not asked]
        since = f"the stack is {was if memory.ledger else 'new'}"
        yield Refusal(
            # What serves changes by a flip alone, which an override cannot put in place of another phase.
            Rule.MOVE if memory.ledger and kind is not Change.OTHER else None,
            Problem(
                PHASE,
                asked.value,
                f"One of {', '.join(allowed)}, since {since}.",
                f"Write one of these. A change of what serves goes {Phase.PREPARED} first, then {Phase.FLIPPED}.",
            ),
        )
    if kind is Change.OTHER and memory.ledger:
        current_serves = alike(settings.current, memory.ledger.side)
        if not (barred and current_serves):  # or else the phase alone is wrong
            yield Refusal(None, _by_hand(settings, memory.ledger))
    yield from _renamed(settings, memory)


def _stands(memory: Memory) -> Phase:
    """In which phase the state is. A way back that is under way is rolled-back, by whatever word it was asked for."""
    if memory.ledger is None:
        return Phase.STEADY
    return Phase.ROLLED_BACK if memory.going(Direction.BACK) else memory.ledger.phase


def _renamed(settings: Settings, memory: Memory) -> Iterator[Refusal]:
    """A record is renamed in place, so the name that people know would be gone at once."""
    known = memory.ledger.hosts if memory.ledger else {}
    for app, host in fixed_hosts(settings).items():
        was = known.get(app, host)
        if host != was:
            problem = Problem(
                path("apps", app, "host"),
                host,
                f"{was}, by which people reach the app: a name in use is never taken away.",
                f"Write back {was}. A new name is a new app of the platform; people move to it first.",
            )
            yield Refusal(None, problem)


def _by_hand(settings: Settings, ledger: Ledger) -> Problem:
    """What serves would change and it is neither a flip nor a way back: `current` was edited, or a next that serves.
    Without a cutover behind settled, `current` was to become what serves."""
    renewed = settings.cutover is None and ledger.phase is Phase.SETTLED
    before = ledger.side if renewed else ledger.before or ledger.side
    instead = f" and put what you want to serve under {path('cutover', 'next')}, with a phase"
    if alike(settings.current, before):
        at, value, was = _differing(ledger.side, settings.side, "cutover", "next")
        instead = ""
    else:
        at, value, was = _differing(before, settings.current, "current")
    serves = "which serves now" if alike(before, ledger.side) or not instead else "which served before the flip"
    said = f"{was}, {serves}: what serves changes by a cutover alone, or by its way back."
    return Problem(at, value, said, f"Write back {was}{instead}.")


def _differing(old: Side, new: Side, *at: str) -> tuple[str, str | None, str | None]:
    """The first part of what serves that is another: its path, what it is and what it was."""
    for app, target in new.targets.items():
        if old.targets.get(app, target) != target:
            return path(*at, "targets", app), target, old.targets[app]
    if old.supabase_ref != new.supabase_ref:
        return path(*at, "supabaseRef"), new.supabase_ref, old.supabase_ref
    return path(*at, "authHost"), new.auth_host, old.auth_host


def _before_settling(settings: Settings, memory: Memory, observed: Observed, now: datetime) -> Iterator[Refusal]:
    cutover, ledger = settings.cutover, memory.ledger
    if cutover is None or ledger is None or ledger.phase is Phase.SETTLED:
        return
    done = memory.completed_at
    if done is None:
        yield Refusal(
            Rule.SOAK,
            Problem(
                PHASE,
                Phase.SETTLED.value,
                f"{Phase.FLIPPED} until the flip is complete; its crossing {ledger.tag} is still under way.",
                f"Run pulumi up with phase: {Phase.FLIPPED}.",
            ),
        )
        return
    if why := observed.failures.get("auth settings"):
        yield Refusal(
            Rule.OBSERVATION,
            Problem(
                PHASE,
                Phase.SETTLED.value,
                f"A soak as long as Supabase's jwt_exp, which could not be read. {why}",
                "Try again when it answers.",
            ),
        )
    soak = max(cutover.soak, timedelta(seconds=observed.jwt_exp or 0))
    if now < done + soak:
        yield Refusal(
            Rule.SOAK,
            Problem(
                PHASE,
                Phase.SETTLED.value,
                f"{Phase.SETTLED} from {whole(done + soak, cutover)} on: tokens from before the flip may live for "
                f"{int(soak.total_seconds())} s after it.",
                f"Go on with phase: {Phase.FLIPPED} until then.",
            ),
        )
