"""Each gate holds a flip back by itself, all others being passed."""

from __future__ import annotations

from collections.abc import Callable

from tests.engine.cutover.hindrances import GATE_TTL, GATES
from tests.engine.cutover.play import Play
from tests.engine.cutover.stops import COME_THROUGH


def test_each_gate_alone_stops_the_flip(at: Callable[[str], Play]) -> None:
    """All that does not wait for the one that fails comes through, so it is this one that the rest waits for."""
    play = at("window")
    gates = {**GATES, **GATE_TTL}
    # The page waits for the gates of the builds alone: it is written before anything moves, and moves nothing.
    may_begin = {*gates, "step-way-back"}
    before = play.seen()
    play.ask("flipped")
    for name, fault in gates.items():
        fault.begin(play)
        outcome = play.up(COME_THROUGH)
        fault.end(play)

        assert (outcome.code, [each.name for each in outcome.events.failed]) == (1, [name]), outcome.events.errors
        begun = {each.name for each in outcome.events.changes if each.name.startswith(("step-", "dns-", "web-"))}
        assert name in begun
        assert begun <= may_begin, name
        assert play.seen() == before, name
