"""Which steps act in a flip and around it, and what waits for what."""

from __future__ import annotations

import json
from typing import Any

import pytest

from runbook.model.cutover import texts
from runbook.model.cutover.ledger import COMPLETE
from runbook.model.cutover.phases import Phase
from runbook.model.cutover.refusals import decide
from runbook.model.cutover.step import Group, Kind
from tests.model.cutover.acting import F, P, Played, R, T, apps, every_stack, update, vercel
from tests.model.cutover.examples import IN_WINDOW, SAME_HOST, configured
from tests.model.cutover.playing import PREPARED_AT, observed, steps
from tests.stacks import platform

ASKED = [("steady", way) for way in ((), (P,))] + [
    ("prepared", ()), ("prepared", (P,)), ("flipped", (P,)), ("flipped", (P, F)), ("settled", (P, F)),
    ("settled", (P, F, T)), ("rolled-back", (P, F)), ("rolled-back", (P, F, R)), ("prepared", (P, F, R)),
    ("steady", (P, F, R)),
]  # fmt: skip
every_update = pytest.mark.parametrize(("phase", "way"), ASKED)


def flip(stack: str) -> Played:
    return update(stack, (P,), "flipped")


@every_stack
@every_update
def test_what_a_step_names_is_there_and_nothing_waits_for_itself(
    stack: str, phase: str, way: tuple[Phase, ...]
) -> None:
    found = update(stack, way, phase)
    assert len(found.steps) == len(found.plan.steps)
    assert found.plan.after.keys() == set(Group)
    known = {*found.steps, *Group}
    for step in found.plan.steps:
        assert {*step.after, *step.reads} <= known
    for name in known:
        assert name not in found.before_all(name), f"{name} waits for itself"


@every_stack
@every_update
def test_no_argument_holds_a_secret(stack: str, phase: str, way: tuple[Phase, ...]) -> None:
    found = update(stack, way, phase)
    values = [value.get_secret_value() for value in found.settings.secrets.values()]
    values += [
        value.get_secret_value() for step in found.plan.steps for value in step.secrets.values()
    ]  # later generations among them
    for step in found.plan.steps:
        text = json.dumps({**step.args, "trigger": step.trigger, "name": step.name})
        assert not [value for value in values if value in text], step.name


# Flip


@every_stack
def test_a_flip_looks_before_it_ends_sessions_and_ends_them_before_anything_moves(stack: str) -> None:
    found = flip(stack)
    gates = {name for name in found.named("gate-") if found.steps[name].trigger}
    assert gates >= {*vercel(stack, "gate-build"), *(f"gate-{name}" for name in platform(stack).drains)}
    moves = (Group.CACHE_RULES, Group.RECORDS, Group.ENV, "purge", *vercel(stack, "promote"))
    assert {*gates, "way-back"} <= found.before_all(*moves)
    assert gates <= found.before_all("remind"), "a failed gate leaves the plan as it was"
    for app in platform(stack).vercel_apps:
        assert f"build-{app[0].name}" in found.before_all(f"gate-build-{app[0].name}")
    if platform(stack).auth_app:
        assert {*gates, "way-back"} <= found.before_all("end-sessions", "auth-settings")
        assert "custom-hostname" in found.before_all("gate-target-auth"), "the gate sees its certificate"
        assert "end-sessions" in found.before_all(*moves)
        assert {"auth-settings", "custom-hostname"} <= found.before_all(*moves[:3], "purge")


@every_stack
def test_a_flip_purges_before_dns_and_promote_and_again_after_both(stack: str) -> None:
    found = flip(stack)
    switch = {Group.RECORDS, *vercel(stack, "promote")}
    assert Group.CACHE_RULES in found.before_all("purge")
    assert "purge" in found.before_all(*switch, Group.ENV)
    assert {Group.CACHE_RULES, *switch} <= found.before_all("purge-again")
    for one in switch:
        assert not (switch - {one}) & found.before_all(one), "DNS and promote go at once"


