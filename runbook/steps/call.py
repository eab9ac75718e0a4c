"""What a step is given when it acts."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from runbook.steps.reach import Reach

LIMIT = 30.0  # seconds: the engine waits for a running step even after Ctrl-C, so none may take longer


class StepError(Exception):
    """A step could not do its work, or a gate saw what it may not. The text is a sentence for the person on call:
    what was asked, where, what came back, what to do. It holds no secret."""


@dataclass(frozen=True)
class Call:
    """`trigger` is unique per crossing and direction and serves as idempotency key. `before`: what this same step
    kept as evidence when it acted last. Of other steps, by name: `read` their evidence, `acted` the trigger it is of,
    and `failed` the sentence of a failure since then that was only reported, or ""."""

    name: str
    trigger: str
    args: Mapping[str, Any]
    secrets: Mapping[str, str]
    reach: Reach
    read: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    acted: Mapping[str, str] = field(default_factory=dict)
    failed: Mapping[str, str] = field(default_factory=dict)
    before: Mapping[str, Any] = field(default_factory=dict)
    deadline: float = field(default_factory=lambda: time.monotonic() + LIMIT)

    def left(self) -> float:
        """Seconds until the step is cut off."""
        return max(0.0, self.deadline - time.monotonic())
