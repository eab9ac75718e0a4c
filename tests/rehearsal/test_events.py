from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from runbook.rehearsal import events
from runbook.rehearsal.events import Operation

URN = "urn:pulumi:prod::runbook::runbook:dns:Zone$cloudflare:index/dnsRecord:DnsRecord::dns-auth"
TYPE = "cloudflare:index/dnsRecord:DnsRecord"


def step(event: str, op: str, **more: Any) -> str:
    return json.dumps(
        {"sequence": 1, "timestamp": 2, event: {"metadata": {"op": op, "urn": URN, "type": TYPE, **more}}}
    )


def said(severity: str, message: str) -> str:
    return json.dumps({"sequence": 1, "timestamp": 2, "diagnosticEvent": {"severity": severity, "message": message}})


LOG = [
    step("resourcePreEvent", "same"),
    step("resourcePreEvent", "update", detailedDiff={"ttl": {}, "content": {}}, new={"inputs": {"ttl": 60}}),
    step("resOutputsEvent", "update", diffs=["ttl"]),
    step("resourcePreEvent", "delete"),
    step("resOpFailedEvent", "delete"),
    said("debug", "registering"),
    said("error", "cloudflare: 1004\n"),
    said("error", "cloudflare: 1004"),
    said("error", "update failed"),
    json.dumps({"sequence": 9, "timestamp": 2, "summaryEvent": {"resourceChanges": {"same": 1, "update": 1}}}),
]


def test_steps_are_told_apart_by_how_far_they_came() -> None:
    read = events.parse(LOG)

    update = Operation("update", URN, TYPE, ("content", "ttl"), {"ttl": 60})
    assert read.begun == (Operation("same", URN, TYPE), update, Operation("delete", URN, TYPE))
    assert read.changes == read.begun[1:]
    assert read.done == (Operation("update", URN, TYPE, ("ttl",)),)
    assert read.failed == (Operation("delete", URN, TYPE),)
    assert read.resources == {"same": 1, "update": 1}
    assert read.begun[0].name == "dns-auth"
    assert [str(each) for each in read.changes] == ["update dns-auth (content, ttl)", "delete dns-auth"]


def test_what_is_deleted_is_told_by_what_it_was() -> None:
    gone = step("resourcePreEvent", "delete", old={"inputs": {"name": "auth.ibimina.rw"}}, new=None)
    assert events.parse([gone]).begun[0].inputs == {"name": "auth.ibimina.rw"}


def test_an_error_is_told_once_and_without_its_echo() -> None:
    assert events.parse(LOG).errors == ["cloudflare: 1004"]


def test_an_echo_is_better_than_nothing() -> None:
    assert events.parse([said("error", "preview failed")]).errors == ["preview failed"]


def test_a_line_that_was_cut_off_is_left_out() -> None:
    assert events.parse([LOG[0], LOG[1][:40]]).begun == (Operation("same", URN, TYPE),)


def test_a_log_that_is_still_written_shows_what_is_done(tmp_path: Path) -> None:
    path = tmp_path / "up.events.jsonl"
    assert events.steps_done(path) == 0
    assert events.read(path) == events.Events()

    path.write_text("\n".join([*LOG, step("resOutputsEvent", "create")[:70]]), encoding="utf-8")
    assert events.steps_done(path) == 2
