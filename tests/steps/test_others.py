"""Purge, page and annotation: what is sent, what is kept, and that a second act does nothing twice."""

from __future__ import annotations

import base64
from collections.abc import Callable

import pytest

from runbook.model.cutover.step import Kind
from runbook.steps.call import Call, StepError
from runbook.steps.kinds import act
from tests.steps.cases import ZONE
from tests.steps.misbehaving import Reply, Server

Make = Callable[..., Call]
PURGE = f"POST /zones/{ZONE}/purge_cache"
ENQUEUE = "POST /v2/enqueue"
FIND, MARK = "GET /api/annotations", "POST /api/annotations"
KEY = {"PAGERDUTY_ROUTING_KEY": "0123456789abcdef0123456789abcdef"}
PAGE = {
    "summary": "Rolled back",
    "source": "ibimina-prod",
    "severity": "critical",
    "dedup_key": "ibimina-prod-2-back",
    "custom_details": {"phase": "back"},
}
NOTE = {"text": "Flip", "tags": ["cutover", "ibimina-prod"]}
AUTH = {"GRAFANA_AUTH": "glsa_0123456789"}


def failing(kind: Kind, call: Call) -> str:
    with pytest.raises(StepError) as error:
        act(kind, call)
    return str(error.value)


def test_a_purge(server: Server, call: Make) -> None:
    server.on(PURGE, {"success": True, "errors": [], "result": {"id": ZONE}})
    args = {"zone_id": ZONE, "hosts": ["staff.example", "app.example"]}
    evidence = act(Kind.PURGE, call(args, {"CLOUDFLARE_API_TOKEN": "cf-token"}))
    assert evidence == {"hosts": ["staff.example", "app.example"], "id": ZONE}
    assert server.only(PURGE).json == {"hosts": ["staff.example", "app.example"]}
    server.on(PURGE, Reply(403, {"success": False, "errors": [{"code": 9109, "message": "Invalid access token"}]}))
    assert failing(Kind.PURGE, call(args, {"CLOUDFLARE_API_TOKEN": "cf-token"})) == (
        f"Cloudflare answered 403 to {PURGE}: Invalid access token. CLOUDFLARE_API_TOKEN is wrong or may not do this:"
        " it needs the permission Cache Purge of the zone."
    )


def test_a_purge_of_no_host(server: Server, call: Make) -> None:
    args: dict[str, object] = {"zone_id": ZONE, "hosts": []}
    assert act(Kind.PURGE, call(args, {"CLOUDFLARE_API_TOKEN": "cf-token"})) == {"hosts": [], "already": True}
    assert not server.all(PURGE)


def test_a_page(server: Server, call: Make) -> None:
    """Twice is one incident: both carry the same key."""
    server.on(ENQUEUE, Reply(202, {"status": "success", "dedup_key": "ibimina-prod-2-back"}))
    for _ in range(2):
        assert act(Kind.PAGE, call(PAGE, KEY)) == {"dedup_key": "ibimina-prod-2-back", "status": 202}
    payload = {
        "summary": "Rolled back",
        "source": "ibimina-prod",
        "severity": "critical",
        "custom_details": {"phase": "back"},
    }
    for asked in server.all(ENQUEUE):
        assert asked.json == {
            "routing_key": "0123456789abcdef0123456789abcdef",
            "event_action": "trigger",
            "dedup_key": "ibimina-prod-2-back",
            "payload": payload,
        }
        assert "authorization" not in asked.headers


def test_a_summary_that_is_too_long_wakes_somebody_all_the_same(server: Server, call: Make) -> None:
    server.on(ENQUEUE, Reply(202, {}))
    act(Kind.PAGE, call({**PAGE, "summary": "x" * 2000}, KEY))
    assert server.only(ENQUEUE).json["payload"]["summary"] == "x" * 1024


def test_a_200_in_place_of_an_event_that_was_taken_pages_nobody(server: Server, call: Make) -> None:
    server.on(ENQUEUE, {"welcome": "to the proxy"})
    assert failing(Kind.PAGE, call(PAGE, KEY)) == (
        "PagerDuty answered 200 to POST /v2/enqueue. Check the endpoint and the proxy."
    )


def test_a_page_that_is_refused(server: Server, call: Make) -> None:
    said = {"status": "invalid event", "message": "Event object is invalid", "errors": ["Invalid routing key"]}
    server.on(ENQUEUE, Reply(400, said))
    assert failing(Kind.PAGE, call(PAGE, KEY)) == (
        "PagerDuty answered 400 to POST /v2/enqueue: Event object is invalid: Invalid routing key. Check"
        " PAGERDUTY_ROUTING_KEY and the severity, and page by hand."
    )


def test_an_annotation(server: Server, call: Make) -> None:
    server.on(FIND, [])
    server.on(MARK, {"message": "Annotation added", "id": 7})
    assert act(Kind.ANNOTATE, call(NOTE, AUTH)) == {"id": 7, "already": False}
    tags = ["cutover", "ibimina-prod", "1-flip"]
    assert server.only(FIND).query == {"tags": tags, "type": ["annotation"]}
    assert server.only(MARK).json == {"text": "Flip", "tags": tags, "time": 1772395200000}  # the clock's now
    server.on(FIND, [{"id": 7, "tags": tags}])
    assert act(Kind.ANNOTATE, call(NOTE, AUTH)) == {"id": 7, "already": True}
    assert len(server.all(MARK)) == 1


def test_grafana_takes_a_user_and_a_password_too(server: Server, call: Make) -> None:
    server.on(FIND, [{"id": 7}])
    act(Kind.ANNOTATE, call(NOTE, {"GRAFANA_AUTH": "admin:pass-word"}))
    expected = base64.b64encode(b"admin:pass-word").decode()
    assert server.only(FIND).headers["authorization"] == f"Basic {expected}"
    server.on(FIND, Reply(401, {"message": f"no user with {expected} or pass-word"}))
    assert failing(Kind.ANNOTATE, call(NOTE, {"GRAFANA_AUTH": "admin:pass-word"})) == (
        "Grafana answered 401 to GET /api/annotations: no user with (hidden) or (hidden). GRAFANA_AUTH is wrong,"
        " expired or revoked: set a new one."
    )
