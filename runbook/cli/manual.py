"""The operations runbook of a stack with what is so now."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from runbook.cli.errors import CliError
from runbook.cli.stack import Here

if TYPE_CHECKING:
    from runbook.cli.standing import Standing
    from runbook.model.runbook_reader import Live
    from runbook.model.settings import Settings

ROWS = Path(__file__).resolve().parents[2] / "docs" / "rows.md"


def manual(here: Here) -> tuple[str, list[str]]:
    """The page in Markdown, and what could not be looked at. Raises: CliError for a stack file that is wrong."""
    from runbook.cli.standing import standing
    from runbook.model.rows import left_to_people
    from runbook.model.runbook_page import runbook_page
    from runbook.model.runbook_reader import Reader

    seen = standing(here)
    who = Reader(here.stack, here.command, left_to_people(ROWS.read_text(encoding="utf-8"), here.platform.title))
    return runbook_page(here.platform, _settings(here), who, live(seen, _now(here))), seen.unseen


def _now(here: Here) -> datetime:
    try:
        return here.now
    except Exception:  # settings without secrets, or a practice whose clock is gone: status has said so
        return datetime.now(UTC)


def _settings(here: Here) -> Settings:
    """Without secrets where they cannot be opened: the page needs none."""
    from runbook.cli.standing import without_secrets

    try:
        return here.settings
    except CliError as error:
        if error.details:  # the file itself is wrong
            raise
        return without_secrets(here)


def live(seen: Standing, now: datetime) -> Live:
    """What `status` knows, as the page tells it."""
    from runbook.model.runbook_reader import Live

    rows = [("phase", _phase(seen))]
    rows += [(app, _serves(row)) for app, row in seen.serving.items()]
    rows.append(("cutover window", seen.window or "none: the stack file has no cutover"))
    rows += [("freeze", each) for each in seen.freeze]
    if seen.opens:
        rows.append(("the flip opens", f"{seen.opens}. {seen.why}"))
    if seen.way_back:
        rows.append(("a way back takes", f"{seen.way_back['text']}. {seen.way_back['why']}"))
    rows += [(f"against an update now ({each['rule'] or 'no override'})", each["allowed"]) for each in _against(seen)]
    rows += [(f"override of {each['rule']}", f"until {each['until']}: {each['reason']}") for each in seen.overrides]
    if seen.evidence:
        rows.append(("last evidence", f"{seen.evidence['crossing']}, {seen.evidence['file']}"))
    rows += [("lock", seen.lock)] if seen.lock else []
    rows += [("not seen", each) for each in seen.unseen]
    opens = f"{seen.opens}. {seen.why}" if seen.opens else ""
    return Live(f"{now.astimezone(UTC):%Y-%m-%d %H:%M} UTC", seen.phase, tuple(rows), opens, seen.next)


def _phase(seen: Standing) -> str:
    phase = seen.phase or "none: no update has been made"
    since = f" since {_minute(seen.since)}" if seen.since else ""
    asked = f"; the stack file asks for {seen.asked}" if seen.asked != seen.phase else ""
    going = f"; crossing {seen.crossing} is under way and not complete" if seen.under_way else ""
    return f"{phase}{since}{asked}{going}"


def _minute(at: str) -> str:
    """An ISO time; one that is none as it stands."""
    try:
        return f"{datetime.fromisoformat(at).astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    except ValueError:
        return at


def _serves(row: dict[str, str]) -> str:
    build = f", build {row['build']}" if "build" in row else ""
    unsure = "" if row.get("from") == "observed" else f" ({row.get('from', 'not looked at')})"
    return f"{row.get('host', '')} at {row.get('target') or 'nothing that is known'}{build}{unsure}".strip()


def _against(seen: Standing) -> list[dict[str, str]]:
    return seen.against if seen.asked != "steady" else []
