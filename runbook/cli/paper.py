"""The page of the way back for the stack as it is now, or as it was written last."""

from __future__ import annotations

from runbook.cli.codes import Code
from runbook.cli.errors import CliError
from runbook.cli.stack import Here


def paper(here: Here) -> tuple[str, list[str]]:
    """The page in Markdown, and what is to be known of it. Raises: CliError where there is nothing to go back from.

    Where the stack cannot be looked at, the page is the one that the last update wrote."""
    try:
        if here.settings.cutover is None:
            raise CliError(
                f"{here.stack} has no cutover, so there is nothing to go back from.",
                f"What serves: {here.command('status')}.",
                Code.USAGE,
            )
        observed, zone = here.observed, here.observed.zone_id or str(here.outputs.get("zoneId", ""))
    except CliError as error:
        kept = here.out / "way-back" / f"{here.title}.md"
        if error.code is Code.FAILED and kept.is_file():
            return kept.read_text(encoding="utf-8"), [f"As the last update wrote it. {error.text}"]
        raise
    from runbook.model.cutover.way_back import page

    ledger = here.memory.ledger
    gone = bool(ledger and ledger.before is not None)
    builds = ledger.builds if ledger and gone else None
    remarks = [f"Not seen: {what}. {why}" for what, why in observed.failures.items()]
    return page(here.platform, here.settings, observed, zone, builds), remarks
