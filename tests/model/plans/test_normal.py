"""One config has one hash; anything that is asked for in another way has another."""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runbook.model.cutover.ledger import Memory
from runbook.model.cutover.observed import Observed
from runbook.model.cutover.phases import Phase
from runbook.model.plans.normal import SHORT, digest, normalised, same, short
from runbook.model.plans.operation import SECRET, STEP, Operation, Plan, plan_of
from tests.model.cutover.examples import IN_WINDOW, WINDOW, configured, cutover
from tests.model.cutover.generated import EXAMPLES, Made, cutovers
from tests.model.cutover.playing import NOTHING, observed, played, up
from tests.model.plans.previews import RULES, Declared, event, planned, preview
from tests.stacks import STACKS, raw, secrets, stack_file

KEY = "runbook:secrets"
COMMITS = st.text("0123456789abcdef", min_size=40, max_size=40)


def encrypted(stack: str, phase: str = "flipped") -> dict[str, Any]:
    """The stack file's config with a cutover, and each secret as `pulumi config set --secret` leaves it."""
    config: dict[str, Any] = stack_file(stack)["config"]
    hidden = {name: {"secure": sha256(value.encode()).hexdigest()} for name, value in secrets(stack).items()}
    return {**config, "runbook:cutover": cutover(stack, phase), "runbook:secrets": hidden}


def flip(
    stack: str = "prod", memory: Memory | None = None, later: timedelta = timedelta(0), commit: str = ""
) -> Plan:
    kept = played(stack, Phase.PREPARED) if memory is None else memory
    asked = configured(stack, "flipped")
    return planned(stack, configured(stack), asked, kept, IN_WINDOW + later, commit)


@pytest.mark.parametrize("stack", STACKS)
def test_minutes_later_and_at_another_commit_it_is_the_same(stack: str) -> None:
    first = flip(stack, commit="a" * 40)
    assert first.changes
    assert digest(first, encrypted(stack)) == digest(
        flip(stack, later=timedelta(minutes=17), commit="b" * 40), encrypted(stack)
    )


@pytest.mark.parametrize("stack", STACKS)
def test_after_a_gate_failed_it_is_the_same(stack: str) -> None:
    """The ledger has been written and the next attempt is another number; everything else is still to come."""
    before = played(stack, Phase.PREPARED)
    asked = configured(stack, "flipped")
    everything = [each.step for each in flip(stack).operations if each.step]
    stopped = up(stack, asked, before, observed(stack, configured(stack), before), IN_WINDOW, everything)
    again = flip(stack, stopped, timedelta(minutes=9))
    assert stopped.ledger is not None
    assert again.ledger is not None
    assert (stopped.ledger.attempt, again.ledger.new["attempt"]) == (1, 2)
    assert digest(again, encrypted(stack)) == digest(flip(stack), encrypted(stack))


def test_how_long_resolvers_still_hold_what_they_were_given_does_not_count() -> None:
    """It gets less from one preview to the next, where a normal TTL was made smaller shortly before."""
    day = {name: {**app, "ttl": 86_400} for name, app in raw("easymo-prod")["apps"].items()}
    memory = up("easymo-prod", configured("easymo-prod", None, apps=day), NOTHING, Observed(), IN_WINDOW)
    steady, asked = configured("easymo-prod", None), configured("easymo-prod")
    memory = up("easymo-prod", steady, memory, Observed(), IN_WINDOW)
    plans = [
        planned("easymo-prod", steady, asked, memory, IN_WINDOW + timedelta(minutes=each), modified=IN_WINDOW)
        for each in (1, 18)
    ]
    held = [each.ledger and each.ledger.new["ttls_before"] for each in plans]
    assert held[0] != held[1]
    assert len({digest(each, encrypted("easymo-prod", "prepared")) for each in plans}) == 1


