"""Samples of PromQL scenarios in promtool's notation, from what happened in each stretch of time."""

from __future__ import annotations

from collections.abc import Iterable

# A counter that has run for long: increase() extrapolates less where one has just begun at 0.
BEGAN = 1_000_000


def counter(pieces: Iterable[tuple[int, int]]) -> str:
    """A counter's samples; each piece is (events per step, steps).

    >>> counter([(5, 2), (0, 3)])
    '1000000 1000005+5x1 1000010+0x2'
    """
    total, text = BEGAN, [str(BEGAN)]
    for events, steps in pieces:
        text.append(f"{total + events}+{events}x{steps - 1}")
        total += events * steps
    return " ".join(text)


def gauge(pieces: Iterable[tuple[float | None, int]]) -> str:
    """A gauge's samples; each piece is (value, steps), without a value the series is not there.

    >>> gauge([(1, 3), (None, 2), (0, 1)])
    '1x2 _x2 0x0'
    """
    return " ".join(f"_x{steps}" if value is None else f"{value:g}x{steps - 1}" for value, steps in pieces if steps)
