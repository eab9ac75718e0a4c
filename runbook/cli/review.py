"""What a reviewer reads of a plan: in the terminal, as Markdown for a comment, as JSON."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from runbook.cli.codes import Code
from runbook.cli.errors import CliError
from runbook.cli.planning import Planned
from runbook.cli.stack import Here

if TYPE_CHECKING:
    from runbook.cli.out import Out
    from runbook.model.plans.rules import PlanRefusal
    from runbook.model.plans.summary import Part, Summary


def against(here: Here, planned: Planned) -> tuple[PlanRefusal, ...]:
    """What the plan rules refuse."""
    from runbook.model.plans.rules import judge

    return judge(planned.plan, here.platform, here.settings, here.memory, here.now)


def refused(here: Here, planned: Planned) -> CliError | None:
    """The error that the plan rules end a command with."""
    from runbook.model.plans.rules import refused_text

    text = refused_text(here.stack, against(here, planned))
    first, _, rest = text.partition("\n\n")
    return CliError(first, "", Code.REFUSED, rest) if text else None


def summary_of(here: Here, planned: Planned) -> Summary:
    from runbook.model.plans.notice import Asked
    from runbook.model.plans.summary import summary

    here.looked()
    decision = here.decision if here.settings.cutover else None
    asked = Asked(
        here.platform,
        here.settings,
        here.memory,
        decision.opening if decision else None,
        decision.overridden if decision else {},
    )
    found = summary(planned.plan, planned.digest, asked, against(here, planned))
    # In practice a command that is pasted must not reach production.
    said, typed = f"./cutover rollback --stack {here.stack}", here.command("rollback")
    name = f"way-back/{here.title}.md"
    written, kept = f"{here.settings.endpoints.out}/{name}", here.shown(here.out / name)
    return replace(found, way_back=tuple(each.replace(said, typed).replace(written, kept) for each in found.way_back))


def without_plan(here: Here, error: CliError) -> Summary:
    """A summary that says why there is no plan."""
    from runbook.model.plans.summary import Summary

    return Summary(
        stack=here.stack,
        title=here.title,
        digest="",
        move="not known",
        crossing="",
        headline="The preview failed: nothing can be applied.",
        notice=(),
        undone=(),
        way_back=(),
        way_back_seconds=None,
        waits=(),
        steps=(),
        changes=(),
        alone=(),
        against=(),
        refused=error.text,
    )


def as_markdown(out: Out, found: Summary) -> None:
    from runbook.model.plans.markdown import markdown

    out.raw(markdown(found).rstrip("\n"))


def data(out: Out, found: Summary) -> None:
    from runbook.model.plans.summary import as_json

    out.data(as_json(found))


def show(out: Out, here: Here, found: Summary, words: str = "") -> None:
    """For the terminal. `words`: options that `apply` needs again."""
    out.say(f"{found.title}, {found.move}: {found.headline}", "bold")
    sections = (
        ("What people notice first", found.notice),
        ("What cannot be undone", found.undone),
        ("The way back", found.way_back),
        ("What waits", found.waits),
    )
    for title, sentences in sections:
        _listed(out, title, sentences)
    _parts(out, "Steps, in their order", found.steps)
    _parts(out, "Declared changes", found.changes)
    _listed(out, "What stays as it is", found.alone)
    if found.against:
        return
    out.say()
    if not found.steps and not found.changes:
        out.say(f"Nothing to apply. Where it stands: {here.command('status')}")
        return
    out.say(f"Plan {found.short}. Once it is approved:", "bold")
    out.raw(f"  {here.command(f'apply --plan {found.short}{words}')}")


def _listed(out: Out, title: str, sentences: Iterable[str]) -> None:
    lines = list(sentences)
    if lines:
        out.heading(title)
        out.points(lines)


def _parts(out: Out, title: str, parts: Iterable[Part]) -> None:
    found = list(parts)
    if found:
        out.heading(title)
        for part in found:
            out.say(f"  {part.title}", "cyan")
            out.points(part.lines, 4)
