"""Messages in Slack: what is sent, what is kept, and that a second act sends nothing twice."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from runbook.model.cutover.step import Kind
from runbook.steps.call import Call, StepError
from runbook.steps.kinds import act
from tests.steps.cases import REMINDER
from tests.steps.misbehaving import Reply, Server

Make = Callable[..., Call]
TOKEN = {"SLACK_BOT_TOKEN": "xoxb-0123456789"}
LIST, SCHEDULE = "POST /chat.scheduledMessages.list", "POST /chat.scheduleMessage"
DELETE, POST = "POST /chat.deleteScheduledMessage", "POST /chat.postMessage"
SCHEDULED = {"ok": True, "channel": "C1", "scheduled_message_id": "Q2", "post_at": "1772395210"}
SENT = {"ok": True, "channel": "C1", "ts": "1772395200.000100"}
TEXT = "Cutover on Monday 22:00.\nibimina-prod reminder"
BEFORE = {"scheduled": "Q1", "channel": "C1"}
AT = 1772395210  # 2026-03-01T20:00:10Z, ten seconds from now
KEPT = {"channel": "C1", "to": "#ops", "at": "2026-03-01T20:00:10+00:00"}


def waiting(*messages: dict[str, Any], cursor: str = "") -> dict[str, Any]:
    return {"ok": True, "scheduled_messages": list(messages), "response_metadata": {"next_cursor": cursor}}


def message(id: str, text: str = TEXT, post_at: int = AT) -> dict[str, Any]:
    return {"id": id, "channel_id": "C1", "post_at": post_at, "text": text, "date_created": 1}


def failing(kind: Kind, call: Call) -> str:
    with pytest.raises(StepError) as error:
        act(kind, call)
    return str(error.value)


def test_a_reminder_is_scheduled(server: Server, call: Make) -> None:
    server.on(LIST, waiting(message("Q9", "somebody else's")))
    server.on(SCHEDULE, SCHEDULED)
    evidence = act(Kind.REMIND, call(REMINDER, TOKEN))
    assert evidence == {"scheduled": "Q2", **KEPT, "already": False}
    assert server.only(SCHEDULE).json == {"channel": "#ops", "text": TEXT, "post_at": AT}
    assert DELETE not in server.routes()


def test_a_reminder_that_is_scheduled_stays(server: Server, call: Make) -> None:
    server.on(LIST, waiting(message("Q1")))
    evidence = act(Kind.REMIND, call(REMINDER, TOKEN))
    assert evidence == {"scheduled": "Q1", **KEPT, "already": True}
    assert server.routes() == ["GET /clock", LIST]


@pytest.mark.parametrize("old", [message("Q1", post_at=AT + 60), message("Q1", f"Cutover on Sunday.{TEXT[-22:]}")])
def test_a_reminder_moves_with_the_window(server: Server, call: Make, old: dict[str, Any]) -> None:
    """Also one that is found on a second page."""
    server.on(LIST, waiting(cursor="more"), waiting(old))
    server.on(DELETE, {"ok": True})
    server.on(SCHEDULE, SCHEDULED)
    assert act(Kind.REMIND, call(REMINDER, TOKEN))["scheduled"] == "Q2"
    assert [asked.json for asked in server.all(LIST)] == [{"limit": 100}, {"limit": 100, "cursor": "more"}]
    assert server.only(DELETE).json == {"channel": "C1", "scheduled_message_id": "Q1"}
    assert server.routes()[-2:] == [DELETE, SCHEDULE]


def test_a_reminder_moves_with_the_channel(server: Server, call: Make) -> None:
    server.on(LIST, waiting(message("Q1")))
    server.on(DELETE, {"ok": True})
    server.on(SCHEDULE, SCHEDULED)
    before = {"scheduled": "Q1", **KEPT, "to": "#on-call"}
    assert act(Kind.REMIND, call(REMINDER, TOKEN, before=before))["scheduled"] == "Q2"
    assert server.routes()[-2:] == [DELETE, SCHEDULE]


def test_a_reminder_with_another_marker_is_taken_back_from_memory(server: Server, call: Make) -> None:
    server.on(LIST, waiting(message("Q0", f"of old {REMINDER['text']}")))
    server.on(DELETE, {"ok": True})
    server.on(SCHEDULE, SCHEDULED)
    assert act(Kind.REMIND, call(REMINDER, TOKEN, before=BEFORE))["scheduled"] == "Q2"
    assert server.only(DELETE).json == {"channel": "C1", "scheduled_message_id": "Q1"}


def test_of_two_that_are_the_same_one_goes(server: Server, call: Make) -> None:
    server.on(LIST, waiting(message("Q1"), message("Q3")))
    server.on(DELETE, {"ok": True})
    assert act(Kind.REMIND, call(REMINDER, TOKEN, before=BEFORE))["scheduled"] == "Q1"
    assert server.only(DELETE).json == {"channel": "C1", "scheduled_message_id": "Q3"}


def test_without_a_marker_only_what_is_remembered_is_taken_back(server: Server, call: Make) -> None:
    server.on(DELETE, {"ok": True})
    assert act(Kind.REMIND, call({}, TOKEN, trigger="", before=BEFORE)) == {"deleted": ["Q1"], "already": False}
    assert act(Kind.REMIND, call({}, TOKEN, trigger="")) == {"deleted": [], "already": True}
    assert server.routes() == [DELETE]


@pytest.mark.parametrize("at", ["2026-03-01T19:59:59+00:00", "2026-03-01T20:00:00+00:00"])
def test_a_reminder_whose_time_is_past_is_sent_and_says_so(server: Server, call: Make, at: str) -> None:
    """Slack schedules nothing for this very moment."""
    server.on(LIST, waiting())
    server.on(POST, SENT)
    evidence = act(Kind.REMIND, call({**REMINDER, "at": at}, TOKEN))
    assert evidence == {
        "sent": "1772395200.000100",
        "channel": "C1",
        "at": "2026-03-01T20:00:00+00:00",
        "why": "less than 24 h were left",
    }
    assert server.only(POST).json == {"channel": "#ops", "text": f"{TEXT}\n(Sent late: less than 24 h were left.)"}


def test_nothing_is_sent_once_the_window_began(server: Server, call: Make) -> None:
    server.on(LIST, waiting())
    times = {"at": "2026-02-28T20:00:00+00:00", "until": "2026-03-01T20:00:00+00:00"}
    assert act(Kind.REMIND, call({**REMINDER, **times}, TOKEN)) == {
        "nothing": "the window began at 2026-03-01T20:00:00+00:00: there is nothing left to remind of"
    }
    assert server.routes() == ["GET /clock", LIST]


def test_a_reminder_is_taken_back(server: Server, call: Make) -> None:
    server.on(LIST, waiting(message("Q1"), message("Q9", "somebody else's")))
    server.on(DELETE, {"ok": True})
    evidence = act(Kind.REMIND, call(REMINDER, TOKEN, trigger="", before=BEFORE))
    assert evidence == {"deleted": ["Q1"], "already": False}
    assert server.only(DELETE).json == {"channel": "C1", "scheduled_message_id": "Q1"}


def test_a_reminder_that_is_gone_is_gone(server: Server, call: Make) -> None:
    server.on(LIST, waiting())
    server.on(DELETE, {"ok": False, "error": "invalid_scheduled_message_id"})
    evidence = act(Kind.REMIND, call(REMINDER, TOKEN, trigger="", before=BEFORE))
    assert evidence == {"deleted": [], "already": True}


def test_a_reminder_that_a_kill_made_forgotten_is_taken_back(server: Server, call: Make) -> None:
    server.on(LIST, waiting(message("Q1")))
    server.on(DELETE, {"ok": True})
    assert act(Kind.REMIND, call(REMINDER, TOKEN, trigger=""))["deleted"] == ["Q1"]


def test_an_announcement(server: Server, call: Make) -> None:
    server.on(POST, SENT)
    evidence = act(Kind.ANNOUNCE, call({"channel": "#ops", "text": "Flipped."}, TOKEN))
    assert evidence == {"ts": "1772395200.000100", "channel": "C1"}
    asked = server.only(POST)
    assert asked.headers["authorization"] == "Bearer xoxb-0123456789"
    assert asked.json == {
        "channel": "#ops",
        "text": "Flipped.",
        "metadata": {"event_type": "cutover", "event_payload": {"marker": "1-flip"}},
    }


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (
            {"error": "invalid_auth"},
            "Slack refused chat.postMessage: invalid_auth. SLACK_BOT_TOKEN is wrong, expired or revoked: set a new"
            " one.",
        ),
        (
            {"error": "missing_scope", "needed": "chat:write:bot"},
            "Slack refused chat.postMessage: missing_scope. SLACK_BOT_TOKEN may not do this: it needs the scope"
            " chat:write:bot.",
        ),
        (
            {"error": "not_in_channel"},
            "Slack refused chat.postMessage: not_in_channel. Invite the bot to #ops, or name another channel.",
        ),
        (
            {"error": "msg_too_long"},
            "Slack refused chat.postMessage: msg_too_long. Slack's documentation of chat.postMessage says what that"
            " means: mend it, then run up again.",
        ),
        (
            {"error": {}},
            "The answer to POST /chat.postMessage of Slack says neither ok nor an error. Check the endpoint.",
        ),
    ],
)
def test_slack_says_no_in_a_200(server: Server, call: Make, answer: dict[str, Any], sentence: str) -> None:
    server.on(POST, {"ok": False, **answer})
    assert failing(Kind.ANNOUNCE, call({"channel": "#ops", "text": "Flipped."}, TOKEN)) == sentence
    assert len(server.asked) == 1


def test_a_window_further_off_than_slack_can_schedule(server: Server, call: Make) -> None:
    server.on(LIST, waiting())
    server.on(SCHEDULE, {"ok": False, "error": "time_too_far"})
    assert failing(Kind.REMIND, call(REMINDER, TOKEN)) == (
        "Slack refused chat.scheduleMessage: time_too_far. Slack schedules at most 120 days ahead: run up again"
        " nearer to the window."
    )


@pytest.mark.parametrize("broken", [{"id": None}, {"channel_id": 5}, {"id": ["Q1"]}])
def test_a_listed_message_of_another_shape(server: Server, call: Make, broken: dict[str, Any]) -> None:
    server.on(LIST, waiting({**message("Q1", post_at=1), **broken}))
    sentence = failing(Kind.REMIND, call(REMINDER, TOKEN))
    assert sentence.startswith("The answer to POST /chat.scheduledMessages.list of Slack has not a text at ")
    assert DELETE not in server.routes()


def test_a_busy_slack_is_asked_again(server: Server, call: Make) -> None:
    server.on(POST, Reply(429, {"ok": False, "error": "ratelimited"}, {"retry-after": "0"}), SENT)
    act(Kind.ANNOUNCE, call({"channel": "#ops", "text": "Flipped."}, TOKEN))
    assert len(server.asked) == 2
