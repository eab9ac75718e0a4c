"""Messages in Slack. Sources: https://docs.slack.dev/reference/methods/ (chat.postMessage, chat.scheduleMessage,
chat.scheduledMessages.list, chat.deleteScheduledMessage)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from runbook.steps.call import Call, StepError
from runbook.steps.vendors import Answer, Vendor

SLACK = Vendor(
    name="Slack",
    key="slack",
    secret="SLACK_BOT_TOKEN",
    needs="the scope chat:write",
    missing="Check the endpoint.",
    status="https://slack-status.com",
)
_LATE = "less than 24 h were left"
_GONE = "invalid_scheduled_message_id"  # sent, or deleted before
_TOKEN = "SLACK_BOT_TOKEN is wrong, expired or revoked: set a new one."
_CHANNEL = "Invite the bot to {channel}, or name another channel."
_UNKNOWN = "Slack's documentation of {method} says what that means: mend it, then run up again."
_REMEDIES = {
    "invalid_auth": _TOKEN,
    "not_authed": _TOKEN,
    "account_inactive": _TOKEN,
    "token_revoked": _TOKEN,
    "token_expired": _TOKEN,
    "missing_scope": "SLACK_BOT_TOKEN may not do this: it needs the scope {needed}.",
    "channel_not_found": _CHANNEL,
    "not_in_channel": _CHANNEL,
    "is_archived": _CHANNEL,
    "time_too_far": "Slack schedules at most 120 days ahead: run up again nearer to the window.",
    "time_in_past": "The time to post at went by just now: run up again.",
}


def remind(call: Call) -> dict[str, Any]:
    """The reminder is scheduled, once; when its time is past and the window is not, it is sent at once and says so.
    With an empty trigger what was scheduled is taken back.

    It looks first, and takes back what is scheduled with the same marker and what it scheduled when it acted last. A
    kill between that and the new schedule leaves none until the next `up`. One that is sent at once may be there
    twice, as an announcement may.
    """
    if not call.trigger:
        return _take_back(call)
    at, until, now = _time(call, "at"), _time(call, "until"), call.reach.now()
    text = call.args["text"]
    text = text if call.args["marker"] in text else f"{text}\n{call.args['marker']}"
    post_at = int(at.timestamp())
    waiting = _waiting(call)
    stays = at > now and call.before.get("to", call.args["channel"]) == call.args["channel"]
    same = [found for found in waiting if stays and (found.post_at, found.text) == (post_at, text)][:1]
    _delete_all(call, [found for found in waiting if found not in same])
    if same:
        return _scheduled(call, same[0].id, same[0].channel, at, already=True)
    if at > now:
        return _schedule(call, text, at, post_at)
    if until <= now:
        return {"nothing": f"the window began at {until.isoformat()}: there is nothing left to remind of"}
    sent = _post(call, f"{text}\n(Sent late: {_LATE}.)")
    return {"sent": sent.text("ts"), "channel": sent.text("channel"), "at": now.isoformat(), "why": _LATE}


def announce(call: Call) -> dict[str, Any]:
    """A message in a channel. The crossing stands in its metadata.

    It neither looks first nor carries a key: after a kill or a lost answer the next `up` sends it again. To look
    would take the right to read the channel's history, which the bot is not given. Of what chat:write alone allows
    nothing helps: chat.update wants the `ts` that was lost, a message that is scheduled some seconds ahead is on no
    list once it is sent, and client_msg_id stands in the errors of chat.postMessage but not among its arguments.
    """
    metadata = {"event_type": "cutover", "event_payload": {"marker": call.trigger}}
    sent = _post(call, call.args["text"], metadata=metadata)
    return {"ts": sent.text("ts"), "channel": sent.text("channel")}


def _take_back(call: Call) -> dict[str, Any]:
    deleted = _delete_all(call, _waiting(call))
    return {"deleted": deleted, "already": not deleted}


def _schedule(call: Call, text: str, at: datetime, post_at: int) -> dict[str, Any]:
    body = {"channel": call.args["channel"], "text": text, "post_at": post_at}
    made = _ask(call, "chat.scheduleMessage", body, retry=False)
    id, channel = made.text("scheduled_message_id"), made.text("channel")
    return _scheduled(call, id, channel, at, already=False)


def _scheduled(call: Call, id: str, channel: str, at: datetime, already: bool) -> dict[str, Any]:
    """`channel` is Slack's id, `to` what the config calls it."""
    return {"scheduled": id, "channel": channel, "to": call.args["channel"], "at": at.isoformat(), "already": already}


@dataclass(frozen=True)
class _Waiting:
    """A scheduled message. `post_at` is Unix time, 0 when not known."""

    id: str
    channel: str
    post_at: int = 0
    text: str = ""


def _waiting(call: Call) -> list[_Waiting]:
    """What is scheduled with our marker, also when a kill made it forgotten, and what this step remembers."""
    found = _marked(call, call.args["marker"]) if "marker" in call.args else []
    id, channel = call.before.get("scheduled"), call.before.get("channel")
    if id and channel and id not in {each.id for each in found}:
        found.append(_Waiting(id, channel))
    return found


def _marked(call: Call, marker: str) -> list[_Waiting]:
    """All channels are listed: the filter takes an id, the config may give a name, and a reminder may have moved to
    another channel."""
    found: list[_Waiting] = []
    cursor = ""
    while True:
        body = {"limit": 100, **({"cursor": cursor} if cursor else {})}
        answer = _ask(call, "chat.scheduledMessages.list", body)
        for number in range(len(answer.objects("scheduled_messages"))):
            place = ("scheduled_messages", number)
            if marker in str(answer.at(*place, "text")):
                id, channel = answer.text(*place, "id"), answer.text(*place, "channel_id")
                found.append(_Waiting(id, channel, answer.number(*place, "post_at"), answer.text(*place, "text")))
        cursor = answer.at("response_metadata", "next_cursor")
        if not cursor:
            return found


def _delete_all(call: Call, messages: list[_Waiting]) -> list[str]:
    """The ids of those that were still there."""
    return [each.id for each in messages if _delete(call, each.channel, each.id)]


def _delete(call: Call, channel: str, id: str) -> bool:
    """Whether there was something to delete."""
    body = {"channel": channel, "scheduled_message_id": id}
    return _ask(call, "chat.deleteScheduledMessage", body, fine=_GONE).at("ok") is True


def _post(call: Call, text: str, **rest: Any) -> Answer:
    return _ask(call, "chat.postMessage", {"channel": call.args["channel"], "text": text, **rest}, retry=False)


def _ask(call: Call, method: str, body: dict[str, Any], retry: bool = True, fine: str = "") -> Answer:
    """Slack answers 200 to nearly everything: `ok` tells, and `error` why not. `fine`: an error that is none."""
    answer = SLACK.ask(call, "POST", f"/{method}", json=body, retry=retry)
    error = answer.at("error")
    if answer.at("ok") is True or (fine and error == fine):
        return answer
    if not isinstance(error, str):
        raise StepError(f"The answer to {answer.asked} says neither ok nor an error. Check the endpoint.")
    needed = answer.at("needed") or "chat:write"
    named = {"channel": call.args.get("channel", "the channel"), "needed": needed, "method": method}
    raise StepError(f"Slack refused {method}: {error}. {_REMEDIES.get(error, _UNKNOWN).format(**named)}")


def _time(call: Call, name: str) -> datetime:
    return datetime.fromisoformat(call.args[name])
