"""The records of crossings: the file that the last step of each writes, and beside it who approved and who signed."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from runbook.cli.codes import Code
from runbook.cli.errors import CliError
from runbook.cli.stack import Here
from runbook.cli.who import Who

APPLY, SIGNATURE = "apply", "signature"


def folder(here: Here) -> Path:
    return here.out / "evidence"


def tags(here: Here) -> list[str]:
    """The crossings that have a file here, the oldest first."""
    prefix = f"{here.title}-"
    found = [path.name.removeprefix(prefix) for path in folder(here).glob(f"{prefix}*-*.json")]
    plain = [name.removesuffix(".json") for name in found if name.count(".") == 1]
    return sorted((tag for tag in plain if tag.partition("-")[0].isdecimal()), key=lambda tag: int(tag.split("-")[0]))


def load(here: Here, tag: str | None) -> dict[str, Any]:
    """One crossing's record, the latest without a tag. Raises: CliError when there is none."""
    known = tags(here)
    if tag is None:
        tag = known[-1] if known else here.memory.ledger.tag if here.memory.ledger else ""
    if not tag:
        raise CliError(f"{here.stack} has made no crossing yet.", f"What is next: {here.command('status')}.")
    found = _read(folder(here) / f"{here.title}-{tag}.json") or _from_state(here, tag)
    if found is None:
        there = f"Those here are {', '.join(known)}." if known else "There is none here."
        raise CliError(f"There is no record of crossing {tag} of {here.stack}.", there, Code.USAGE)
    for what in (APPLY, SIGNATURE):
        if beside := _read(_beside(here, tag, what)):
            found[what] = beside
    return found


def _from_state(here: Here, tag: str) -> dict[str, Any] | None:
    """What the state keeps of its last crossing, where its file was written on another machine."""
    memory = here.memory
    if memory.ledger is None or memory.ledger.tag != tag:
        return None
    ledger = memory.ledger.as_json()
    # A step may act for a crossing and more at once, such as prepare-1/1-flip/flipped.
    acted = [name for name, trigger in memory.acted.items() if tag in trigger.split("/")]
    steps = {name: dict(memory.evidence[name]) for name in acted}
    at = memory.completed_at
    return {
        "stack": here.title,
        "crossing": tag,
        "phase": ledger["phase"],
        "begun": ledger["begun"],
        "attempts": ledger["attempt"],
        "at": at.isoformat() if at else None,
        "to": ledger["side"],
        "from_state": True,
        "steps": steps,
    }


def record_apply(here: Here, tag: str, digest: str, person: Who) -> str:
    """Beside the evidence, before anything moves: which plan was approved, and by whom. A crossing that was stopped
    and gone on with has several. The file's name; "" outside a crossing."""
    if not tag:
        return ""
    file = _beside(here, tag, APPLY)
    applied = (_read(file) or {}).get("applied", [])
    return _write(file, {"applied": [*applied, {"plan": digest, **person.as_json(), "at": _now()}]})


def sign(here: Here, tag: str, name: str, why: str, person: Who) -> str:
    """Beside the evidence: who answers for it, and why. The file's name."""
    return _write(_beside(here, tag, SIGNATURE), {"name": name, "why": why, **person.as_json(), "at": _now()})


def markdown(record: Mapping[str, Any]) -> str:
    """The record for people."""
    return "\n".join(_lines(record)) + "\n"


def _lines(record: Mapping[str, Any]) -> Iterator[str]:
    yield f"# Crossing {record.get('crossing')} of {record.get('stack')}"
    yield ""
    if record.get("from_state"):
        yield "Read from the stack's state: the file of this crossing was written on another machine."
        yield ""
    yield from _table(("what", "seen"), _facts(record))
    if undone := record.get("cannot_be_undone"):
        yield from ["", "## What cannot be undone", "", *(f"- {each}" for each in undone)]
    steps: Mapping[str, Any] = record.get("steps") or {}
    yield from ["", "## What each step saw", ""]
    yield from _table(("step", "evidence"), [(name, _inline(seen)) for name, seen in steps.items() if seen])
    earlier: Mapping[str, Any] = record.get("earlier") or {}
    if rows := [(name, each["acted"], _inline(each["evidence"])) for name, each in earlier.items()]:
        yield from ["", "## What steps saw before this crossing", ""]
        yield from _table(("step", "acted for", "evidence"), rows)


def _facts(record: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for key in ("phase", "begun", "at", "attempts", "window"):
        if record.get(key) is not None:
            yield {"at": "complete"}.get(key, key), str(record[key])
    if by := record.get("by"):
        yield "done by", _person(by)
    for given in (record.get(APPLY) or {}).get("applied", []):
        two = f", written by {given['author']}, approved by {given['approver']}" if given.get("author") else ""
        yield "plan", f"{str(given['plan'])[:12]}, applied by {_person(given['by'])}{two}"
    signed = record.get(SIGNATURE)
    yield "signed", f"{signed['name']}: {signed['why']}" if signed else "not yet"
    for rule, reason in (record.get("overrides") or {}).items():
        yield f"override of {rule}", str(reason)
    for side in ("from", "to"):
        if found := record.get(side):
            targets = ", ".join(f"{app} at {target}" for app, target in sorted(found.get("targets", {}).items()))
            yield side, f"release {found.get('release')}, {targets}"


def _person(by: Mapping[str, Any]) -> str:
    source, name = next(iter(by.items()), ("claimed", "nobody"))
    return (
        f"{name} (claimed)" if source == "claimed" else f"{name} ({source}{' ' + by['url'] if by.get('url') else ''})"
    )


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(heads)} |"
    yield "|---" * len(heads) + "|"
    for row in rows:
        yield f"| {' | '.join(text.replace('|', chr(92) + '|') for text in row)} |"


def _inline(evidence: Any) -> str:
    return json.dumps(evidence, ensure_ascii=False, sort_keys=True)


def _beside(here: Here, tag: str, what: str) -> Path:
    return folder(here) / f"{here.title}-{tag}.{what}.json"


def _read(path: Path) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return found
    except (OSError, ValueError):
        return None


def _write(path: Path, content: Mapping[str, Any]) -> str:
    from runbook.cli import edits

    path.parent.mkdir(parents=True, exist_ok=True)
    edits.write(path, json.dumps(content, indent=2, ensure_ascii=False) + "\n")
    return path.name


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
