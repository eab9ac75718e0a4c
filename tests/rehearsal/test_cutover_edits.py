"""The edits of a play are those that a person makes; what the program refuses tells how."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import yaml

from runbook.rehearsal.cutover.edits import Block, StackConfig, over, pasted

REFUSAL = """2 reasons against this update of prod; nothing was changed.

To override these, give a reason and put it under runbook:cutover in
Pulumi.prod.yaml:

overrides:
  - {rule: freeze, reason: "agreed with the bank", until: "2026-11-22 09:16"}
  - {rule: opens-at, reason: "", until: "2026-11-22 09:16"}
"""
BLOCK = Block(
    next={"targets": {"auth": "next.supabase.co"}},
    opens=datetime(2026, 11, 22, 20, 0, 59, tzinfo=UTC),
    functions={"metrics-exporter": {"source": "index.ts", "tag": "v1.0.0"}},
    owners=("on-call",),
    back_out=("auth-availability",),
)


def test_overrides_are_pasted_from_the_refusal_with_a_reason() -> None:
    assert pasted(REFUSAL, "sign-in is down") == [
        {"rule": "freeze", "reason": "agreed with the bank", "until": "2026-11-22 09:16"},
        {"rule": "opens-at", "reason": "sign-in is down", "until": "2026-11-22 09:16"},
    ]
    assert pasted("1 reason against this update of prod; nothing was changed.") == []


def test_a_window_begins_at_a_whole_minute_of_its_own_zone() -> None:
    section = BLOCK.section("prepared")

    assert section["window"] == {"start": "2026-11-22 22:00", "end": "2026-11-23 00:00", "zone": "Africa/Kigali"}
    assert (section["phase"], section["next"]) == ("prepared", {"targets": {"auth": "next.supabase.co"}})


def test_sections_are_put_in_place_and_a_revert_is_the_text_from_before(tmp_path: Path) -> None:
    path = tmp_path / "Pulumi.prod.yaml"
    path.write_text("config:\n  runbook:zone: ibimina.rw  # a comment\n", encoding="utf-8")
    config = StackConfig(path)
    before = config.text()

    config.write(cutover={"phase": "prepared"}, zone=None)
    assert yaml.safe_load(config.text()) == {"config": {"runbook:cutover": {"phase": "prepared"}}}
    config.restore(before)
    assert path.read_text(encoding="utf-8") == before


def test_current_becomes_next_with_the_generation_it_brought() -> None:
    current = {"authHost": "auth.x", "supabaseRef": "old", "targets": {"auth": "old.co", "staff": "v"}}
    following = {"supabaseRef": "new", "targets": {"auth": "new.co"}}

    assert over(current, following) == {
        "authHost": "auth.x",
        "supabaseRef": "new",
        "targets": {"auth": "new.co", "staff": "v"},
        "generation": 2,
    }
    assert over({**current, "generation": 4}, following)["generation"] == 5
