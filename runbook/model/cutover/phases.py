"""The phases of a cutover, the moves between them, and what each phase asks for."""

from __future__ import annotations

from enum import StrEnum


class Phase(StrEnum):
    """What the stack config asks for. Without a cutover block it is steady."""

    STEADY = "steady"
    PREPARED = "prepared"
    FLIPPED = "flipped"
    SETTLED = "settled"
    ROLLED_BACK = "rolled-back"

    @property
    def serves_next(self) -> bool:
        """Whether DNS targets, CDN rules, env and auth settings are next's."""
        return self in (Phase.FLIPPED, Phase.SETTLED)

    @property
    def low_ttl(self) -> bool:
        """Whether the DNS-only names that take part have the low TTL."""
        return self in (Phase.PREPARED, Phase.FLIPPED, Phase.ROLLED_BACK)


class Direction(StrEnum):
    """Which way a crossing goes."""

    FLIP = "flip"
    BACK = "back"


class Rule(StrEnum):
    """What refuses a change. Each can be overridden by its name, with a reason and an end; going back meets none."""

    MOVE = "move"
    OBSERVATION = "observation"
    DRIFT = "drift"
    WINDOW = "window"
    FREEZE = "freeze"
    OPENS_AT = "opens-at"
    BUILD = "build"
    RELEASE = "release"
    FUNCTION_SOURCE = "function-source"
    SOAK = "soak"


LOW_TTL = 60  # the runbook's 60 s (section 3a, 1), the least that Cloudflare serves outside Enterprise (error 9021)

# Beside these, a phase may stay, and the way back is open from wherever next serves.
MOVES: frozenset[tuple[Phase, Phase]] = frozenset(
    {
        (Phase.STEADY, Phase.PREPARED),
        (Phase.PREPARED, Phase.STEADY),
        (Phase.PREPARED, Phase.FLIPPED),
        (Phase.FLIPPED, Phase.SETTLED),
        (Phase.FLIPPED, Phase.ROLLED_BACK),
        (Phase.SETTLED, Phase.ROLLED_BACK),
        (Phase.ROLLED_BACK, Phase.STEADY),
        (Phase.ROLLED_BACK, Phase.PREPARED),
        (Phase.SETTLED, Phase.STEADY),
    }
)
