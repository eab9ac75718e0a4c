"""What the phases ask of the clouds, over generated configs: the equations between them, and what never happens."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given

from runbook.model import serving
from runbook.model.cutover.ledger import Ledger, Memory, dns_only, new_names
from runbook.model.cutover.orders import plan
from runbook.model.cutover.phases import LOW_TTL, MOVES, Direction, Phase
from runbook.model.cutover.scene import Scene
from runbook.model.serving import Record
from runbook.model.settings import Settings
from tests.model.cutover.generated import EXAMPLES, Desired, Made, cutovers, desired


def bare(found: Desired) -> Desired:
    """Without what only the state sees of a record: whether it is protected or waits, and its former name. They
    follow `current`, which a settled cutover has not written yet."""
    cut = tuple(replace(each, serves=False, formerly=None, in_use=False) for each in found.records)
    return replace(found, records=cut)


def brought(made: Made) -> str | None:
    """The name that only next has; None where the auth host stays."""
    return next(iter(new_names(made.platform, made.asked(Phase.PREPARED))), None)


@EXAMPLES
@given(made=cutovers())
def test_generated_cutovers_are_ones_that_the_model_takes(made: Made) -> None:
    settings = made.read(Phase.PREPARED)
    assert settings.model_copy(update={"secrets": {}}) == made.asked(Phase.PREPARED).model_copy(
        update={"secrets": {}}
    )


@EXAMPLES
@given(made=cutovers())
def test_settled_is_the_new_steady(made: Made) -> None:
    assert bare(desired(made, made.asked(Phase.SETTLED))) == bare(desired(made, made.renewed()))


@EXAMPLES
@given(made=cutovers())
def test_rolled_back_is_steady_but_for_ttls_and_the_name_that_next_brought(made: Made) -> None:
    steady, back = desired(made, made.steady()), desired(made, made.asked(Phase.ROLLED_BACK))
    assert back.without(brought(made)).with_ttls_of(steady) == steady


@EXAMPLES
@given(made=cutovers())
def test_prepared_is_steady_but_for_ttls_and_the_name_that_next_brings(made: Made) -> None:
    steady, prepared = desired(made, made.steady()), desired(made, made.asked(Phase.PREPARED))
    assert prepared.without(brought(made)).with_ttls_of(steady) == steady
    assert desired(made, made.asked(Phase.ROLLED_BACK)) == prepared


@EXAMPLES
@given(made=cutovers())
def test_a_cutover_that_is_written_down_but_steady_changes_nothing(made: Made) -> None:
    assert desired(made, made.asked(Phase.STEADY)) == desired(made, made.steady())


@EXAMPLES
@given(made=cutovers())
def test_flipped_is_settled_but_for_ttls_the_name_that_is_left_and_the_watch(made: Made) -> None:
    flipped, settled = (bare(desired(made, made.asked(phase))) for phase in (Phase.FLIPPED, Phase.SETTLED))
    left = made.steady().current.auth_host if brought(made) else None
    unwatched = replace(flipped.without(left).with_ttls_of(settled), groups=settled.groups)
    assert unwatched == settled


@EXAMPLES
@given(made=cutovers())
def test_ttls_are_low_where_resolvers_hold_what_changes_and_nowhere_else(made: Made) -> None:
    for phase in Phase:
        settings = made.asked(phase)
        low = {*dns_only(made.platform, settings), *new_names(made.platform, settings)} if phase.low_ttl else set()
        for record in app_records(made, settings):
            reach = next(
                settings.apps[app.name]
                for app in made.platform.apps
                if record.name == settings.apps[app.name].host or (app.auth and not settings.apps[app.name].host)
            )
            if reach.proxied:
                assert (record.ttl, record.proxied) == (1, True)
            else:
                assert (record.ttl, record.proxied) == (LOW_TTL if record.name in low else reach.ttl, False)


def app_records(made: Made, settings: Settings) -> list[Record]:
    extra = {record.name for record in settings.records}
    return [record for record in serving.records(made.platform, settings) if record.name not in extra]


@EXAMPLES
@given(made=cutovers())
def test_each_name_points_at_the_side_that_has_it(made: Made) -> None:
    for phase in Phase:
        settings = made.asked(phase)
        then = settings.next
        assert then is not None
        serves = then if phase in (Phase.FLIPPED, Phase.SETTLED) else settings.current
        found = {record.name: record.content for record in app_records(made, settings)}
        for app in made.platform.apps:
            host = serves.auth_host if app.auth else settings.apps[app.name].host
            assert found[str(host)] == serves.targets[app.name]
        auth = made.platform.auth_app
        if auth and brought(made) and phase.low_ttl:
            assert found[str(settings.current.auth_host)] == settings.current.targets[auth.name]
            assert found[str(then.auth_host)] == then.targets[auth.name]


@EXAMPLES
@given(made=cutovers())
def test_no_move_takes_a_name_away_but_the_one_that_is_left_behind(made: Made) -> None:
    old, new = made.steady().current.auth_host, brought(made)
    allowed = {
        (Phase.FLIPPED, Phase.SETTLED): {old} if new else set(),
        (Phase.PREPARED, Phase.STEADY): {new},
        (Phase.ROLLED_BACK, Phase.STEADY): {new},
    }
    for start, end in MOVES:
        after = made.renewed() if (start, end) == (Phase.SETTLED, Phase.STEADY) else made.asked(end)
        gone = records(made, made.asked(start)).keys() - records(made, after).keys()
        assert {record[0] for record in gone} <= allowed.get((start, end), set()), (start, end)


@EXAMPLES
@given(made=cutovers())
def test_going_back_takes_no_name_away_while_it_is_under_way(made: Made) -> None:
    """By the phase, or by the config from before: `leaving` is what served."""
    for start in (Phase.FLIPPED, Phase.SETTLED):
        left = made.asked(start).side
        for after in (made.asked(Phase.ROLLED_BACK), made.asked(Phase.PREPARED), made.steady()):
            there = {record.key for record in serving.records(made.platform, after, left)}
            before = {record.key for record in serving.records(made.platform, made.asked(start))}
            assert before <= there
            assert {record.key: record for record in serving.records(made.platform, after)}.items() <= {
                record.key: record for record in serving.records(made.platform, after, left)
            }.items(), "the name that is left changes none that serves"


@EXAMPLES
@given(made=cutovers())
def test_no_name_changes_its_type(made: Made) -> None:
    """Cloudflare would delete and make it anew (pulumi-cloudflare #687)."""
    types: dict[str, set[str]] = {}
    for phase in Phase:
        for record in serving.records(made.platform, made.asked(phase)):
            types.setdefault(record.key, set()).add(record.type)
    assert [key for key, kinds in types.items() if len(kinds) > 1] == []


def records(made: Made, settings: Settings) -> dict[tuple[str, str], Record]:
    return {(record.name, record.type): record for record in serving.records(made.platform, settings)}


@EXAMPLES
@given(made=cutovers())
def test_keys_are_the_same_in_every_phase_and_carry_neither_side_nor_phase(made: Made) -> None:
    seen = {phase: keys(desired(made, made.asked(phase))) for phase in Phase}
    hosts = {made.steady().current.auth_host, brought(made)}
    assert len({frozenset(each - hosts) for each in seen.values()}) == 1
    words = {"next", "current", "before", *(phase.value for phase in Phase), made.block["next"].get("release")}
    for each in seen[Phase.FLIPPED]:
        assert not words & set(each.replace(".", "-").split("-")), each


def keys(found: Desired) -> set[str]:
    return {
        *(each.key for each in found.records),
        *(each.ref for each in found.cache_rules),
        *(
            f"{web.project} {variable.key}"
            for web in found.webs
            for variable in web.env
            if variable.key not in FURTHER
        ),
        *(drain.name for drain in found.drains if drain),
        *(each.job for each in found.checks),
        *(rule.uid for group in found.groups for rule in group.rules),
        *(each.uid for each in found.boards),
    }


FURTHER = {"LEVEL", "BANNER"}  # a side's own env values may come and go with it


@EXAMPLES
@given(made=cutovers())
def test_steps_are_the_same_in_every_phase(made: Made) -> None:
    names = set()
    for settings in [*(made.asked(phase) for phase in Phase), made.steady(), made.renewed()]:
        for direction in (None, *Direction):
            ledger = Ledger(settings.phase, settings.side, crossing=1, direction=direction, preparation=1)
            scene = Scene(made.platform, settings, ledger, Memory(ledger), "zone", "page")
            names.add(tuple(step.name for step in plan(scene).steps))
    assert len(names) == 1
    assert not [name for name in names.pop() if {"next", "current", "flip"} & set(name.split("-"))]