@every_stack
def test_a_flip_verifies_after_the_second_purge_and_completes_after_all(stack: str) -> None:
    found = flip(stack)
    assert found.named("verify-") >= {"verify-dns", "verify-event", *(f"verify-{app.name}" for app in apps(stack))}
    assert "purge-again" in found.before_all(*found.named("verify-"))
    told = {"annotate", "announce", COMPLETE, *found.named("page-")}
    assert {*found.steps} - told <= found.before_all(COMPLETE)
    assert set(Group) <= found.before_all(COMPLETE)
    assert COMPLETE in found.before_all("annotate", "announce")
    assert {*found.steps[COMPLETE].reads} == {*found.steps} - told, "the evidence holds what each step saw"


@every_stack
def test_what_acts_in_a_flip(stack: str) -> None:
    found = flip(stack)
    never = {*found.named("page-", "function-"), "lock", *vercel(stack, "build"), "custom-hostname"}
    still = {f"gate-target-{app.name}" for app in apps(stack) if not moves(stack, app.name)}
    assert found.due == {*found.steps} - never - still
    tag = "1-flip"
    gates = {
        name: step.trigger for name, step in found.steps.items() if name.startswith("gate-") and name in found.due
    }
    assert set(gates.values()) == {f"{tag}/1"}
    assert found.steps["way-back"].trigger == f"{tag}/1"
    for name in ("purge", "purge-again", COMPLETE, "annotate", "announce", *vercel(stack, "promote")):
        assert found.steps[name].trigger == tag


def moves(stack: str, app: str) -> bool:
    then, now = configured(stack).next, configured(stack).current
    return then is not None and then.targets[app] != now.targets[app]


@every_stack
def test_what_may_fail_in_a_flip_without_stopping_it(stack: str) -> None:
    """What only tells, a reminder that is taken back among it; everything else stops what depends on it."""
    found = flip(stack)
    assert {name for name in found.due if found.steps[name].reported} == {"annotate", "announce", "remind"}


def test_a_flip_ends_sessions_of_the_project_that_serves_and_looks_at_next() -> None:
    found = flip("prod").steps
    assert found["end-sessions"].args == {"ref": "ibiminaprodplacehold"}
    assert found["gate-target-auth"].args == {
        "host": "signin.ibimina.rw",
        "target": "ibiminanextplacehold.supabase.co",
        "health": platform("prod").apps[2].health,
    }
    assert found["gate-ttl"].args == {"names": ["auth.ibimina.rw"], "ttl": 60}
    assert found["purge"].args == {"zone_id": "zone", "hosts": ["app.ibimina.rw", "staff.ibimina.rw"]}
    assert found["promote-staff"].kind is Kind.PROMOTE
    assert found["promote-staff"].args == {"team": "ibimina", "project_id": "prj_staff"}
    assert found["promote-staff"].reads == ("build-staff",)
    assert found["verify-dns"].args["targets"]["signin.ibimina.rw"] == "ibiminanextplacehold.supabase.co"
    login = found["verify-login"]
    assert (login.args["auth_host"], login.args["issuer"]) == (
        "signin.ibimina.rw",
        "https://signin.ibimina.rw/auth/v1",
    )


def test_a_gate_that_an_override_lets_pass_is_not_asked() -> None:
    found = flip("prod")
    settings = configured("prod", "flipped", {"overrides": OVERRIDES})
    seen = observed("prod", configured("prod"), found.before, IN_WINDOW)
    decision = decide(platform("prod"), settings, found.before, seen, IN_WINDOW)
    ttl = {step.name: step for step in steps("prod", settings, found.before, decision).steps}["gate-ttl"]
    assert (decision.refusals, ttl.trigger) == ((), "")


OVERRIDES = [{"rule": "opens-at", "reason": "sign-in is broken", "until": "2026-12-06 01:00"}]


# Going on


