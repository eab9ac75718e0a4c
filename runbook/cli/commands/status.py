"""`status`: where the stack stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runbook.cli.options import Json, Practice, Stack

if TYPE_CHECKING:
    from runbook.cli.out import Out
    from runbook.cli.standing import Standing


def command(stack: Stack = None, practice: Practice = False, json: Json = False) -> None:
    """Phase, what serves, when the flip opens, the window, how long a way back takes."""
    from runbook.cli.out import Out
    from runbook.cli.stack import Here
    from runbook.cli.standing import standing

    out = Out(json)
    seen = standing(Here.of(stack, practice))
    show(out, seen)
    out.data(seen.as_json())


def show(out: Out, seen: Standing) -> None:
    blind = any(each.startswith("the state:") for each in seen.unseen)
    phase = seen.phase or ("not known, the state was not seen" if blind else "new, no update has been made")
    since = f", since {_short(seen.since)}" if seen.since else ""
    asked = f"; the stack file asks for {seen.asked}" if seen.asked != seen.phase else ""
    out.say(f"{seen.stack}: {phase}{since}{asked}.", "bold")
    if seen.under_way:
        out.say(f"Crossing {seen.crossing} is under way and not complete.", "bold yellow")
    rows = [(app, _serving(row)) for app, row in seen.serving.items()]
    if rows:
        out.heading("What serves")
        out.table(rows)
    out.heading("Cutover")
    out.table(_rows(seen))
    if seen.against:
        out.heading("What speaks against an update now")
        out.table([(each["rule"] or "no override", each["allowed"]) for each in seen.against])
    if seen.unseen:
        out.heading("Not seen")
        out.points(seen.unseen)
    out.raw(f"\nNext: {seen.next}")


def _rows(seen: Standing) -> list[tuple[str, str]]:
    rows = []
    if seen.opens:
        rows.append(("flip opens", f"{seen.opens}{', so it is open' if seen.open else ''}. {seen.why}"))
    rows.append(("window", seen.window or "none: the stack file has no cutover block"))
    rows += [("freeze", each) for each in seen.freeze]
    if seen.way_back:
        when = "" if seen.way_back["possible"] else "after a flip "
        rows.append(("way back", f"{when}{seen.way_back['text']}. {seen.way_back['why']}"))
    rows += [("deployments", seen.deployments)] if seen.deployments else []
    rows += [("override", f"{each['rule']} until {each['until']}: {each['reason']}") for each in seen.overrides]
    if seen.evidence:
        made = seen.evidence
        rows.append(("last evidence", f"{made['crossing']} of {_short(made['at'])}, {made['file']}"))
    rows += [("lock", seen.lock)] if seen.lock else []
    rows += [("left behind", seen.left_behind)] if seen.left_behind else []
    return rows


def _serving(row: dict[str, str]) -> str:
    build = f", build {row['build']}" if "build" in row else ""
    unsure = "" if row["from"] == "observed" else f" ({row['from']})"
    target = row.get("target", "nothing in DNS") or "a target that is not known"
    return f"{row.get('host', '')} at {target}{build}{unsure}".strip()


def _short(at: str) -> str:
    """An ISO time to the minute, in UTC."""
    from datetime import UTC, datetime

    try:
        return f"{datetime.fromisoformat(at).astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    except ValueError:
        return at
