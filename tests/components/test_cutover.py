"""The program in each phase: what is refused before anything is registered, and what waits for what."""

from __future__ import annotations

import json
import math
from datetime import datetime
from functools import cache
from typing import Any

import pulumi
import pytest

from components.memory import Remembered
from runbook.model.cutover.ledger import Memory
from runbook.model.cutover.observed import Observed
from runbook.model.cutover.phases import Phase
from runbook.steps.call import LIMIT
from tests.components.recording import Recorder, Registration, Secret, World, run
from tests.model.cutover import examples
from tests.model.cutover.examples import IN_WINDOW
from tests.model.cutover.playing import PREPARED_AT, SETTLED_AT, observed, played
from tests.stacks import raw

P, F, T, R = Phase.PREPARED, Phase.FLIPPED, Phase.SETTLED, Phase.ROLLED_BACK
SOURCE = {"functions": {"metrics-exporter": {"source": "README.md", "tag": "v1.1.0"}}}


def kept(memory: Memory) -> Remembered:
    """As the program reads it from the state."""
    assert memory.ledger is not None
    plain = json.loads(json.dumps(memory.ledger.as_json()), parse_int=float)
    steps = {
        name: {"acted": acted, "evidence": memory.evidence.get(name, {}), "failed": ""}
        for name, acted in memory.acted.items()
    }
    return Remembered({key: value for key, value in plain.items() if value is not None}, steps)


def world(*way: Phase, complete: bool = True, now: datetime = IN_WINDOW) -> World:
    memory = played("prod", *way, complete=complete)
    was = examples.configured("prod", way[-1].value if way else None)
    return World(kept(memory), observed("prod", was, memory, PREPARED_AT), now)


def update(phase: str | None, found: World) -> Recorder:
    block = {} if phase is None else {"cutover": examples.cutover("prod", phase, **SOURCE)}
    return run("prod", found, **block)


@cache
def registered(phase: str | None, *way: Phase) -> dict[str, Registration]:
    now = SETTLED_AT if phase == "settled" else IN_WINDOW
    return {each.name: each for each in update(phase, world(*way, now=now)).registrations}


def of_kind(found: dict[str, Registration], kind: str) -> dict[str, Registration]:
    return {name: each for name, each in found.items() if each.type.endswith(f":{kind}")}


def trigger(each: Registration) -> Any:
    return each.inputs["trigger"]


def test_a_refusal_comes_before_anything_is_registered(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Recorder] = []
    monkeypatch.setattr(Recorder, "__post_init__", _remembering(made))
    with pytest.raises(pulumi.RunError) as error:
        update("flipped", world())
    assert str(error.value).startswith("4 reasons against this update of prod; nothing was changed.\n\n1. ")
    [recorder] = made
    assert [each.name for each in recorder.registrations if each.parent] == []


def _remembering(made: list[Recorder]) -> Any:
    original = Recorder.__post_init__

    def begin(self: Recorder) -> None:
        original(self)
        made.append(self)

    return begin


@pytest.mark.parametrize(
    ("phase", "way"), [(None, ()), ("prepared", ()), ("flipped", (P,)), ("settled", (P, F)), (None, (P, F))]
)
def test_everything_waits_for_the_ledger(phase: str | None, way: tuple[Phase, ...]) -> None:
    """When it refuses, nothing moves: not by --target and not by --exclude either."""
    found = registered(phase, *way)
    ledger = found["ledger"]
    assert ledger.protect
    declared = [each for each in found.values() if each.parent and each is not ledger]
    # By Cloudflare's provider the zone is looked up first; it moves nothing.
    assert {each.name for each in declared if "ledger" not in each.waits} == {"cloudflare"}


def test_a_flip_moves_nothing_before_its_gates_and_sessions() -> None:
    found = registered("flipped", P)
    gates = {name for name in found if name.startswith("step-gate-") and trigger(found[name])}
    assert gates
    assert gates <= found["step-end-sessions"].waits
    assert gates | {"step-end-sessions"} <= found["dns-cache"].waits
    assert "dns-cache" in found["step-purge"].waits
    switched = {"dns-auth.ibimina.rw", "dns-staff", "dns-member"}  # what people know; what is new may come before
    for name in switched:
        assert {"step-end-sessions", "step-purge"} <= found[name].waits
    for name in of_kind(found, "ProjectEnvironmentVariable"):
        assert "step-purge" in found[name].waits
    assert {"step-purge", "step-gate-build-staff"} <= found["step-promote-staff"].waits
    records = set(of_kind(found, "DnsRecord"))
    assert {*records, "step-promote-staff", "step-promote-member"} <= found["step-purge-again"].waits
    assert {*records, "step-purge-again", "step-verify-login"} <= found["step-complete"].waits


@pytest.mark.parametrize(("phase", "way"), [("flipped", (P,)), ("rolled-back", (P, F))])
def test_all_of_verify_is_over_after_three_minutes(phase: str, way: tuple[Phase, ...]) -> None:
    """None waits for another, and each is cut off after 30 s. The engine has four places for each processor."""
    found = registered(phase, *way)
    looks = {name: each for name, each in found.items() if name.startswith("step-verify-")}
    assert len(looks) >= 6
    assert not [name for name, each in looks.items() if each.waits & set(looks)]
    assert math.ceil(len(looks) / 4) * (LIMIT + 1) <= 180