@every_stack
def test_the_next_attempt_looks_again_and_repeats_nothing_else(stack: str) -> None:
    again = update(stack, (P, F), "flipped", True)
    gates = {name for name in again.named("gate-") if again.steps[name].trigger}
    assert again.due == {*gates, "way-back", COMPLETE}
    assert {again.steps[name].trigger for name in gates} == {"1-flip/2"}


@every_stack
@pytest.mark.parametrize(("way", "phase"), [((P, F), "flipped"), ((P, F, T), "settled"), ((P, F, R), "rolled-back")])
def test_a_crossing_that_is_complete_acts_no_more(stack: str, way: tuple[Phase, ...], phase: str) -> None:
    again = update(stack, way, phase)
    assert again.due == set()


@every_stack
def test_steady_without_a_cutover_does_nothing(stack: str) -> None:
    assert update(stack, (), None).due == set()
    assert {step.trigger for step in update(stack, (), None).plan.steps} == {""}


@every_stack
def test_what_acts_when_next_is_prepared(stack: str) -> None:
    found = update(stack, (), "prepared")
    auth = {"auth-settings", "custom-hostname"} if platform(stack).auth_app else set()
    assert found.due == {"remind", "way-back", *auth, *vercel(stack, "build")}
    assert {found.steps[name].trigger for name in vercel(stack, "build")} == {"prepare-1"}
    assert update(stack, (P,), "prepared").due == set()


def test_a_build_has_nexts_env_and_the_next_generation() -> None:
    build = update("prod", (), "prepared").steps["build-staff"]
    assert build.args["env"]["NEXT_PUBLIC_SUPABASE_URL"] == "https://signin.ibimina.rw"
    assert (build.args["release"], build.args["generation"]) == ("v1.1.0", 2)
    secret = configured("prod").secrets["TRUSTED_COOKIE_SECRET"]
    assert build.secrets["env:TRUSTED_COOKIE_SECRET"] != secret
    assert build.secrets["env:LOG_DRAIN_ALERT_WEBHOOK"] == configured("prod").secrets["LOG_DRAIN_ALERT_WEBHOOK"]


def test_a_reminder_is_taken_back_with_the_cutover_and_moves_with_the_window() -> None:
    gone = update("prod", (P,), None)
    assert gone.steps["remind"].trigger == ""
    assert "remind" in gone.due, "a step that is undone acts once more"
    moved = configured("prod", "prepared", {"window": WINDOW_LATER})
    decision = decide(platform("prod"), moved, gone.before, observed("prod", moved, gone.before), PREPARED_AT)
    trigger = {step.name: step for step in steps("prod", moved, gone.before, decision).steps}["remind"].trigger
    assert trigger not in ("", gone.before.acted["remind"])


WINDOW_LATER = {"start": "2026-12-12 22:00", "end": "2026-12-13 02:00", "zone": "Africa/Kigali"}


# Auth, as data


def test_custom_host_names_follow_the_phase() -> None:
    """Steady asks for none of next; a project that stays keeps what it has."""

    def asked(phase: str | None) -> Any:
        found = configured("staging", phase, {"next": SAME_HOST})
        return texts.custom_hostname(found, going_back=False)["ref"]

    now, then = configured("staging").current.supabase_ref, SAME_HOST["supabaseRef"]
    assert [asked(phase) for phase in (None, "steady", "prepared", "flipped", "settled", "rolled-back")] == [
        now, now, then, then, then, now,
    ]  # fmt: skip
    same = {"targets": {"staff": "next.vercel-dns.com"}}
    assert texts.custom_hostname(configured("staging", "flipped", {"next": same}), going_back=False) == {}
    assert texts.custom_hostname(configured("easymo-prod", "flipped"), going_back=False) == {}
    back = texts.custom_hostname(configured("staging", "prepared", {"next": SAME_HOST}), going_back=True)
    assert back["ref"] == now  # a way back by the phase prepared
