"""What steps say and set."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from runbook.model.cutover import texts
from runbook.model.cutover.ledger import Ledger
from runbook.model.cutover.phases import Phase, Rule
from tests.model.cutover.examples import NEW_REF, WINDOW, configured
from tests.model.cutover.playing import played
from tests.stacks import platform

P, F, T, R = Phase.PREPARED, Phase.FLIPPED, Phase.SETTLED, Phase.ROLLED_BACK


def ledger(*phases: Phase, stack: str = "prod") -> Ledger:
    found = played(stack, *phases).ledger
    assert found is not None
    return found


def test_the_reminder_carries_start_and_end_owners_and_back_out_criteria() -> None:
    found = texts.reminder(platform("prod"), configured("prod"))
    assert found["channel"] == "#ops-alerts"
    assert found["text"].splitlines()[:3] == [
        "Cutover of Ibimina prod: 2026-12-05 22:00 to 2026-12-06 02:00 Africa/Kigali (20:00 to 00:00 UTC).",
        "Owners: On-call engineer.",
        "It is taken back when one of these alerts: Auth availability.",
    ]
    assert (found["at"], found["until"]) == ("2026-12-04T20:00:00+00:00", "2026-12-05T20:00:00+00:00")
    assert found["marker"] in found["text"]


def test_a_reminder_comes_a_day_of_24_hours_before() -> None:
    """Also where clocks are put forward or back in between."""
    for day in ("2027-03-28", "2027-10-31"):
        window = {"start": f"{day} 22:00", "end": f"{day} 23:00", "zone": "Europe/Kyiv"}
        found = texts.reminder(platform("prod"), configured("prod", changes={"window": window}))
        assert datetime.fromisoformat(found["until"]) - datetime.fromisoformat(found["at"]) == timedelta(hours=24)


def test_the_marker_of_a_reminder_is_the_stacks() -> None:
    """By it a reminder is found again, whatever its window was."""
    markers = {
        texts.reminder(platform(stack), configured(stack, phase))["marker"]
        for stack in ("prod", "staging", "easymo-prod")
        for phase in (None, "prepared", "flipped")
    }
    assert len(markers) == 3


@pytest.mark.parametrize(
    "changes",
    [
        {"window": {**WINDOW, "start": "2026-12-05 23:00"}},
        {"window": {**WINDOW, "end": "2026-12-06 03:00"}},
        {"window": {**WINDOW, "zone": "Etc/UTC"}},
        {"owners": ["ops-alerts"]},
        {"backOut": ["log-drain"]},
    ],
)
def test_another_reminder_for_what_it_says(changes: dict[str, Any]) -> None:
    assert texts.reminder_id(configured("prod", changes=changes)) != texts.reminder_id(configured("prod"))


SLACK = {"kind": "slack", "secret": "SLACK_ON_CALL"}


def test_another_channel_makes_another_reminder() -> None:
    mail = {
        name: [{"kind": "email", "addresses": [f"{name}@ibimina.rw"]}] for name in ("ops-alerts", "product-owner")
    }
    asked = {
        texts.reminder_id(configured("prod", owners={**mail, "on-call": [{**SLACK, "channel": channel}]}))
        for channel in ("#on-call", "#night")
    }
    assert len(asked) == 2


def test_no_other_reminder_for_what_it_does_not_say() -> None:
    same = {"soak": "4h", "next": {"targets": {"staff": "next.vercel-dns.com"}}, "functions": {}}
    assert texts.reminder_id(configured("prod", changes=same)) == texts.reminder_id(configured("prod"))
    assert texts.reminder_id(configured("prod", "steady")) == texts.reminder_id(configured("prod"))


def test_no_reminder_without_a_cutover_or_once_next_serves() -> None:
    for phase in (None, "flipped", "settled", "rolled-back"):
        assert texts.reminder_id(configured("prod", phase)) == ""


def test_the_channel_is_an_owners_of_the_cutover_else_any_owners() -> None:
    owners = {
        "on-call": [{"kind": "slack", "channel": "#on-call", "secret": "SLACK_ON_CALL"}],
        "ops-alerts": [{"kind": "slack", "channel": "#ops-alerts", "secret": "SLACK_OPS_ALERTS"}],
        "product-owner": [{"kind": "email", "addresses": ["product-owner@ibimina.rw"]}],
    }
    for named, channel in (("ops-alerts", "#ops-alerts"), ("on-call", "#on-call"), ("product-owner", "#on-call")):
        assert texts.channel(configured("prod", changes={"owners": [named]}, owners=owners)) == channel


# Supabase


def allowed(phase: str | None) -> dict[str, Any]:
    return texts.auth_settings(platform("prod"), configured("prod", phase))


OLD_REF = "ibiminaprodplacehold"
APPS = ["https://staff.ibimina.rw/**", "https://app.ibimina.rw/**"]
OLD, NEW = "https://auth.ibimina.rw/auth/v1/callback", "https://signin.ibimina.rw/auth/v1/callback"


@pytest.mark.parametrize("phase", ["prepared", "flipped", "rolled-back"])
def test_while_a_cutover_may_go_either_way_both_callbacks_are_allowed_on_both_projects(phase: str) -> None:
    both = [*APPS, OLD, NEW]
    assert allowed(phase) == {
        OLD_REF: {"uri_allow_list": both},
        NEW_REF: {"uri_allow_list": both, "site_url": "https://staff.ibimina.rw"},
    }


def test_outside_of_it_the_one_of_the_side_that_serves() -> None:
    for phase in (None, "steady"):
        assert allowed(phase) == {OLD_REF: {"uri_allow_list": [*APPS, OLD]}}
    assert allowed("settled") == {NEW_REF: {"uri_allow_list": [*APPS, NEW], "site_url": "https://staff.ibimina.rw"}}


# Said and kept


def test_a_page_says_what_happens_and_names_the_migrations_command_as_unverified() -> None:
    page = texts.paged(platform("prod"), configured("prod", "rolled-back"), ledger(P, F, R))
    assert page["summary"] == "Way back of Ibimina prod (2-back): traffic goes back to release v1.0.0"
    assert (page["source"], page["dedup_key"]) == ("ibimina-prod", "ibimina-prod-2-back")
    assert page["custom_details"]["database"] == (
        "If a migration broke sign-in, the runbook says: supabase migration revert --env prod "
        "(unverified; nothing runs it)"
    )


def test_announcements() -> None:
    flipped = texts.announcement(platform("prod"), configured("prod", "flipped"), ledger(P, F))
    assert flipped == (
        "Flip of Ibimina prod (1-flip) is complete.\n"
        "Serving: release v1.1.0, auth at ibiminanextplacehold.supabase.co, member at cname.vercel-dns.com, "
        "staff at cname.vercel-dns.com."
    )
    back = texts.announcement(platform("prod"), configured("prod", None), ledger(P, F, R))
    assert back.startswith("Way back of Ibimina prod (2-back) is complete.\nServing: release v1.0.0, ")
    assert "(advisory)" in back
    assert "supabase migration revert --env prod" in back
    easymo = texts.announcement(
        platform("easymo-prod"), configured("easymo-prod", None), ledger(P, F, R, stack="easymo-prod")
    )
    assert "migration" not in easymo


def test_the_record_of_a_crossing_says_from_what_to_what_and_what_was_let_pass() -> None:
    settings = configured("prod", "flipped")
    flipped = replace(ledger(P, F), overridden={Rule.WINDOW: "agreed by telephone"})
    found = texts.record(platform("prod"), settings, flipped)
    assert (found["crossing"], found["phase"], found["attempts"]) == ("1-flip", "flipped", 1)
    assert (found["from"]["release"], found["to"]["release"]) == ("v1.0.0", "v1.1.0")
    assert found["overrides"] == {"window": "agreed by telephone"}
    assert found["begun"] == "2026-12-05T21:00:00+00:00"
    assert found["cannot_be_undone"] == list(texts.cannot_be_undone(platform("prod")))
    assert json.loads(json.dumps(found)) == found
    back = texts.record(platform("prod"), configured("prod", None), ledger(P, F, R))
    assert back["window"] is None
    assert back["to"]["release"] == "v1.0.0"


def test_the_record_of_a_way_back_says_what_was_left() -> None:
    memory = played("prod", P, F, R, complete=False)
    assert memory.ledger is not None
    found = texts.record(platform("prod"), configured("prod", "rolled-back"), memory.ledger)
    assert (found["from"]["release"], found["to"]["release"]) == ("v1.1.0", "v1.0.0")


def test_what_cannot_be_undone_is_only_what_the_platform_does() -> None:
    """EasyMO has no sign-in of its own and no secret that a flip renews."""
    ours, theirs = texts.cannot_be_undone(platform("prod")), texts.cannot_be_undone(platform("easymo-prod"))
    assert len(ours) == 4
    assert theirs == (ours[1], ours[3])
