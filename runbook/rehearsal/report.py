"""The page that a rehearsal ends with."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence

from rich.console import Console

from runbook.rehearsal import kinds
from runbook.rehearsal.progress import WORDS, did
from runbook.rehearsal.result import PLAYS, Act, Cutover, Result, StandIn

# What a newcomer may try next: the first that was not just run.
TO_TRY = ("staging", "easymo-staging", "prod")


# What crossings leave behind.
_LEFT = {
    "out/rehearsal/evidence/": "what each step of a crossing saw",
    "out/rehearsal/way-back/": "the way back as commands, on paper",
}


def report(console: Console, result: Result) -> None:
    """Print the page, as wide as the console."""
    for line in page(result, console.width):
        console.print(line, style="bold" if line[:1].strip() else "", markup=False, soft_wrap=True)


def page(result: Result, width: int) -> Iterator[str]:
    """Its lines. Headings stand at the margin, all else is indented."""
    yield ""
    yield from textwrap.wrap(_headline(result), width)
    for name, stack in result.stacks.items():
        yield ""
        held = kinds.objects(stack.created)
        own = stack.resources - held
        heading = f"{name}: {stack.title}, {held} objects in the clouds and {own} of the engine's own"
        yield from textwrap.wrap(heading, width)
        yield from _rows({cloud: kinds.text(counts) for cloud, counts in stack.created.items()}, width)
    if result.cutover:
        yield from _cutover(result.cutover, width)
    yield ""
    yield "Where the time went"
    yield from _rows(_times(result), width)
    yield ""
    yield "How much of this is real"
    yield from _rows(_real(result), width)
    yield ""
    yield "Where to look next"
    yield from _rows(
        {
            "out/rehearsal/result.json": "these figures, for programs",
            "out/rehearsal/log/": "what the engine said in each command",
            "out/rehearsal/state/": "what it knows now, secrets encrypted",
            **(_LEFT if result.cutover else {}),
            "docs/signals.md": "each signal, seen or assumed",
            f"make rehearsal STACK={_other(result)}": "the same for another stack",
        },
        width,
    )


def _rows(rows: Mapping[str, str], width: int) -> Iterator[str]:
    margin = max(map(len, rows)) + 4
    for label, text in rows.items():
        first = f"  {label}".ljust(margin)
        for line in textwrap.wrap(text, width, initial_indent=first, subsequent_indent=" " * margin):
            yield line.replace("\N{NO-BREAK SPACE}", " ")


def _cutover(cutover: Cutover, width: int) -> Iterator[str]:
    """The story of each play, one line per act, and what was proven."""
    for play, what in PLAYS.items():
        yield ""
        yield from textwrap.wrap(f"{play.capitalize()}: {what}", width)
        acts = {act.name: act for act in cutover.acts if act.play == play}
        most = max(len(did(act)) for act in acts.values())
        yield from _rows({name: _act(act, most) for name, act in acts.items()}, width)
    yield ""
    yield "What the cutovers show"
    yield from _rows(_proven(cutover), width)


def _act(act: Act, most: int) -> str:
    return f"{did(act):{most}} {act.seconds:5.1f} s {sum(act.calls.values()):3} calls"


def _proven(cutover: Cutover) -> dict[str, str]:
    back = f"but for {kinds.counted(len(cutover.exceptions), 'exception')}, each with its reason in result.json"
    shares = (f"{100 * each:.0f} %" for each in (cutover.stale_at_opens_at, cutover.stale_without_the_wait))
    return {
        "Way back": _or_not(cutover.differs, f"what clients observe is as it was, and what the clouds hold {back}"),
        "Switch": f"the flip took {cutover.flip_seconds:.1f} s, the way back {cutover.rollback_seconds:.1f} s; "
        + _or_not(cutover.lost, "nothing that served was deleted or replaced"),
        "Settled": _or_not(cutover.unsettled, "is the new steady: with current := next no cloud is called"),
        "Stale": "of resolvers that obey TTLs {} hold the old target 60 s after the flip at opens-at, {} after the "
        "one that did not wait".format(*shares),
    }


def _or_not(wrong: Sequence[str], right: str) -> str:
    return f"NOT PROVEN: {wrong[0]}" if wrong else right


def _times(result: Result) -> dict[str, str]:
    rows = {"Commands": _commands(result), "Of these": _spent(result), "The program": _program(result)}
    if result.cutover:
        parts = (f"{name} {seconds:.1f} s" for name, seconds in result.cutover.parts.items())
        rows["Parts"] = ", ".join(parts).replace(" s", "\N{NO-BREAK SPACE}s")
    return rows


def _headline(result: Result) -> str:
    if wrong := result.wrong:
        return wrong[0] if len(wrong) == 1 else f"{len(wrong)} things are wrong, the first: {wrong[0]}"
    resources = sum(each.resources for each in result.stacks.values())
    stacks = kinds.counted(len(result.stacks), "stack")
    cutover = " A cutover went forth, back and forth again." if result.cutover else ""
    return f"{resources} resources made in {stacks}; a second preview finds nothing left to change.{cutover}"


def _commands(result: Result) -> str:
    summed = ", ".join(f"{WORDS[name]} {seconds:.1f} s" for name, seconds in result.seconds.items())
    together = "stacks side by side, " if len(result.stacks) > 1 else ""
    return f"{summed}; {together}{result.wall_seconds:.1f} s in all"


def _spent(result: Result) -> str:
    whole = sum(result.spent.values())
    share = {name: f"{100 * seconds / whole:.0f} %" for name, seconds in result.spent.items()}
    return (
        f"{share['before_program']} until our program starts, {share['sdk_import']} importing the SDKs, "
        f"{share['own']} our own code, {share['after_program']} engine and clouds after it"
    )


def _program(result: Result) -> str:
    program = result.program_seconds
    return (
        f"{program.total:.1f} s from its start to its last resource; "
        f"importing the SDKs and nothing else takes {program.plain_sdk_import:.1f} s"
    )


def _real(result: Result) -> dict[str, str]:
    secrets = sum(each.made_up_secrets for each in result.stacks.values())
    return {
        "Real": f"the Pulumi engine {result.engine} and its SDKs, the program, the stack files, the state",
        "Stood in for": _stood_in(result.stand_ins),
        "Made up": f"{kinds.counted(secrets, 'secret')}, at random and for this run alone",
        "Assumed": f"{kinds.counted(result.assumed, 'fact')} that no runbook states; docs/signals.md lists them",
        "Never seen": "the real vendors: this program has not yet been run against any of them",
    }


def _stood_in(stand_ins: Sequence[StandIn]) -> str:
    names = list(dict.fromkeys(kinds.VENDORS[each.name] for each in stand_ins))
    facts, unverified = sum(each.facts for each in stand_ins), sum(each.unverified for each in stand_ins)
    return (
        f"{', '.join(names[:-1])} and {names[-1]}, by servers on this machine that follow {facts} facts "
        f"about them, {unverified} of which nobody has verified"
    )


def _other(result: Result) -> str:
    return next((name for name in TO_TRY if name not in result.stacks), TO_TRY[0])
