"""From every half-finished point of a flip one `up` takes everything back to where it was."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest

from runbook.rehearsal.clouds.vercel import PROJECT
from runbook.rehearsal.clouds.web import deployments, release
from tests.engine.cutover.excused import BACK, NAME, NEXT
from tests.engine.cutover.play import STATE, Play
from tests.engine.cutover.points import Points
from tests.engine.cutover.stops import HALF_FINISHED, UNSEEN

At = Callable[[str], Play]
LEFT = tuple(one for one in BACK if "assigns" not in one.path and "lastRollbackTarget" not in one.path)


@pytest.mark.parametrize("point", [f"back-{name}" for name in HALF_FINISHED if name not in UNSEEN])
def test_rolled_back_is_as_before_the_flip(points: Points, point: str) -> None:
    report = points.report(point)

    assert (report.code, report.told) == (0, {}), report.errors
    assert points.different("prepared", point, BACK) == []
    assert report.after["complete"] == "2-back"


@pytest.mark.parametrize("name", UNSEEN)
def test_what_a_kill_left_unnoted_and_no_traffic_hangs_on_goes_back_with_a_refresh(points: Points, name: str) -> None:
    """The state says that it is as before; the engine says that it may be otherwise, and what to run."""
    back, left = points.report(f"back-{name}"), points.different("prepared", f"back-{name}", BACK)

    assert back.code == 0, back.errors
    assert left
    assert all(re.fullmatch(UNSEEN[name], each.partition(": ")[0]) for each in left), left
    assert any("interrupted while updating" in each and "`pulumi refresh`" in each for each in back.said)
    assert points.report(f"refreshed-{name}").code == 0
    assert points.different("prepared", f"refreshed-{name}", BACK) == []


def test_a_way_back_that_was_killed_at_each_of_its_steps_is_as_before_the_flip(points: Points) -> None:
    state = json.loads((points.at("rolled-back") / STATE).read_text("utf-8"))
    resources = state["checkpoint"]["latest"]["resources"]
    kept = {each["urn"].rsplit("::")[-1]: each.get("outputs", {}) for each in resources}
    already = [json.loads(kept[f"step-promote-{app}"]["evidence"])["already"] for app in ("staff", "member")]
    seen = json.loads((points.at("rolled-back") / "seen.json").read_text("utf-8"))

    assert points.different("prepared", "rolled-back", BACK) == []
    assert already == [True, True]
    assert sum(path.startswith("/pagerduty/alert/") for path in seen["held"]) == 1


def test_left_behind_it_is_as_before_the_cutover(points: Points) -> None:
    """Killed while Vercel is told to assign domains to new builds again."""
    assert points.report("left").code == 0
    assert points.different("steady", "left", (*LEFT, *NEXT)) == []


@pytest.mark.parametrize("point", ["before-switch", "before-flipped"])
def test_the_config_from_before_takes_back_too(points: Points, point: str) -> None:
    report = points.report(point)

    assert report.code == 0, report.errors
    assert points.different("steady", point, (*BACK, *NEXT, *NAME)) == []


def test_a_preparation_that_is_given_up_takes_back_what_it_did(points: Points) -> None:
    """Also what it did in the `up` that was killed, since another one went on with it: the reminder, redirects."""
    report = points.report("given-up")
    stamps = [one for one in BACK if one.path.startswith(("/cloudflare/DnsRecord/", "/grafana/Dashboard/"))]

    assert (report.code, report.told) == (0, {}), report.errors
    assert points.different("steady", "given-up", (*stamps, *NEXT)) == []


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
