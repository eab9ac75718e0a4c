"""Looking again at what takes effect a moment after it was asked for."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from runbook.steps.call import Call, StepError

PAUSE = 1.0  # seconds between two looks
_SPARE = 3.0  # seconds of the step's own limit that stay for the last look

Seen = TypeVar("Seen")


def until(call: Call, most: float, look: Callable[[], Seen]) -> Seen:
    """What `look` sees once it raises no StepError; after `most` seconds, the error it raised last."""
    ends = time.monotonic() + min(most, call.left() - _SPARE)
    while True:
        try:
            return look()
        except StepError:
            if time.monotonic() + PAUSE > ends:
                raise
            time.sleep(PAUSE)
