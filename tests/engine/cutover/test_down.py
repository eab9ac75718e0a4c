"""Vendors that are down keep no name from going back."""

from __future__ import annotations

from collections.abc import Callable

from runbook.rehearsal.clouds.cloudflare import NAME_SERVERS, RECORD
from runbook.rehearsal.clouds.faults import Knob
from tests.engine.cutover import table
from tests.engine.cutover.excused import BACK
from tests.engine.cutover.hindrances import MEMBER, PURGE, STAFF, refused
from tests.engine.cutover.play import AUTH, TARGET, Play
from tests.engine.cutover.points import Points
from tests.engine.cutover.stops import COME_THROUGH

At = Callable[[str], Play]
OTHERS = ("grafana", "supabase", "slack", "pagerduty", "loki")


def names(play: Play) -> dict[str, str]:
    """What the records of the apps name."""
    found = play.clouds.store.find("cloudflare", RECORD)
    contents = {str(one.properties["name"]): str(one.properties["content"]) for one in found}
    return {name: contents[name] for name in (STAFF, MEMBER)}


def hinder_all_but_the_switch(play: Play) -> None:
    faults = play.clouds.faults
    for vendor in OTHERS:
        faults.down(vendor)
    faults.down(AUTH)
    refused(PURGE)(play)
    for host in (STAFF, MEMBER):
        faults.turn(Knob.UNHEALTHY, host)
    for server in NAME_SERVERS:
        faults.fail(server, method="QUERY", kind="CNAME", times=1000, message="SERVFAIL")


def test_with_all_but_cloudflare_and_vercel_down_one_up_takes_traffic_back(at: At, points: Points) -> None:
    play = at("flipped")
    builds = play.kept().ledger or {}
    hinder_all_but_the_switch(play)
    play.ask("rolled-back")
    play.up(COME_THROUGH)

    assert names(play) == {STAFF: TARGET, MEMBER: TARGET}
    steps = play.kept().steps
    assert [steps[f"promote-{app}"]["evidence"]["deployment"] for app in ("staff", "member")] == [
        builds["builds"][app] for app in ("staff", "member")
    ]
    assert steps["promote-staff"]["acted"] == "2-back"
    told = {f"step-{name}" for name, step in steps.items() if step["failed"]}
    assert told == {name for name, stopped in table.BACK.items() if stopped.fails == table.DOWN}


def test_with_all_but_cloudflare_down_names_go_back_by_the_documented_command(at: At, points: Points) -> None:
    play = at("flipped")
    for vendor in (*OTHERS, "vercel"):
        play.clouds.faults.down(vendor)
    play.ask("rolled-back")
    outcome = play.up()  # pulumi up --skip-preview

    assert outcome.code == 1
    assert {"step-promote-staff", "step-promote-member"} <= {each.name for each in outcome.events.failed}
    assert names(play) == {STAFF: TARGET, MEMBER: TARGET}

    for vendor in (*OTHERS, "vercel"):
        play.clouds.faults.up(vendor)
    outcome = play.up()
    assert outcome.code == 0, outcome.output
    assert play.different(points.at("prepared"), BACK) == []
