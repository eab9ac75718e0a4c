"""The gates about drains."""

from __future__ import annotations

import base64
import json
import re
import threading
import time
from typing import Any
from urllib.parse import parse_qs

import pytest

from runbook.model.cutover.step import Kind
from runbook.steps import drains
from runbook.steps.call import StepError
from runbook.steps.gates import GATES
from tests.steps.gates.conftest import CLOSED, NEW, VENDORS, ZONE, Net
from tests.steps.gates.hosts_server import Asked, Reply

DRAIN, APP = f"logs.{ZONE}", f"app.{ZONE}"
URL = f"https://{DRAIN}/drain?token=abc"
RANGE = "/loki/loki/api/v1/query_range"
EVENT = {
    "url": f"https://{APP}/api/health?cutover-event=1-flip",
    "loki_user": "100002",
    "query": '{app="shop"}',
    "marker": "cutover-1-flip",
}


@pytest.fixture
def loki(net: Net) -> list[str]:
    """The lines that Loki holds; a request to the app with the event adds one."""
    lines: list[str] = ["an old line"]

    def health(asked: Asked) -> Reply:
        assert asked.query == "cutover-event=1-flip"
        lines.append("GET /api/health cutover-1-flip")
        return Reply()

    net.hosts.certify(APP)
    net.record(APP, "A", 60, NEW)
    net.hosts.replies[APP, "/api/health"] = health
    net.vendors.replies[VENDORS, RANGE] = lambda _: _found(lines)
    return lines


def _found(lines: list[str]) -> Reply:
    values = [["1700000000000000000", line] for line in lines]
    return Reply(200, json.dumps({"status": "success", "data": {"result": [{"stream": {}, "values": values}]}}))


def _event(net: Net, seconds: float = 10) -> dict[str, Any]:
    return GATES[Kind.EVENT_ARRIVES](net.call(EVENT, secrets={"LOKI_TOKEN": "glc_1"}, seconds=seconds))


def _refused(gate: Any, *args: Any) -> str:
    with pytest.raises(StepError) as error:
        gate(*args)
    return str(error.value)


def _drain(net: Net, url: str = URL) -> dict[str, Any]:
    return GATES[Kind.DRAIN_ANSWERS](net.call({"url": url}))


@pytest.mark.parametrize("status", [200, 204, 302, 401, 405, 429])
def test_a_drain_answers(net: Net, status: int) -> None:
    net.hosts.certify(DRAIN)
    net.record(DRAIN, "A", 60, NEW)
    net.hosts.replies[DRAIN, "/drain"] = Reply(status, "")
    assert _drain(net) == {"status": status}
    assert net.hosts.asked[0].query == "token=abc"


def test_a_drain_that_is_broken_or_gone_does_not_tell_its_token(net: Net) -> None:
    net.hosts.certify(DRAIN)
    net.record(DRAIN, "A", 60, NEW)
    net.hosts.replies[DRAIN, "/drain"] = Reply(500, "")
    assert _refused(_drain, net) == (
        f"{DRAIN} at {NEW} answered 500 to GET the drain; expected less than 500. Look at that host and run up again."
    )
    net.record(DRAIN, "A", 60, CLOSED)
    assert _refused(_drain, net) == (
        f"{DRAIN} at {CLOSED}:{net.reach.https_port} refused the connection: nothing listens there."
        " Look at that host and run up again."
    )


def test_a_drain_may_be_plain_http_on_a_port_of_its_own(net: Net) -> None:
    net.vendors.replies[VENDORS, "/push"] = Reply(405, "")
    assert _drain(net, f"{net.reach.apis['loki'].removesuffix('/loki')}/push") == {"status": 405}
    net.resolver.records["drain.elsewhere.example", "A"] = (60, [VENDORS])
    port = net.reach.apis["loki"].split(":")[2].removesuffix("/loki")
    net.vendors.replies["drain.elsewhere.example", "/push"] = Reply(204, "")
    assert _drain(net, f"http://drain.elsewhere.example:{port}/push") == {"status": 204}


def test_plain_http_has_its_own_usual_port(net: Net) -> None:
    assert _refused(_drain, net, f"http://{CLOSED}/push") == (
        f"{CLOSED}:80 refused the connection: nothing listens there. Look at that host and run up again."
    )


def test_an_event_arrives(net: Net, loki: list[str]) -> None:
    net.resolver.records[APP, "A"] = (3600, [CLOSED])  # what a resolver may still hold
    seen = _event(net)
    assert seen["lines"] == 1
    assert 0 <= seen["seconds"] < 5
    asked = net.vendors.asked[0]
    assert asked.headers["authorization"] == f"Basic {base64.b64encode(b'100002:glc_1').decode()}"
    query = parse_qs(asked.query)
    assert query["query"] == ['{app="shop"} |= "cutover-1-flip"']
    # A stack that is made anew counts from 1 again: its marker may stand in older lines.
    began, ends = (int(query[name][0]) / 1e9 - time.time() for name in ("start", "end"))
    assert -65 < began < -55
    assert 290 < ends < 305


def test_an_event_may_take_a_moment(net: Net, loki: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drains, "PAUSE", 0.05)
    late: list[str] = []
    net.vendors.replies[VENDORS, RANGE] = lambda _: _found(late)
    threading.Timer(0.3, late.append, ("… cutover-1-flip",)).start()
    assert _event(net)["lines"] == 1
    assert net.vendors.count(RANGE) > 1


def test_an_event_that_never_arrives(net: Net, loki: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drains, "PAUSE", 0.05)
    monkeypatch.setattr(drains, "_LAST", 4.7)
    net.vendors.replies[VENDORS, RANGE] = lambda _: _found(["an old line"])
    assert re.fullmatch(
        rf"No line with cutover-1-flip reached Loki within \d s of a request to {APP}: look at the log drain of that"
        r" project and at Loki's ingestion, and run up again\.",
        _refused(_event, net, 5),
    )
    assert net.vendors.count(RANGE) > 1


def test_an_app_that_does_not_take_the_event(net: Net, loki: list[str]) -> None:
    net.hosts.replies[APP, "/api/health"] = Reply(503)
    assert _refused(_event, net) == (
        f"{APP} at {NEW} answered 503 to GET /api/health; expected 200. Look at that host and run up again."
    )
    assert net.vendors.asked == []


def test_loki_refuses_the_token(net: Net, loki: list[str]) -> None:
    net.vendors.replies[VENDORS, RANGE] = Reply(401, json.dumps({"message": "authentication error"}))
    assert _refused(_event, net) == (
        "Loki answered 401 to GET /loki/loki/api/v1/query_range: authentication error."
        " Check the secret LOKI_TOKEN and the user of it."
    )


@pytest.mark.parametrize("body", ["<html>", "{}", '{"data": {"result": [{"values": [["1"]]}]}}', "[]"])
def test_loki_answers_nonsense(net: Net, loki: list[str], body: str) -> None:
    net.vendors.replies[VENDORS, RANGE] = Reply(200, body)
    assert _refused(_event, net) == (
        "Loki answered GET /loki/api/v1/query_range with what is not a list of lines. Check its URL in the config,"
        " then run up again."
    )
