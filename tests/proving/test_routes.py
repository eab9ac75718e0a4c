"""Every alert arrives at its owner and at nobody else, on a live Alertmanager."""

from __future__ import annotations

from dataclasses import replace

import pytest

from runbook.model.alerting import contact_points, mute_timing
from runbook.proving import alertmanager, routes
from runbook.proving.alertmanager import AlertmanagerFailed, routed
from runbook.proving.emitted import emitted
from runbook.proving.engines import Engines
from runbook.proving.equivalents import reason
from runbook.proving.mutation import mutants
from runbook.proving.problems import ProofError
from runbook.proving.routes import RULES, TREE, Proof, Stack, prove
from runbook.proving.routing import KINDS, World
from runbook.proving.scenarios.owners import REACHED, RESTING
from tests.proving.judging import rules
from tests.stacks import platform, settings

STACKS = ("prod", "easymo-prod")


def stack(name: str) -> Stack:
    owners = [point.owner for point in contact_points(platform(name), settings(name))]
    changed = [mutant for rule in emitted(platform(name), settings(name)) for mutant in mutants(rule, owners)]
    return Stack(name, platform(name), settings(name), [each for each in changed if each.routed and not reason(each)])


@pytest.fixture(scope="module")
def proof(programs: Engines) -> Proof:
    return prove([stack(name) for name in STACKS], programs.amtool, programs.alertmanager)


@pytest.mark.parametrize("name", STACKS)
def test_whom_each_alert_reaches_is_written_down_for_every_rule_and_no_other(name: str) -> None:
    assert REACHED[platform(name).name].keys() == rules(name).keys()


def test_a_rule_of_which_that_is_not_written_is_a_sentence(
    monkeypatch: pytest.MonkeyPatch, programs: Engines
) -> None:
    monkeypatch.delitem(REACHED["ibimina"], "payment-backlog")
    with pytest.raises(
        ProofError, match=r"^Whom payment-backlog of ibimina reaches is to be written in runbook/proving/"
    ):
        prove([Stack("prod", platform("prod"), settings("prod"))], programs.amtool, programs.alertmanager)


def test_rules_that_rest_are_those_that_are_muted() -> None:
    muted = {rule.name for name in STACKS for rule in rules(name).values() if rule.muted}
    assert muted == RESTING


def test_every_route_is_proven(proof: Proof) -> None:
    assert [route for route in proof.routes if not route.proven] == []
    assert proof.wrong_minutes == dict.fromkeys(STACKS, 0)


def test_both_ways_of_routing_are_shown_at_every_moment_and_for_every_kind_of_alert(proof: Proof) -> None:
    live = {(each.stack, each.mode, each.moment) for each in proof.routes if each.by == "live"}
    moments = [
        "now",
        "Monday 07:59",
        "Monday 08:00",
        "Monday 16:59",
        "Monday 17:00",
        "Saturday 12:00",
        "Sunday 12:00",
    ]
    assert live == {("prod", mode, at) for mode in (RULES, TREE) for at in moments} | {
        ("easymo-prod", mode, "now") for mode in (RULES, TREE)
    }
    asked = {(each.stack, each.rule, each.alert) for each in proof.routes}
    assert asked == {(name, rule, kind) for name in STACKS for rule in rules(name) for kind in KINDS}


def test_a_rule_that_rests_reaches_somebody_in_business_hours_and_nobody_outside(proof: Proof) -> None:
    resting = [each for each in proof.routes if each.rule == "staff-console-uptime" and each.by == "live"]
    reached = {each.moment: bool(each.arrived) for each in resting if each.moment != "now"}
    assert reached == {
        "Monday 07:59": False,
        "Monday 08:00": True,
        "Monday 16:59": True,
        "Monday 17:00": False,
        "Saturday 12:00": False,
        "Sunday 12:00": False,
    }


def test_a_rule_with_another_owner_or_other_hours_is_noticed(proof: Proof) -> None:
    for name in STACKS:
        assert proof.killed[name] == (True,) * len(stack(name).mutants)
        assert proof.killed[name]


def test_a_timing_in_another_zone_is_noticed(monkeypatch: pytest.MonkeyPatch, programs: Engines) -> None:
    def elsewhere(of: object) -> object:
        timing = mute_timing(settings("prod"))
        assert timing
        return replace(timing, location="Etc/UTC")

    monkeypatch.setattr(routes, "mute_timing", elsewhere)
    monkeypatch.setattr(alertmanager, "ARRIVE_SECONDS", 5)  # not everything will
    found = prove([replace(stack("prod"), mutants=())], programs.amtool, programs.alertmanager)
    wrong = {(each.rule, each.moment) for each in found.routes if not each.proven}
    assert {("staff-console-uptime", at) for at in ("Monday 08:00", "Monday 17:00")} <= wrong
    assert {rule for rule, _ in wrong} == RESTING
    assert found.wrong_minutes == {"prod": 5 * 2 * 120}


def test_what_amtool_refuses_is_said_in_its_words(programs: Engines) -> None:
    timing = mute_timing(settings("prod"))
    assert timing
    late = replace(timing, intervals=((("someday",), (("00:00", "24:00"),)),))
    world = World("w", "folder", (), contact_points(platform("prod"), settings("prod")), late)
    with pytest.raises(AlertmanagerFailed, match="someday"):
        routed(programs.amtool, world)
