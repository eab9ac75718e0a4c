"""Every acting step against a server that misbehaves: it ends in time, with a sentence, and does nothing twice."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from runbook.model.cutover.step import Kind
from runbook.steps.call import Call, StepError
from runbook.steps.kinds import act
from runbook.steps.reach import Reach
from tests.steps.cases import CASES, Case, name
from tests.steps.conftest import NOW
from tests.steps.misbehaving import HANG, RESET, Reply, Server

Make = Callable[..., Call]
each = pytest.mark.parametrize("case", CASES, ids=name)
BROKEN = Reply(503, {"message": "down"})
SHAPES: list[Any] = [None, [], {}, "text", 5, [[]], [{}], {"id": 5}, {"targets": []}, {"deployments": [{}]}]
LIMIT = 0.15  # seconds
# Answers whose body says nothing, and is not read.
SILENT = {
    "POST /v2/enqueue",
    *(case.acts for case in CASES if case.kind in (Kind.PROMOTE, Kind.ROLL_BACK, Kind.REASSIGN)),
}


@pytest.fixture(autouse=True)
def _now(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock that costs no request: here are thousands."""
    monkeypatch.setattr(Reach, "now", lambda _reach: datetime.fromisoformat(NOW))


def sentence(case: Case, call: Call) -> str:
    """What the person on call reads. It is never the sentence for what nobody thought of."""
    started = time.monotonic()
    with pytest.raises(StepError) as error:
        act(case.kind, call)
    assert time.monotonic() - started < 1.2
    text = str(error.value)
    assert "fault of the step" not in text
    assert "cut off" not in text
    assert text.endswith(".")
    assert len(text) < 400  # five lines of a terminal
    assert case.token[1] not in text
    return text


def fails_then_works(case: Case, server: Server, *replies: Reply) -> None:
    case.set_up(server)
    server.on(case.acts, *replies, *server.replies[case.acts])


@each
def test_it_works(case: Case, server: Server, call: Make) -> None:
    case.set_up(server)
    evidence = act(case.kind, call(**case.given()))
    assert isinstance(evidence, dict)
    assert len(server.all(case.acts)) == 1
    for asked in server.asked:
        if case.vendor != "pagerduty":
            assert asked.headers["authorization"] == f"Bearer {case.token[1]}"


@each
@pytest.mark.parametrize("reply", [BROKEN, RESET], ids=["503", "reset"])
def test_once_broken(case: Case, reply: Reply, server: Server, call: Make) -> None:
    fails_then_works(case, server, reply)
    if case.again:
        act(case.kind, call(**case.given()))
        assert len(server.all(case.acts)) == 2
    else:
        sentence(case, call(**case.given()))
        assert len(server.all(case.acts)) == 1


@each
def test_rate_limit(case: Case, server: Server, call: Make) -> None:
    fails_then_works(case, server, Reply(429, {"message": "slow down"}, {"retry-after": "0"}))
    act(case.kind, call(**case.given()))
    assert len(server.all(case.acts)) == 2


@each
def test_rate_limit_beyond_the_deadline(case: Case, server: Server, call: Make) -> None:
    fails_then_works(case, server, Reply(429, {"message": "slow down"}, {"retry-after": "60"}))
    text = sentence(case, call(**case.given()))
    assert "slow down. It asks to wait 60 s: run up again after " in text
    assert len(server.all(case.acts)) == 1


@each
@pytest.mark.parametrize("reply", [BROKEN, HANG], ids=["503", "hang"])
def test_broken_for_ever(case: Case, reply: Reply, server: Server, call: Make) -> None:
    case.set_up(server)
    server.on(case.acts, reply)
    text = sentence(case, call(**case.given(), seconds=LIMIT))
    assert case.acts.partition(" ")[2] in text
    if not case.again:
        assert len(server.all(case.acts)) == 1


@each
@pytest.mark.parametrize("status", [401, 403, 404])
def test_refused(case: Case, status: int, server: Server, call: Make) -> None:
    case.set_up(server)
    server.on(case.acts, Reply(status, {"error": {"message": "no"}}))
    text = sentence(case, call(**case.given()))
    assert f"answered {status} to {case.acts}: no. " in text
    if status in (401, 403):
        assert f"{case.token[0]} is wrong" in text
    assert len(server.all(case.acts)) == 1


def told(case: Case, call: Call) -> str:
    """The sentence, or "" when the step came through."""
    try:
        act(case.kind, call)
    except StepError as error:
        return str(error)
    return ""


@each
def test_no_json_anywhere(case: Case, server: Server, call: Make) -> None:
    for route, replies in case.routes.items():
        case.set_up(server)
        last = replies[-1]
        status = last.status if isinstance(last, Reply) else 200
        server.on(route, Reply(status, b"<html>Welcome</html>", {"content-type": "text/html"}))
        assert told(case, call(**case.given(), seconds=LIMIT)) in (
            f"The answer to {route} of {case.vendor_name} is not JSON ({status}, text/html): something else than the"
            " vendor may answer there. Check the endpoint and the proxy.",
            *([""] if route in SILENT else []),
        )


@each
def test_json_of_another_shape_anywhere(case: Case, server: Server, call: Make) -> None:
    for route, replies in case.routes.items():
        last = replies[-1]
        for shape in SHAPES:
            case.set_up(server)
            server.on(route, Reply(last.status if isinstance(last, Reply) else 200, shape))
            assert "fault of the step" not in told(case, call(**case.given(), seconds=0.06)), (route, shape)


@each
@pytest.mark.parametrize("token", ["", "two words", "line\nbreak", "é", "a\x00b"], ids=repr)
def test_a_token_that_is_none_is_never_sent(case: Case, token: str, server: Server, call: Make) -> None:
    case.set_up(server)
    given = case.given()
    text = sentence(case, call(**{**given, "secrets": given["secrets"] | {case.token[0]: token}}))
    assert text in {
        f"{case.token[0]} is not set: {case.vendor_name} is asked nothing without it. Set it, then run up again.",
        f"{case.token[0]} has a blank or another character that no token has: set it again.",
    }
    assert server.asked == []


@each
def test_no_secret_comes_back(case: Case, server: Server, call: Make) -> None:
    """The server repeats all it was sent, as the error of each request in turn and as every text of its answers."""
    secrets = case.given()["secrets"]
    for route in case.routes:
        case.set_up(server)
        server.on(route, Reply(400, echo=True))
        with pytest.raises(StepError) as error:
            act(case.kind, call(**case.given()))
        for secret in secrets.values():
            assert secret not in str(error.value)
    for secret in secrets.values():
        case.set_up(server)
        for route, replies in case.routes.items():
            server.on(route, *(_saying(secret, reply) for reply in replies))
        assert secret not in all_told(case, call(**case.given(), seconds=LIMIT))


def all_told(case: Case, call: Call) -> str:
    try:
        return repr(act(case.kind, call))
    except StepError as error:
        return str(error)


def _saying(secret: str, reply: Any) -> Any:
    """The same answer with the secret added to every text in it."""
    if isinstance(reply, Reply):
        body = reply.body if isinstance(reply.body, bytes) else _saying(secret, reply.body)
        return Reply(reply.status, body, reply.headers)
    if isinstance(reply, dict):
        return {key: _saying(secret, value) for key, value in reply.items()}
    if isinstance(reply, list):
        return [_saying(secret, value) for value in reply]
    return f"{reply}{secret}" if isinstance(reply, str) else reply
