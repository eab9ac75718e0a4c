"""What holds for every vendor: tokens, counts, faults, the clock, and what is not there."""

from __future__ import annotations

import threading
import time

import httpx
import pytest

from runbook.rehearsal.clouds.faults import Answer, Hang, Reset
from runbook.rehearsal.clouds.web import VENDORS, builds_take, catch_up, facts, release, tokens
from runbook.rehearsal.clouds.web.deployments import serving
from tests.clouds.web.world import REF, TEAM, TOKEN, World

PLACES = {
    "cloudflare": ("/cloudflare/zones", 403),
    "vercel": ("/vercel/v6/deployments", 403),
    "supabase": (f"/supabase/v1/projects/{REF}/config/auth", 401),
    "slack": ("/slack/chat.scheduledMessages.list", 200),
    "grafana": ("/grafana/api/annotations", 401),
}
SAID = {
    "cloudflare": '"code": 9109',
    "vercel": '"forbidden"',
    "supabase": "JWT could not be decoded",
    "slack": '"error": "invalid_auth"',
    "grafana": "Invalid API key",
}


@pytest.mark.parametrize("vendor", PLACES)
def test_a_vendor_lets_in_no_other_token_once_it_knows_one(world: World, vendor: str) -> None:
    path, status = PLACES[vendor]
    assert world.ask("GET", path).status_code == 200
    tokens.accept(world.store, vendor, TOKEN)
    assert 'ok": false' not in world.ask("GET", path).text
    answer = world.ask("GET", path, headers={"Authorization": f"Bearer {TOKEN[::-1]}"})
    assert (answer.status_code, SAID[vendor] in answer.text) == (status, True)


@pytest.mark.parametrize(
    ("path", "headers", "status", "text"),
    [
        ("/cloudflare/zones", {}, 400, "9106"),
        ("/cloudflare/zones", {"Authorization": "Bearer short"}, 400, "6003"),
        ("/vercel/v6/deployments", {}, 403, "missing an authentication token"),
        ("/vercel/v6/deployments", {"Authorization": f"Basic {TOKEN}"}, 403, "missing an authentication token"),
        ("/vercel/v6/deployments", {"Authorization": "Bearer short"}, 403, "Not authorized"),
        (PLACES["supabase"][0], {}, 401, "Unauthorized"),
        (PLACES["supabase"][0], {"Authorization": "Bearer short"}, 401, "JWT could not be decoded"),
        ("/slack/chat.scheduledMessages.list", {}, 200, '"error": "not_authed"'),
        ("/slack/chat.scheduledMessages.list", {"Authorization": "Bearer x"}, 200, '"error": "invalid_auth"'),
        ("/grafana/api/annotations", {}, 401, "Unauthorized"),
        ("/loki/loki/api/v1/query_range", {}, 401, "no credentials provided"),
        ("/loki/loki/api/v1/query_range", {"Authorization": f"Bearer {TOKEN}"}, 401, "no credentials provided"),
    ],
)  # fmt: skip
def test_a_missing_or_malformed_token(
    world: World, path: str, headers: dict[str, str], status: int, text: str
) -> None:
    answer = world.client.get(path, headers=headers)
    assert (answer.status_code, text in answer.text) == (status, True)


def test_pagerduty_and_loki_know_their_tokens_by_other_ways(world: World) -> None:
    tokens.accept(world.store, "pagerduty", TOKEN[:32])
    body = {"routing_key": TOKEN[1:33], "event_action": "trigger"}
    assert world.client.post("/pagerduty/v2/enqueue", json=body).json()["errors"] == ["Invalid routing key"]
    tokens.accept(world.store, "loki", "another")
    assert world.refused("GET", "/loki/loki/api/v1/query_range")[0] == 401


def test_grafana_takes_a_name_and_password_too(world: World) -> None:
    tokens.accept(world.store, "grafana", "admin:pw")
    assert world.client.get("/grafana/api/annotations", auth=("admin", "pw")).status_code == 200
    assert world.client.get("/grafana/api/annotations", auth=("admin", "px")).status_code == 401


def test_a_token_is_not_kept_in_clear(world: World) -> None:
    tokens.accept(world.store, "vercel", TOKEN)
    world.get("/vercel/v6/deployments")
    assert TOKEN not in str([(one.id, one.properties) for one in world.store.objects()])


def test_each_request_is_counted_under_its_template_also_one_that_is_refused(world: World) -> None:
    world.project()
    world.get("/vercel/v9/projects/prj_1")
    world.refused("GET", "/vercel/v9/projects/none")
    world.faults.down("vercel")
    world.refused("POST", "/vercel/v10/projects/prj_1/promote/dpl_1")
    world.refused("GET", "/vercel/v0/nothing")
    assert world.store.calls() == {
        ("vercel", "/v9/projects/{id}", "GET"): 2,
        ("vercel", "/v10/projects/{id}/promote/{deployment}", "POST"): 1,
        ("vercel", "/v0/nothing", "GET"): 1,
    }


