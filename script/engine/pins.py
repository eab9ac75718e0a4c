"""The pinned versions, each read from its one home, and how versions compare."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable

Version = tuple[int, int, int]


def parse(text: str) -> Version | None:
    """The first version in a text such as "v3.258.0" or "go version go1.26 linux/amd64"; None without one."""
    found = re.search(r"(\d+)\.(\d+)(?:\.(\d+))?", text)
    return (int(found[1]), int(found[2]), int(found[3] or 0)) if found else None


def sufficient(found: str, least: str) -> bool:
    """Whether `found` is at least `least` and of the same major version: a new major may change anything."""
    have, need = parse(found), parse(least)
    return have is not None and need is not None and have[0] == need[0] and have >= need


def engine_version(requirements_lock: str) -> str:
    """The version of the Pulumi CLI: that of the pinned SDK, for which the SDK's own installer asks too."""
    return _only(r"(?m)^pulumi==(\S+)", requirements_lock)


def go_version(go_mod: str) -> str:
    """The least Go that a go.mod accepts."""
    return _only(r"(?m)^go (\S+)$", go_mod)


def fingerprint(parts: Iterable[bytes]) -> str:
    """Twelve hex digits that change when any part, or the border between two parts, changes."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(hashlib.sha256(part).digest())
    return digest.hexdigest()[:12]


def _only(pattern: str, text: str) -> str:
    found = re.findall(pattern, text)
    if len(found) != 1:
        raise ValueError(f"{pattern} stands {len(found)} times where it must stand once")
    return str(found[0])