def test_on_a_way_back_dns_and_promote_wait_for_the_ledger_alone() -> None:
    for phase in (None, "rolled-back", "prepared"):
        found = registered(phase, P, F)
        for record in of_kind(found, "DnsRecord").values():
            assert not [name for name in record.waits if name.startswith("step-")], record.name
        waits = {name for name in found["step-promote-staff"].waits if name.startswith("step-")}
        assert waits <= {"step-build-staff"}
        assert trigger(found["step-build-staff"]) in ("", "prepare-1"), "which does not act"


def test_a_way_back_looks_no_zone_up_and_makes_names_before_the_other_clouds_begin() -> None:
    """A look-up, and a provider that looks its team up, may fail while names have to go back."""
    found = registered("rolled-back", P, F)
    names = of_kind(found, "DnsRecord")
    assert {each.inputs["zoneId"] for each in names.values()} == {"zone"}, "as the ledger has it"
    assert set(names) <= found["vercel"].waits & found["grafana"].waits
    assert not set(names) & found["cloudflare"].waits
    assert found["dns-auth.ibimina.rw"].inputs["zoneId"] != registered("flipped", P)["dns-staff"].inputs["zoneId"]


def test_a_way_back_writes_every_name_again_and_a_flip_does_not() -> None:
    def comments(phase: str | None, *way: Phase) -> list[str]:
        found = registered(phase, *way)
        return [found[f"dns-{key}"].inputs["comment"] for key in ("staff", "auth.ibimina.rw")]

    plain = comments(None)
    assert comments("flipped", P) == plain
    assert comments("rolled-back", P, F) == [f"{each}, put back by 2-back" for each in plain]


def test_both_names_stand_while_a_cutover_changes_the_auth_host() -> None:
    names = {"dns-auth.ibimina.rw", "dns-signin.ibimina.rw"}
    for phase, way in (
        ("prepared", ()),
        ("flipped", (P,)),
        ("rolled-back", (P, F)),
        (None, (P, F)),
        (None, (P, F, T)),
    ):
        assert names <= set(registered(phase, *way)), (phase, way)
    assert names & set(registered("settled", P, F)) == {"dns-signin.ibimina.rw"}
    assert names & set(registered("steady", P)) == {"dns-auth.ibimina.rw"}


def test_a_way_back_by_the_config_from_before_lets_the_new_name_go_once_it_is_complete() -> None:
    again = update(None, world(P, F, R, complete=False)).registrations
    assert "dns-signin.ibimina.rw" in {each.name for each in again}
    done = update(None, world(P, F, R)).registrations
    assert "dns-signin.ibimina.rw" not in {each.name for each in done}


def secret(found: dict[str, Registration], key: str) -> Any:
    value = found[f"web-staff-env-{key}"].inputs["value"]
    assert isinstance(value, Secret)
    return value.value


def test_the_projects_env_gets_the_renewed_secret_at_the_flip_and_keeps_it() -> None:
    key = "TRUSTED_COOKIE_SECRET"
    first = secret(registered(None), key)
    assert secret(registered("prepared"), key) == first
    renewed = secret(registered("flipped", P), key)
    assert renewed != first
    for phase, way in (("settled", (P, F)), ("rolled-back", (P, F)), (None, (P, F)), (None, (P, F, R))):
        assert secret(registered(phase, *way), key) == renewed, (phase, way)
    build = json.loads(registered("prepared")["step-build-staff"].inputs["secrets"].value)
    assert build[f"env:{key}"] == renewed, "the next build is made with it"


def test_no_secret_of_a_cutover_is_registered_in_the_clear() -> None:
    for phase, way in (("prepared", ()), ("flipped", (P,)), ("rolled-back", (P, F))):
        found = registered(phase, *way)
        values = [
            value
            for each in of_kind(found, "Step").values()
            for value in json.loads(each.inputs["secrets"].value).values()
        ]
        assert len(values) >= 5
        for each in found.values():
            clear = json.dumps(each.inputs, default=lambda kept: "")
            assert not [value for value in values if value in clear], each.name


def test_urns_are_the_same_in_every_phase() -> None:
    auth = {"dns-auth.ibimina.rw", "dns-signin.ibimina.rw"}
    names = {
        frozenset({each.urn for each in registered(phase, *way).values() if each.name not in auth})
        for phase, way in (
            (None, ()),
            ("prepared", ()),
            ("flipped", (P,)),
            ("settled", (P, F)),
            ("rolled-back", (P, F)),
        )
    }
    assert len(names) == 1


def test_a_way_back_goes_without_a_cloud_that_answers() -> None:
    blind = World(kept(played("prod", P, F)), Observed(failures={"records": "Cloudflare answered 503."}))
    assert update("rolled-back", blind).registrations
    with pytest.raises(pulumi.RunError, match="rule:    observation"):
        update("flipped", World(kept(played("prod", P)), blind.observed))


def test_current_edited_by_hand_is_refused() -> None:
    current = {**raw("prod")["current"], "supabaseRef": "q" * 20}
    with pytest.raises(pulumi.RunError, match="none that could be overridden"):
        run("prod", world(), current=current)
