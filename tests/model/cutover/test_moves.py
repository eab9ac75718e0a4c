"""Every pair of what the state remembers and what is asked: what the update is, and which rules refuse it."""

from __future__ import annotations

from datetime import timedelta
from functools import cache

import pytest

from runbook.model.cutover.ledger import Change, Memory, to_observe
from runbook.model.cutover.observed import Observed
from runbook.model.cutover.phases import Phase, Rule
from runbook.model.cutover.refusals import decide
from runbook.model.problems import ConfigError
from runbook.model.settings import Settings
from tests.model.cutover.examples import IN_WINDOW, NEXTS, WINDOW, configured
from tests.model.cutover.playing import PREPARED_AT, SETTLED_AT, observed, played, rules, steps
from tests.stacks import platform, raw

S, P, F, T, R = Phase.STEADY, Phase.PREPARED, Phase.FLIPPED, Phase.SETTLED, Phase.ROLLED_BACK

WAYS = {  # how the state got there; an open one began and did not come to its end
    "new": None,
    "steady": (),
    "prepared": (P,),
    "flipped-open": (P, F),
    "flipped": (P, F),
    "settled": (P, F, T),
    "rolled-back-open": (P, F, R),
    "rolled-back": (P, F, R),
    "settled-rolled-back": (P, F, T, R),
    "back-by-prepared-open": (P, F, P),  # the config from before was restored
    "back-by-prepared": (P, F, P),
    "back-by-steady-open": (P, F, S),
    "back-by-steady": (P, F, S),
}
# What is asked: a phase with the same config, the config from before (restored), or `current` := next (renewed).
ASKED = (*(phase.value for phase in Phase), "restored", "renewed")
# The update as it is then, and the rules that refuse it; "never" is a refusal that nobody can override.
TABLE = """
                      steady prepared flipped                  settled     rolled-back restored renewed
new                   first  first    first+never              first+never first+never first    first
steady                none   none     flip+move+opens-at+build other+never none+move   none     other+never
prepared              none   none     flip                     other+never none+move   none     other+never
flipped-open          back   back     none                     none+soak   back        back     none+move
flipped               back   back     none                     none        back        back     none+move
settled               back   back     none+move                none        back        back     none
rolled-back-open      none   none     flip+move+build          other+never none        none     other+never
rolled-back           none   none     flip+move+build          other+never none        none     other+never
settled-rolled-back   none   none     flip+move+build          other+never none        none     other+never
back-by-prepared-open none   none     flip+move+build          other+never none        none     other+never
back-by-prepared      none   none     flip+build               other+never none+move   none     other+never
back-by-steady-open   none   none     flip+move+opens-at+build other+never none        none     other+never
back-by-steady        none   none     flip+move+opens-at+build other+never none+move   none     other+never
"""
_, *ROWS = [line.split() for line in TABLE.strip().splitlines()]
CELLS = [(way, what, cell) for way, *row in ROWS for what, cell in zip(ASKED, row, strict=True)]


@cache
def memory_of(stack: str, way: str) -> Memory:
    phases = WAYS[way]
    return Memory() if phases is None else played(stack, *phases, complete="open" not in way)


@cache
def asked(stack: str, what: str) -> Settings:
    if what == "restored":
        return configured(stack, None)
    if what == "renewed":
        then = configured(stack).next
        assert then is not None
        return configured(stack, None, current=then.model_dump(mode="json", by_alias=True, exclude_none=True))
    return configured(stack, what)


@cache
def after(stack: str, way: str) -> Settings:
    """The config of the last update."""
    phases = WAYS[way]
    return asked(stack, phases[-1].value if phases else "restored")


@pytest.mark.parametrize("stack", ["prod", "staging", "easymo-prod"])
@pytest.mark.parametrize(("way", "what", "cell"), CELLS)
def test_pair(way: str, what: str, cell: str, stack: str) -> None:
    """Within the window, with all that can be looked at as it should be, and after the soak."""
    settings, memory = asked(stack, what), memory_of(stack, way)
    if settings.cutover:
        settings = configured(stack, what, {"window": {**WINDOW, "end": "2026-12-06 23:00"}})
    seen = observed(stack, after(stack, way), memory, PREPARED_AT)
    decision = decide(platform(stack), settings, memory, seen, SETTLED_AT)
    change, *refused = cell.split("+")
    assert (decision.change, rules(decision)) == (change, {None if rule == "never" else rule for rule in refused})


def test_the_table_has_every_pair() -> None:
    assert [way for way, *_ in ROWS] == list(WAYS)


