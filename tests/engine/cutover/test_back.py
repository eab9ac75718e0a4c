"""From every half-finished point of a flip one `up` takes everything back to where it was."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from runbook.rehearsal.clouds import Held, Store
from runbook.rehearsal.clouds.cloudflare import RECORD, RULESET
from runbook.rehearsal.clouds.faults import Swallowed
from runbook.rehearsal.clouds.vercel import PROJECT, VARIABLE
from runbook.rehearsal.clouds.web import deployments, release
from tests.engine.cutover.excused import BACK, NAME, NEXT
from tests.engine.cutover.play import Play
from tests.engine.cutover.stops import Points

At = Callable[[str], Play]
HALF_FINISHED = ("gates", "sessions", "purge", "env", "switch", "promote", "complete")


@pytest.mark.parametrize("point", HALF_FINISHED)
def test_rolled_back_is_as_before_the_flip(at: At, points: Points, point: str) -> None:
    play = at(point)
    play.ask("rolled-back")
    outcome = play.up()

    assert outcome.code == 0, outcome.output
    assert play.different(points.at("prepared"), BACK) == []
    assert play.acted()["complete"] == "2-back"


def test_a_way_back_that_was_killed_is_gone_on_with(points: Points) -> None:
    """Page, both builds and the function were in the middle, each done and without an answer."""
    killed, after = points.report("going-back"), points.report("rolled-back")

    assert (killed.code, after.code) == (-9, 0)
    declared = {"dns-staff", "dns-member", "dns-cache"}
    assert declared <= {*killed.begun}
    assert not declared & {*after.begun}
    assert {"step-page-pagerduty-on-call", "step-promote-staff"} <= {*killed.begun} & {*after.begun}


def test_killed_and_gone_on_with_it_is_as_before_the_flip(at: At, points: Points) -> None:
    play = at("rolled-back")
    steps = play.kept().steps

    assert play.different(points.at("prepared"), BACK) == []
    assert [steps[f"promote-{app}"]["evidence"]["already"] for app in ("staff", "member")] == [True, True]
    assert len(play.clouds.store.find("pagerduty", "alert")) == 1


@pytest.mark.parametrize("point", ["switch", "flipped"])
def test_the_config_from_before_takes_back_too(at: At, points: Points, point: str) -> None:
    play, before = at(point), points.at("steady")
    play.ask(None)
    first = play.up()

    assert first.code == 0, first.output
    assert play.different(before, (*BACK, *NEXT, *NAME)) == []
    if point == "flipped":  # the update after, which is like any other
        second = play.up()
        assert second.code == 0, second.output
        left = [one for one in BACK if "assigns" not in one.path and "lastRollbackTarget" not in one.path]
        assert play.different(before, (*left, *NEXT)) == []


def _apart(then: Held, now: Held) -> bool:
    """Whether the way back changed more than the comment by which it writes every record."""
    noted = {"comment", "modifiedOn", "commentModifiedOn", "tagsModifiedOn"}
    kept = [{key: value for key, value in each.properties.items() if key not in noted} for each in (then, now)]
    return kept[0] != kept[1]


def test_every_change_that_is_left_out_shows(at: At, points: Points) -> None:
    """One after the other, what the way back had changed is what it was before it."""
    play = at("rolled-back")
    before, flipped = points.at("prepared"), Store(points.at("flipped") / "clouds.db")
    store = play.clouds.store
    found: dict[str, list[str]] = {}
    for then in flipped.objects():
        now = store.get(then.cloud, then.kind, then.id)
        if now is not None and _apart(then, now) and then.cloud != "rehearsal":
            store.put(then)
            found[f"{then.kind} {then.properties.get('key')} {then.id}"] = play.different(before, BACK)
            store.put(now)
    flipped.close()

    silent = {name for name, seen in found.items() if not seen}
    assert len(found) >= 14
    assert silent == {name for name in found if "TRUSTED_COOKIE_SECRET" in name}


def test_what_a_vendor_swallows_shows_though_everything_answered_well(at: At, points: Points) -> None:
    play = at("flipped")
    fail = play.clouds.faults.fail
    for cloud, kind, name in (
        ("cloudflare", RECORD, "dns-staff"),
        ("cloudflare", RECORD, "dns-member"),
        ("cloudflare", RULESET, "dns-cache"),
        ("vercel", VARIABLE, "web-staff-env-SUPABASE_PROJECT_REF"),
    ):
        fail(cloud, method="Update", kind=kind, name=name, message="", how=Swallowed())
    play.ask("rolled-back")
    play.up()

    different = "\n".join(play.different(points.at("prepared"), BACK))
    assert "/hosts/staff.ibimina.rw/dns/answers" in different
    assert "/cloudflare/DnsRecord/app.ibimina.rw CNAME/content" in different
    assert "/cache_rules/" in different
    assert "/projects/ibimina-staff-prod/env/SUPABASE_PROJECT_REF/value" in different


def test_a_release_made_outside_after_the_flip_is_left_alone_and_said_so(at: At) -> None:
    play = at("flipped")
    store = play.clouds.store
    outside = release(store, "ibimina-staff-prod", "v2.0.1", play.clouds.clock.now())
    play.ask("rolled-back")
    outcome = play.up()

    assert outcome.code == 0, outcome.output
    (staff,) = store.find("vercel", PROJECT, name="ibimina-staff-prod")
    (member,) = store.find("vercel", PROJECT, name="ibimina-member-prod")
    assert deployments.production(store, staff.id)["deployment"] == outside.id
    steps, ledger = play.kept().steps, play.kept().ledger
    assert ledger is not None
    assert deployments.production(store, member.id)["deployment"] == ledger["builds"]["member"]
    said = steps["promote-staff"]["evidence"]
    assert said["left_alone"] is True
    assert said["why"] == f"{outside.id} serves, which this crossing did not promote: a release made outside stays."