def test_a_vendor_that_is_down_answers_in_its_own_words_and_the_others_go_on(world: World) -> None:
    world.project()
    world.faults.down("vercel")
    answer = world.ask("GET", "/vercel/v9/projects/prj_1")
    assert (answer.status_code, answer.json()["error"]["message"]) == (503, "vercel: 503 Service Unavailable")
    world.get("/grafana/api/annotations")
    world.faults.up("vercel")
    world.get("/vercel/v9/projects/prj_1")


def test_one_kind_of_call_can_be_made_to_go_wrong_in_every_way(world: World) -> None:
    world.project()
    kind = "/v9/projects/…"
    world.faults.fail("vercel", kind=kind, message="slow down", how=Answer(429, {"Retry-After": "7"}))
    world.faults.fail("vercel", kind=kind, message="x", how=Answer(200, body="<html>proxy</html>"))
    world.faults.fail("vercel", kind=kind, message="x", how=Reset())
    world.get("/vercel/v6/deployments")
    answer = world.ask("GET", "/vercel/v9/projects/prj_1")
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "7")
    assert world.ask("GET", "/vercel/v9/projects/prj_1").text == "<html>proxy</html>"
    with pytest.raises(httpx.ReadError, match="reset"):
        world.ask("GET", "/vercel/v9/projects/prj_1")
    assert world.get("/vercel/v9/projects/prj_1")["id"] == "prj_1"


def test_a_call_can_hang_while_others_are_answered(world: World) -> None:
    world.project()
    world.faults.fail("vercel", method="GET", message="x", how=Hang())
    with pytest.raises(httpx.ReadTimeout):
        world.ask("GET", "/vercel/v9/projects/prj_1", timeout=0.2)
    world.get("/vercel/v9/projects/prj_1")
    world.faults.over.set()


def test_twenty_requests_at_once_are_all_answered_and_each_is_done_once(world: World) -> None:
    answers: list[int] = []

    def ask() -> None:
        body = {"text": "x", "tags": []}
        answers.append(world.post("/grafana/api/annotations", body)["id"])

    threads = [threading.Thread(target=ask) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == list(range(1, 21))


def test_the_clock_is_served(world: World) -> None:
    assert world.client.get("/clock").text == "2026-11-22T20:00:00+00:00"
    world.clock.move(hours=1)
    assert world.client.get("/clock").text == "2026-11-22T21:00:00+00:00"
    assert world.store.calls() == {}


def test_what_is_due_is_done_without_a_request_and_while_the_vendor_is_down(world: World) -> None:
    world.project()
    builds_take(world.store, 90)
    made = release(world.store, "ibimina-staff", "v1", world.clock.now())
    world.faults.down("vercel")
    world.clock.move(seconds=89)
    catch_up(world.store, world.clock.now(), world.faults)
    assert serving(world.store, "prj_1") is None
    world.clock.move(seconds=1)
    catch_up(world.store, world.clock.now(), world.faults)
    build = serving(world.store, "prj_1")
    assert build is not None
    assert build.id == made.id


def test_what_is_not_there_is_told_as_the_vendor_tells_it(world: World) -> None:
    assert world.ask("GET", "/cloudflare/user").json()["errors"][0]["code"] == 7000
    assert world.ask("DELETE", "/vercel/v9/projects/prj_1").json()["error"]["code"] == "not_found"
    answer = world.client.get("/github/user")
    assert (answer.status_code, "cloudflare, vercel" in answer.text) == (404, True)


@pytest.mark.parametrize("body", [b"", b"[1]", b"not json"])
def test_a_body_that_is_no_json_object(world: World, body: bytes) -> None:
    world.project()
    for vendor, path in (("vercel", "/vercel/v13/deployments"), ("grafana", "/grafana/api/annotations")):
        headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
        answer = world.client.post(path, content=body, headers=headers, params=TEAM)
        assert (vendor, answer.status_code) == (vendor, 400)
    assert "invalid_json" in world.client.post("/slack/chat.postMessage", content=body, headers=headers).text


def test_after_close_nothing_answers_and_closing_takes_no_time(world: World) -> None:
    started = time.monotonic()
    world.web.close()
    assert time.monotonic() - started < 0.5
    with pytest.raises(httpx.ConnectError):
        world.client.get("/clock")
    world.web = type(world.web)(world.store, world.faults, world.clock, VENDORS)


def test_facts_are_counted_by_vendor_and_each_has_a_source() -> None:
    counted = facts()
    assert list(counted) == ["cloudflare", "vercel", "supabase", "slack", "pagerduty", "grafana", "loki"]
    for vendor in VENDORS:
        many, unverified = counted[vendor.name]
        assert many == len(vendor.facts) >= len(vendor.routes) + 2
        assert 0 < unverified < many
        assert all(fact.source for fact in vendor.facts)
        assert {vendor.no_route, vendor.malformed, *vendor.routes} <= {*vendor.facts}
