"""The page that the proof ends with."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterator, Sequence

from runbook.proving.result import CLAIM, Result, RuleResult
from runbook.proving.routes import NOTES

WIDTH = 80


def page(result: Result) -> Iterator[str]:
    """Its lines: what does not hold comes last, where people look."""
    names = max(len(rule.rule.name) for rule in result.rules)
    stack = ""
    for rule in result.rules:
        if rule.stack != stack:
            stack = rule.stack
            yield ""
            yield f"{stack:{names + 2}}  fires  silent  other  mutants killed  equivalent"
        yield f"  {rule.rule.name:{names}}  {_counts(rule)}"
    yield ""
    yield from _wrapped(_totals(result))
    yield from _wrapped(CLAIM)
    for note in NOTES:
        yield from _wrapped(note)
    yield from _wrapped(
        f"Assumed, because nobody has seen them: {result.assumed} signals (docs/signals.md) and the tables of "
        "runbook/proving/schema.sql."
    )
    yield from _wrapped(f"Programs: {_programs(result)}.")
    yield from _wrapped(
        "All scenarios and mutants: out/alerts/result.json; what promtool was given: out/alerts/promtool/."
    )
    yield ""
    yield from _conclusion(result.failures)


def _counts(rule: RuleResult) -> str:
    held = Counter(verdict.scenario.expect for verdict in rule.verdicts if verdict.holds)
    other = sum(held.values()) - held["fires"] - held["silent"]
    killed, equivalent = sum(fate.killed for fate in rule.fates), sum(bool(fate.reason) for fate in rule.fates)
    of = f"{killed} of {len(rule.fates) - equivalent}"
    wrong = sum(not verdict.holds for verdict in rule.verdicts)
    return f"{held['fires']:5}  {held['silent']:6}  {other:5}  {of:>14}  {equivalent:10}" + (
        f"  {wrong} WRONG" if wrong else ""
    )


def _totals(result: Result) -> str:
    fates = result.fates
    equivalent = sum(bool(fate.reason) for fate in fates)
    return (
        f"{len(result.rules)} rules, {sum(verdict.holds for verdict in result.verdicts)} of {len(result.verdicts)} "
        f"scenarios hold, {sum(fate.killed for fate in fates)} of {len(fates) - equivalent} mutants killed "
        f"({equivalent} more are equivalent, each for a reason), {sum(route.proven for route in result.routes)} of "
        f"{len(result.routes)} routes proven, {result.linted} PromQL queries checked, in {result.seconds:.0f} s."
    )


def _programs(result: Result) -> str:
    return ", ".join(f"{name} {version}" for name, version in result.engines.items())


def _conclusion(failures: Sequence[str]) -> Iterator[str]:
    if not failures:
        yield "Everything is proven."
        return
    yield f"Not proven, for {len(failures)} reasons:" if len(failures) > 1 else "Not proven, for one reason:"
    for failure in failures:
        yield from textwrap.wrap(failure, WIDTH, initial_indent="- ", subsequent_indent="  ")


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, WIDTH)
