"""Slack, PagerDuty and Grafana: what tells people."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from runbook.rehearsal.clouds.web.slack import channel_id
from tests.clouds.web.world import TOKEN, World

OPS = channel_id("#ops-alerts")


def slack(world: World, method: str, **body: Any) -> Any:
    return world.post(f"/slack/{method}", body)


def in_(world: World, **ahead: float) -> int:
    return int((world.clock.now() + timedelta(**ahead)).timestamp())


def schedule(world: World, at: int, **more: Any) -> Any:
    return slack(world, "chat.scheduleMessage", **{"channel": "#ops-alerts", "text": "soon", "post_at": at} | more)


def posted(world: World) -> list[str]:
    world.client.get("/clock")  # any request will do
    return [one.properties["text"] for one in world.store.find("slack", "message")]


def test_a_message_is_posted_in_the_channel_that_is_called_by_its_name(world: World) -> None:
    done = slack(world, "chat.postMessage", channel="#ops-alerts", text="flipped", metadata={"event_type": "cutover"})
    assert (done["ok"], done["channel"]) == (True, OPS)
    (kept,) = world.store.find("slack", "message")
    assert (kept.properties["ts"], kept.properties["metadata"]) == (done["ts"], {"event_type": "cutover"})
    form = world.ask("POST", "/slack/chat.postMessage", data={"channel": OPS, "text": "again"}).json()
    assert form["ts"] > done["ts"]


def test_a_scheduled_message_is_listed_and_posted_when_its_time_has_come(world: World) -> None:
    done = schedule(world, in_(world, hours=24))
    (listed,) = slack(world, "chat.scheduledMessages.list", channel=OPS)["scheduled_messages"]
    assert (listed["id"], listed["channel_id"], listed["text"]) == (done["scheduled_message_id"], OPS, "soon")
    assert listed["post_at"] == in_(world, hours=24)
    assert slack(world, "chat.scheduledMessages.list", channel="C0THERONE1")["scheduled_messages"] == []
    world.clock.move(hours=23, minutes=59)
    assert posted(world) == []
    world.clock.move(minutes=1)
    assert posted(world) == ["soon"]
    assert slack(world, "chat.scheduledMessages.list")["scheduled_messages"] == []


def test_a_scheduled_message_can_be_deleted_until_a_minute_before(world: World) -> None:
    ids = [schedule(world, in_(world, hours=1, seconds=n))["scheduled_message_id"] for n in range(2)]

    def delete(id: str, channel: str = OPS) -> Any:
        return slack(world, "chat.deleteScheduledMessage", channel=channel, scheduled_message_id=id)

    assert delete(ids[0], "#ops-alerts") == {"ok": False, "error": "channel_not_found"}
    assert delete(ids[0], "C0THERONE1") == {"ok": False, "error": "invalid_scheduled_message_id"}
    assert delete(ids[0]) == {"ok": True}
    assert delete(ids[0]) == {"ok": False, "error": "invalid_scheduled_message_id"}
    world.clock.move(minutes=59, seconds=2)
    assert delete(ids[1]) == {"ok": False, "error": "invalid_scheduled_message_id"}
    world.clock.move(minutes=1)
    assert posted(world) == ["soon"]


def test_a_scheduled_message_with_metadata_is_never_posted(world: World) -> None:
    schedule(world, in_(world, minutes=5), metadata={"event_type": "cutover"})
    world.clock.move(hours=1)
    assert posted(world) == []


def test_messages_that_slack_refuses(world: World) -> None:
    assert schedule(world, in_(world))["error"] == "time_in_past"
    assert schedule(world, in_(world, days=120))["ok"] is True
    assert schedule(world, in_(world, days=120, seconds=1))["error"] == "time_too_far"
    assert schedule(world, in_(world, hours=1), text="")["error"] == "no_text"
    assert schedule(world, in_(world, hours=1), channel="")["error"] == "channel_not_found"
    assert slack(world, "chat.scheduleMessage", channel=OPS, text="x", post_at="soon")["error"] == "invalid_arguments"
    assert slack(world, "chat.scheduledMessages.list", channel="#ops-alerts")["error"] == "invalid_channel"
    assert slack(world, "conversations.history", channel=OPS)["error"] == "unknown_method"
    for n in range(30):
        assert schedule(world, in_(world, hours=2, seconds=n))["ok"] is True
    assert schedule(world, in_(world, hours=2, minutes=1))["error"] == "restricted_too_many"
    assert schedule(world, in_(world, hours=2, minutes=10))["ok"] is True


EVENT = {"summary": "back", "source": "ibimina-prod", "severity": "critical"}


def page(world: World, **change: Any) -> Any:
    body = {"routing_key": TOKEN[:32], "event_action": "trigger", "dedup_key": "2-back", "payload": EVENT}
    return world.ask("POST", "/pagerduty/v2/enqueue", json=body | change, headers={})


def test_events_of_one_dedup_key_are_one_alert(world: World) -> None:
    for _ in range(2):
        answer = page(world)
        assert (answer.status_code, answer.json()["dedup_key"]) == (202, "2-back")
    (alert,) = world.store.find("pagerduty", "alert")
    assert (alert.properties["events"], alert.properties["status"]) == (2, "triggered")
    assert page(world, event_action="resolve", payload=None).status_code == 202
    (alert,) = world.store.find("pagerduty", "alert")
    assert (alert.properties["summary"], alert.properties["status"]) == ("back", "resolved")
    assert len(page(world, dedup_key=None).json()["dedup_key"]) == 32
    assert len(world.store.find("pagerduty", "alert")) == 2


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"routing_key": ""}, "'routing_key' is missing or blank"),
        ({"routing_key": "short"}, "Length of 'routing_key' is incorrect (should be 32 characters)"),
        ({"event_action": "page"}, "'event_action' must be one of trigger, acknowledge, resolve"),
        ({"payload": None}, "'payload.summary' is missing or blank"),
        (
            {"payload": EVENT | {"severity": "page"}},
            "'payload.severity' must be one of critical, error, warning, info",
        ),
        ({"payload": EVENT | {"summary": "s" * 1025}}, "'payload.summary' is too long: at most 1024 characters"),
        ({"dedup_key": "k" * 256}, "'dedup_key' is too long: at most 255 characters"),
        ({"event_action": "resolve", "dedup_key": ""}, "'dedup_key' is missing or blank"),
    ],
)
def test_an_event_that_pagerduty_refuses(world: World, change: dict[str, Any], error: str) -> None:
    answer = page(world, **change)
    assert (answer.status_code, answer.json()["errors"]) == (400, [error])
    assert world.store.find("pagerduty", "alert") == []


def test_annotations_are_found_by_all_their_tags(world: World) -> None:
    def found(**params: Any) -> list[str]:
        return [one["text"] for one in world.get("/grafana/api/annotations", params=params)]

    made = world.post("/grafana/api/annotations", {"text": "flip", "tags": ["cutover", "1-flip"]})
    assert made == {"message": "Annotation added", "id": 1}
    world.clock.move(hours=1)
    time = int(world.clock.now().timestamp() * 1000)
    world.post("/grafana/api/annotations", {"text": "back", "tags": ["cutover", "2-back"], "time": time})
    assert found() == ["back", "flip"]
    assert found(tags=["cutover", "1-flip"]) == ["flip"]
    assert found(tags=["1-flip", "2-back"]) == []
    assert found(tags=["1-flip", "2-back"], matchAny="true") == ["back", "flip"]
    assert found(**{"from": time}) == ["back"]
    assert found(limit=1) == ["back"]
    assert world.refused("POST", "/grafana/api/annotations", json={"tags": ["x"]})[0] == 400
    assert found(to=time - 1) == ["flip"]