@pytest.mark.parametrize("way", ["flipped-open", "flipped", "settled"])
@pytest.mark.parametrize("stack", ["prod", "staging", "easymo-prod"])
def test_from_one_next_to_another_is_a_move_that_is_not_there(way: str, stack: str) -> None:
    """`current` := next and another next, still flipped: what serves would change without a preparation."""
    then = configured(stack).next
    assert then is not None
    current = then.model_dump(mode="json", by_alias=True, exclude_none=True)
    app = "admin" if stack == "easymo-prod" else "staff"
    third = {"next": {"targets": {app: "third.vercel-dns.com"}}}
    settings, memory = configured(stack, "flipped", third, current=current), memory_of(stack, way)
    seen = observed(stack, after(stack, way), memory, PREPARED_AT)
    decision = decide(platform(stack), settings, memory, seen, IN_WINDOW + timedelta(minutes=30))
    assert decision.change is Change.FLIP
    assert {Rule.MOVE, Rule.BUILD} <= rules(decision)


@pytest.mark.parametrize("stack", ["prod", "staging", "easymo-prod"])
def test_another_next_in_the_change_that_flips_has_no_build(stack: str) -> None:
    """What was made ready is another one: it would be built in the window."""
    memory = memory_of(stack, "prepared")
    settings = configured(stack, "flipped", {"next": {**NEXTS[stack], "release": "v9.9.9"}})
    decision = decide(platform(stack), settings, memory, observed(stack, configured(stack), memory), IN_WINDOW)
    assert (decision.change, rules(decision)) == (Change.FLIP, {Rule.BUILD})


@pytest.mark.parametrize("way", ["rolled-back-open", "back-by-prepared-open", "back-by-steady-open"])
@pytest.mark.parametrize("what", ["steady", "prepared", "rolled-back", "restored"])
def test_a_way_back_that_goes_on_looks_at_nothing(way: str, what: str) -> None:
    """A cloud that does not answer would hold it up for as long as it is asked."""
    settings, memory = asked("prod", what), memory_of("prod", way)
    assert to_observe(platform("prod"), settings, memory) is None
    decision = decide(platform("prod"), settings, memory, Observed(), SETTLED_AT)
    assert (decision.refusals, decision.ledger.tag, decision.ledger.attempt) == ((), "2-back", 2)


@pytest.mark.parametrize("way", ["flipped-open", "flipped", "settled"])
@pytest.mark.parametrize("what", ["steady", "prepared", "rolled-back", "restored"])
@pytest.mark.parametrize("stack", ["prod", "staging", "easymo-prod"])
def test_a_way_back_looks_at_nothing_and_nothing_refuses_it(way: str, what: str, stack: str) -> None:
    """Not a window that is closed, not a freeze, not a cloud that does not answer."""
    frozen = [{"start": "2020-01-01 00:00", "end": "2040-01-01 00:00", "zone": "Etc/UTC", "reason": "always"}]
    closed = {"start": "2020-01-01 00:00", "end": "2020-01-02 00:00", "zone": "Etc/UTC"}
    changes = {"window": closed, "functions": {}}
    settings = configured(stack, None if what == "restored" else what, changes, freeze=frozen)
    memory = memory_of(stack, way)
    assert to_observe(platform(stack), settings, memory) is None
    nothing = Observed(failures={"records": "Cloudflare answered 503.", "served ttl": "No server answered."})
    decision = decide(platform(stack), settings, memory, nothing, SETTLED_AT, ["metrics-exporter"])
    assert (decision.change, decision.refusals, decision.overridden) == (Change.BACK, (), {})
    assert decision.opening is None, "it opens at no time"


@pytest.mark.parametrize("way", ["flipped-open", "flipped", "settled", "rolled-back-open"])
def test_names_that_the_platform_no_longer_has_hold_no_way_back_up(way: str) -> None:
    """An owner, an objective and a function were renamed since the flip, and nobody is in Slack any more."""
    owners = {name: [{"kind": "email", "addresses": [f"{name}@ibimina.rw"]}] for name in raw("prod")["owners"]}
    gone = {"functions": {"gone": {"source": "gone", "tag": "v1"}}, "owners": ["gone"], "backOut": ["gone"]}
    settings, memory = configured("prod", "rolled-back", gone, owners=owners), memory_of("prod", way)
    decision = decide(platform("prod"), settings, memory, Observed(), SETTLED_AT)
    assert decision.refusals == ()
    assert "promote-staff" in {step.name for step in steps("prod", settings, memory, decision).steps if step.trigger}
    with pytest.raises(ConfigError) as error:
        configured("prod", "flipped", gone, owners=owners)
    assert len(error.value.problems) == 4


@pytest.mark.parametrize("phase", ["rolled-back", "prepared"])
def test_current_edited_by_hand_while_flipped_is_refused(phase: str) -> None:
    """`current` is still what goes back; another one would be no way back."""
    other = {**raw("easymo-prod")["current"], "targets": {"admin": "cname.vercel-dns.com", "api": "192.0.2.99"}}
    settings = configured("easymo-prod", phase, current=other)
    memory = memory_of("easymo-prod", "flipped")
    seen = observed("easymo-prod", after("easymo-prod", "flipped"), memory)
    decision = decide(platform("easymo-prod"), settings, memory, seen, SETTLED_AT)
    assert decision.change is Change.OTHER
    assert rules(decision) == {None}, "no override lets it pass"
    assert decision.refusals[-1].problem.path == "runbook:current.targets.api"
