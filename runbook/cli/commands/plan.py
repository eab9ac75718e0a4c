"""`plan`: what an update would do, for a reviewer, with the hash that an approval is bound to."""

from __future__ import annotations

from runbook.cli.options import Excludes, Json, Markdown, Practice, Refresh, Stack, Targets


def command(
    stack: Stack = None,
    practice: Practice = False,
    markdown: Markdown = False,
    json: Json = False,
    refresh: Refresh = False,
    target: Targets = None,
    exclude: Excludes = None,
) -> None:
    """What would happen, what cannot be undone, and the way back; with the hash that `apply` wants."""
    from runbook.cli import planning, review
    from runbook.cli.errors import CliError
    from runbook.cli.out import Out
    from runbook.cli.stack import Here

    out, here = Out(json), Here.of(stack, practice).begin()
    options = planning.options(here, refresh, target, exclude)
    here.look_ahead()
    try:
        planned = planning.make(here, out, options)
    except CliError as error:
        if markdown and not json:  # the comment says so too
            review.as_markdown(out, review.without_plan(here, error))
        raise
    found = review.summary_of(here, planned)
    against = review.refused(here, planned)
    if markdown:
        review.as_markdown(out, found)
    else:
        review.show(out, here, found, "".join(f" {each}" for each in options))
    review.data(out, found)
    if against:
        raise against.told() if json else against