@given(cutovers(), st.sampled_from([Phase.STEADY, Phase.PREPARED]), st.randoms(), st.integers(0, 600), COMMITS)
@EXAMPLES
def test_one_config_has_one_hash(made: Made, phase: Phase, random: Any, minutes: int, commit: str) -> None:
    """Whatever the time, the commit, and the order in which the engine comes to it."""
    was, asked, config = made.steady(), made.asked(phase), _config(made, phase)
    memory = up(made.stack, was, NOTHING, observed(made.stack, was), IN_WINDOW - timedelta(days=40))
    first = preview(made.stack, was, asked, memory, IN_WINDOW)
    second = preview(made.stack, was, asked, memory, IN_WINDOW + timedelta(minutes=minutes), commit)
    random.shuffle(second)
    shuffled = dict(sorted(config.items(), key=lambda _: random.random()))
    assert digest(plan_of(first), config) == digest(plan_of(second), shuffled)


def _config(made: Made, phase: Phase) -> dict[str, Any]:
    """As the stack file would have it."""
    sections = {**made.base, "cutover": {**made.block, "phase": phase.value}, "secrets": encrypted(made.stack)[KEY]}
    return {f"runbook:{key}": value for key, value in sections.items()}


def leaves(node: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The place of every value."""
    if isinstance(node, dict):
        for key, inner in node.items():
            yield from leaves(inner, (*at, key))
    elif isinstance(node, list):
        for index, inner in enumerate(node):
            yield from leaves(inner, (*at, index))
    else:
        yield at


def edited(node: Any, at: tuple[Any, ...], value: Any) -> Any:
    copy = deepcopy(node)
    inner = copy
    for part in at[:-1]:
        inner = inner[part]
    inner[at[-1]] = value
    return copy


def other(value: Any, random: Any) -> Any:
    """Another value of the same kind."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, (int, float)):
        return value + random.choice([1, -1, 60])
    return f"{value}{random.choice('xyz')}" if random.random() < 0.5 else f"x{value}"


@given(st.sampled_from(STACKS), st.data(), st.randoms())
@EXAMPLES
def test_any_value_of_the_stack_file_makes_another_hash(stack: str, data: st.DataObject, random: Any) -> None:
    """Every single one: records, targets, TTLs, env, thresholds that a stack sets, and each secret's ciphertext."""
    config, plan = encrypted(stack), Plan(stack, "steady", "steady", "", ())
    at = data.draw(st.sampled_from(list(leaves(config))))
    value = config
    for part in at:
        value = value[part]
    assert digest(plan, config) != digest(plan, edited(config, at, other(value, random))), at


@pytest.mark.parametrize("name", sorted(secrets("prod")))
def test_another_secret_is_another_hash(name: str) -> None:
    config, plan = encrypted("prod"), flip()
    again = edited(config, (KEY, name, "secure"), "v1:another:ciphertext")
    assert digest(plan, config) != digest(plan, again)


@given(cutovers(), st.data(), st.randoms())
@EXAMPLES
def test_any_change_of_what_is_declared_makes_another_hash(made: Made, data: st.DataObject, random: Any) -> None:
    """A value of any resource that a cloud would see: a record's, a threshold's, whatever the config says."""
    was, asked = made.steady(), made.asked(Phase.PREPARED)
    memory = up(made.stack, was, NOTHING, observed(made.stack, was), IN_WINDOW - timedelta(days=40))
    plan = planned(made.stack, was, asked, memory, IN_WINDOW)
    one = data.draw(
        st.sampled_from([each for each in plan.operations if not each.step and each.type[:6] != "pulumi"])
    )
    places = [at for at in leaves(dict(one.new)) if _read(one.new, at) not in (SECRET, None)]
    at = data.draw(st.sampled_from(places))
    wanted = edited(dict(one.new), at, other(_read(one.new, at), random))
    changed = replace(one, op="update", diff=(str(at[0]),), new=wanted)
    assert digest(_with(plan, one, changed), {}) != digest(plan, {})


def _read(node: Any, at: tuple[Any, ...]) -> Any:
    for part in at:
        node = node[part]
    return node


def _with(plan: Plan, old: Operation, new: Operation) -> Plan:
    return replace(plan, operations=tuple(new if each is old else each for each in plan.operations))


def test_a_threshold_makes_another_hash() -> None:
    was = Declared(RULES, {"rules": [{"threshold": 0.05}]})
    hashes = {
        digest(plan_of([event("prod", "alerts-auth", was, Declared(RULES, {"rules": [{"threshold": new}]}))]), {})
        for new in (0.05, 0.06, 0.051)
    }
    assert len(hashes) == 3


@pytest.mark.parametrize(
    ("what", "changed"),
    [
        ("another window", {"window": {**WINDOW, "end": "2026-12-06 03:00"}}),
        ("an override", {"overrides": [{"rule": "soak", "reason": "tried before", "until": "2026-12-06 03:00"}]}),
        ("another target", {"next": {"targets": {"staff": "next.vercel-dns.com"}}}),
    ],
)
def test_another_cutover_is_another_hash(what: str, changed: dict[str, Any]) -> None:
    config, plan = encrypted("prod"), flip()
    again = {**config, "runbook:cutover": {**config["runbook:cutover"], **changed}}
    assert digest(plan, config) != digest(plan, again), what


def test_what_would_be_promoted_or_put_back_counts() -> None:
    """Another build that serves means another way back, though the config is the same."""
    memory, asked = played("prod", Phase.PREPARED), configured("prod", "flipped")
    seen = observed("prod", configured("prod"), memory)
    newer = {**seen.serving, "staff": replace(seen.serving["staff"], id="dpl_newer")}
    plan = planned("prod", configured("prod"), asked, memory, IN_WINDOW, serving=newer)
    assert digest(plan, encrypted("prod")) != digest(flip(), encrypted("prod"))


def test_no_value_of_a_secret_goes_in() -> None:
    text = json.dumps(normalised(flip(), encrypted("prod")))
    assert [name for name, value in secrets("prod").items() if value in text] == []
    assert encrypted("prod")[KEY]["LOG_DRAIN_SECRET"]["secure"] in text


def test_a_secret_in_clear_is_refused() -> None:
    config = encrypted("prod")
    config[KEY]["VERCEL_API_TOKEN"] = "abc"
    with pytest.raises(ValueError, match="holds VERCEL_API_TOKEN in clear text: set each with pulumi config set"):
        digest(flip(), config)
    with pytest.raises(ValueError, match="is not a section of names"):
        digest(flip(), {KEY: "abc"})


def test_all_secrets_as_one_ciphertext_are_taken() -> None:
    """What `pulumi config set --secret` makes of a whole section."""
    hashes = {digest(flip(), {**encrypted("prod"), KEY: {"secure": text}}) for text in ("v1:a", "v1:b")}
    assert len(hashes) == 2


def test_yaml_may_read_a_time() -> None:
    """A time without quotes is a time to a YAML reader, and the same time as text."""
    import yaml

    quoted, bare = yaml.safe_load("{a: '2026-12-05 22:00:00'}"), yaml.safe_load("{a: 2026-12-05 22:00:00}")
    assert digest(flip(), quoted) == digest(flip(), bare)


def test_short_hashes_are_compared_by_their_beginning() -> None:
    full = digest(flip(), {})
    assert len(full) == 64
    assert short(full) == full[:SHORT]
    assert same(short(full), full)
    assert same(full, f" {full.upper()}\n")
    assert not same(full[: SHORT - 1], full)
    assert not same("", "")
    assert not same("0" * SHORT, full)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ('{"text": "seen 2026-12-05 21:00:11 UTC"}', '{"text": "seen 2026-12-05 21:17:40 UTC"}'),
        ('{"at": "2026-12-05T21:00:00+00:00"}', '{"at": "2026-12-05T21:17:00.5Z"}'),
        ('{"marker": "cutover-1-flip-1"}', '{"marker": "cutover-1-flip-2"}'),
    ],
)
def test_a_time_or_an_attempt_in_an_argument_does_not_count(first: str, second: str) -> None:
    one, two = (_step({"args": args}) for args in (first, second))
    assert digest(one, {}) == digest(two, {})
    assert digest(one, {}) != digest(_step({"args": '{"text": "something else"}'}), {})


def _step(more: dict[str, str]) -> Plan:
    new = Declared(STEP, {"name": "announce", "kind": "announce", "trigger": "1-flip", **more})
    return plan_of([event("prod", "step-announce", None, new)])
