"""Which steps act on a way back and after it, and what waits for what."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from runbook.model.cutover.ledger import COMPLETE
from runbook.model.cutover.observed import Observed
from runbook.model.cutover.phases import Phase
from runbook.model.cutover.refusals import decide
from runbook.model.cutover.step import Group, Kind
from tests.model.cutover.acting import F, P, R, T, apps, every_stack, update, vercel
from tests.model.cutover.examples import configured
from tests.model.cutover.playing import PREPARED_AT, SETTLED_AT, observed, played, remembered, steps
from tests.stacks import platform

BACKS: list[tuple[tuple[Phase, ...], str | None, bool]] = [
    (way, phase, open_)
    for way in ((P, F), (P, F, T))
    for phase in ("rolled-back", "prepared", "steady", None)
    for open_ in (False, True)
    if not (open_ and way[-1] is T)
]
every_back = pytest.mark.parametrize(("way", "phase", "open_"), BACKS)


# Back


@every_stack
@every_back
def test_a_way_back_waits_for_nothing(stack: str, way: tuple[Phase, ...], phase: str | None, open_: bool) -> None:
    """Records and env for the ledger alone, and promote for no step that acts."""
    found = update(stack, way, phase, open_)
    assert found.plan.after == dict.fromkeys(Group, ())
    for name in vercel(stack, "promote"):
        assert not found.before_all(name) & found.due
        assert not found.before_all(name) & set(Group)
    for name in found.named("page-"):
        assert found.before_all(name) == set()


@every_stack
@every_back
def test_a_way_back_promotes_the_very_build_that_served(
    stack: str, way: tuple[Phase, ...], phase: str | None, open_: bool
) -> None:
    found = update(stack, way, phase, open_)
    for app, _ in platform(stack).vercel_apps:
        step = found.steps[f"promote-{app.name}"]
        assert (step.kind, step.trigger) == (Kind.ROLL_BACK, "2-back")
        assert step.args["deployment"] == f"dpl_{app.name}_old"
        assert step.reads == (f"build-{app.name}",), "by it the step tells next's build from a release made outside"


@every_stack
@every_back
def test_only_dns_and_promote_can_fail_a_way_back(
    stack: str, way: tuple[Phase, ...], phase: str | None, open_: bool
) -> None:
    found = update(stack, way, phase, open_)
    assert {name for name in found.due if not found.steps[name].reported} == {*vercel(stack, "promote"), COMPLETE}


@every_stack
@every_back
def test_a_way_back_makes_no_build(stack: str, way: tuple[Phase, ...], phase: str | None, open_: bool) -> None:
    found = update(stack, way, phase, open_)
    assert not found.due & found.named("build-", "gate-", "end-sessions")


@every_stack
@every_back
def test_a_way_back_leaves_its_page_alone(stack: str, way: tuple[Phase, ...], phase: str | None, open_: bool) -> None:
    """Somebody may be reading it, and nothing was looked at with which it could be written."""
    assert "way-back" not in update(stack, way, phase, open_).due


@every_stack
def test_what_acts_in_a_way_back(stack: str) -> None:
    found = update(stack, (P, F), "rolled-back")
    auth = {"auth-settings", "custom-hostname", "verify-login"} if platform(stack).auth_app else set()
    assert found.due - found.named("page-", "function-") == {
        *auth, *vercel(stack, "promote"), "purge-again", "verify-dns", "verify-event", "lock", COMPLETE, "annotate",
        "announce", *(f"verify-{app.name}" for app in apps(stack)),
    }  # fmt: skip
    assert found.named("page-") <= found.due
    assert found.due >= {f"function-{name}" for name in platform(stack).recovery.functions}
    assert {Group.RECORDS, Group.CACHE_RULES, *vercel(stack, "promote")} <= found.before_all("purge-again")
    assert Group.RECORDS in found.before_all(*found.named("verify-"))
    answered_by_builds = {*vercel(stack, "verify"), "verify-event"}
    assert "purge-again" in found.before_all(*answered_by_builds)
    for name in (
        found.named("verify-", "auth-settings", "custom-hostname", "function-") & found.due - answered_by_builds
    ):
        assert not found.before_all(name) & vercel(stack, "promote"), (
            "what Vercel does not answer does not wait for it"
        )
    assert found.before_all(COMPLETE) >= {*found.named("verify-"), "lock", *Group}


@pytest.mark.parametrize("phase", [None, "prepared", "rolled-back"])
def test_a_way_back_deploys_functions_from_where_the_flip_said(phase: str | None) -> None:
    """Also where the config from before, which says nothing of them, has been restored."""
    assert "function-metrics-exporter" in update("prod", (P, F), phase).due


def test_a_way_back_without_a_build_from_before_promotes_nothing() -> None:
    found = update("prod", (P, F), "rolled-back")
    assert found.before.ledger is not None
    memory = replace(found.before, ledger=replace(found.before.ledger, builds={}))
    decision = decide(platform("prod"), found.settings, memory, Observed(), SETTLED_AT)
    promote = {step.name: step for step in steps("prod", found.settings, memory, decision).steps}["promote-staff"]
    assert promote.trigger == ""


# Leaving rolled-back


@every_stack
@pytest.mark.parametrize("phase", ["steady", "prepared", None])
def test_leaving_rolled_back_lets_vercel_assign_domains_again(stack: str, phase: str | None) -> None:
    found = update(stack, (P, F, R), phase)
    for name in vercel(stack, "promote"):
        step = found.steps[name]
        assert (step.kind, step.trigger, step.reads) == (Kind.REASSIGN, "2-back/leave", ())
        assert name in found.due
    done = remembered(stack, found.settings, found.before, found.decision, SETTLED_AT)
    seen = observed(stack, found.settings, done)
    decision = decide(platform(stack), found.settings, done, seen, SETTLED_AT)
    again = {step.name: step for step in steps(stack, found.settings, done, decision).steps}
    assert {again[name].trigger for name in vercel(stack, "promote")} == {"2-back/leave"}, "once"


@every_stack
def test_rolled_back_is_not_left_before_the_way_back_is_complete(stack: str) -> None:
    for phase in ("steady", "prepared", None):
        found = update(stack, (P, F, R), phase, True)
        assert {found.steps[name].kind for name in vercel(stack, "promote")} == {Kind.ROLL_BACK}
        assert not found.due & found.named("build-")


@every_stack
def test_a_flip_after_a_way_back_promotes_what_was_made_anew(stack: str) -> None:
    memory = played(stack, P, F, R, P)
    seen = observed(stack, configured(stack), memory, PREPARED_AT)
    decision = decide(platform(stack), configured(stack, "flipped"), memory, seen, SETTLED_AT - timedelta(hours=1))
    assert decision.refusals == ()
    found = {step.name: step for step in steps(stack, configured(stack, "flipped"), memory, decision).steps}
    for app, _ in platform(stack).vercel_apps:
        assert found[f"promote-{app.name}"].kind is Kind.PROMOTE
        assert found[f"promote-{app.name}"].trigger == "3-flip"
        assert memory.acted[f"build-{app.name}"] == "prepare-2"


@every_stack
def test_after_a_way_back_by_prepared_next_is_made_anew(stack: str) -> None:
    back = update(stack, (P, F), "prepared")
    done = remembered(stack, back.settings, back.before, back.decision, SETTLED_AT)
    seen = observed(stack, back.settings, done)
    decision = decide(platform(stack), back.settings, done, seen, SETTLED_AT)
    assert decision.ledger.preparation == 2
