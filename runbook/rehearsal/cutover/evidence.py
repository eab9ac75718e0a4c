"""The files that crossings leave: the evidence of each, and the way back on paper."""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path
from typing import Any

_FIELDS = ("crossing", "begun", "at", "by", "steps")


def wrong_with(out: Path, stack: str, crossing: str, secrets: Collection[str]) -> str:
    """What is wrong with the evidence of a crossing, as the end of a sentence; "" when it is whole: what, when, by
    whom and what each step saw. `stack`: its name in file names; `secrets`: values that stand nowhere."""
    path = out / "evidence" / f"{stack}-{crossing}.json"
    if not path.exists():
        return f"there is no {path.name}"
    text = path.read_text(encoding="utf-8")
    if any(value in text for value in secrets):
        return f"{path.name} holds a secret in clear"
    record: dict[str, Any] = json.loads(text)
    missing = [name for name in _FIELDS if not record.get(name)]
    if missing or record["crossing"] != crossing:
        return f"{path.name} does not say {' and '.join(missing) or 'its crossing'}"
    return ""


def wrong_with_paper(out: Path, stack: str, secrets: Collection[str]) -> str:
    """What is wrong with the page of the way back; "" when it stands there with its commands and without a secret."""
    path = out / "way-back" / f"{stack}.md"
    if not path.exists():
        return f"there is no {path.name}"
    text = path.read_text(encoding="utf-8")
    if any(value in text for value in secrets):
        return f"{path.name} holds a secret in clear"
    return "" if "curl" in text else f"{path.name} has no command"
