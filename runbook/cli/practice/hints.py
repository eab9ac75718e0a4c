"""What helps in practice alone: letting the time pass that a refusal waits for."""

from __future__ import annotations

import re

_RULE = re.compile(r"^ +rule: +(\S+)", re.MULTILINE)
# In the order in which they are waited for: in the window a flip may still have to wait until it opens.
_WAITS = {"window": "window", "opens-at": "opens", "soak": "soak"}


def time_goes_by(refusals: str) -> str:
    """A remedy: the command that moves the clock to where these refusals, as they are printed, end or get fewer. It
    is "" where time alone would not help."""
    rules = _RULE.findall(refusals)
    if not rules or not set(rules) <= _WAITS.keys():
        return ""
    word = next(word for rule, word in _WAITS.items() if rule in rules)
    return f"For real you would wait until then; in practice the clock is moved: ./cutover practice clock {word}"
