"""Cloudflare's zones, records, rulesets and purges."""

from __future__ import annotations

from typing import Any

import pytest

from runbook.rehearsal.clouds.cloudflare import RECORD
from tests.clouds.web.world import World


@pytest.fixture
def zone(world: World) -> str:
    return f"/cloudflare/zones/{world.zone()}"


@pytest.fixture
def record(zone: str) -> str:
    return f"{zone}/dns_records/{'r' * 32}"


def test_a_zone_is_found_by_its_name(world: World, zone: str) -> None:
    found = world.get("/cloudflare/zones", params={"name": "ibimina.rw"})
    assert [one["id"] for one in found["result"]] == [zone.rpartition("/")[2]]
    assert found["result_info"]["total_count"] == 1
    assert world.get("/cloudflare/zones", params={"name": "other.rw"})["result"] == []


def test_records_are_listed_by_name_type_and_content_in_pages(world: World, zone: str, record: str) -> None:
    listed = world.get(f"{zone}/dns_records", params={"name": "staff.ibimina.rw", "type": "CNAME"})
    assert [one["content"] for one in listed["result"]] == ["a.example"]
    assert listed["result"][0]["zone_name"] == "ibimina.rw"
    assert world.get(f"{zone}/dns_records", params={"content.exact": "b.example"})["result"] == []
    assert world.get(f"{zone}/dns_records", params={"page": "2", "per_page": "1"})["result"] == []
    assert world.get(record)["result"] == listed["result"][0]


def test_patch_changes_what_is_given_and_put_replaces_the_rest(world: World, record: str) -> None:
    world.clock.move(hours=1)
    changed = world.ask("PATCH", record, json={"ttl": 60, "content": "B.example."}).json()["result"]
    assert (changed["ttl"], changed["content"], changed["comment"]) == (60, "b.example", "kept")
    assert changed["created_on"] == "2026-01-01T00:00:00.000000Z"
    assert changed["modified_on"] == "2026-11-22T21:00:00.000000Z"
    body = {"name": "staff", "type": "CNAME", "content": "c.example", "ttl": 1, "proxied": True}
    replaced = world.ask("PUT", record, json=body).json()["result"]
    assert (replaced["name"], replaced["ttl"], replaced["proxied"]) == ("staff.ibimina.rw", 1, True)
    assert "comment" not in replaced
    held = world.store.get("cloudflare", RECORD, "r" * 32)
    assert held is not None
    assert held.properties["content"] == "c.example"


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        ({"ttl": 30}, 9021, "TTL must be between 60 and 86400 seconds, or 1 for Automatic."),
        ({"ttl": 5, "proxied": True}, 9000, "ttl must be set to 1 when proxied is true"),
        ({"content": "not a name"}, 9007, "Content for CNAME record is invalid."),
        ({"type": "A"}, 9208, "The type of a DNS record cannot be changed."),
        ({"settings": {}}, 9000, "settings is no property of a DNS record that the stand-in changes."),
    ],
)
def test_a_change_that_the_engines_table_refuses_is_refused_here_too(
    world: World, record: str, body: dict[str, Any], code: int, message: str
) -> None:
    before = world.get(record)
    answer = world.ask("PATCH", record, json=body)
    assert answer.status_code == 400
    assert answer.json()["success"] is False
    assert answer.json()["errors"][0]["code"] == code
    assert answer.json()["errors"][0]["message"].startswith(message)
    assert world.get(record) == before


def test_what_is_not_there_is_not_found(world: World, zone: str, record: str) -> None:
    assert world.refused("PUT", record, json={"name": "staff", "type": "CNAME"})[0] == 400
    assert "81044" in world.refused("GET", f"{zone}/dns_records/none")[1]
    assert "7003" in world.refused("GET", "/cloudflare/zones/none/dns_records")[1]
    assert world.refused("GET", f"{zone}/rulesets/none")[0] == 404


def test_rulesets_are_shown_as_the_api_has_them(world: World, zone: str) -> None:
    (listed,) = world.get(f"{zone}/rulesets")["result"]
    assert "rules" not in listed
    whole = world.get(f"{zone}/rulesets/{listed['id']}")["result"]
    assert whole["rules"][0]["action_parameters"] == {"edge_ttl": {"default": 60}}
    assert world.get(f"{zone}/rulesets/phases/{listed['phase']}/entrypoint")["result"] == whole
    assert world.refused("GET", f"{zone}/rulesets/phases/http_request_redirect/entrypoint")[0] == 404


def test_the_sixth_purge_of_a_minute_is_refused_and_says_when_to_come_back(world: World, zone: str) -> None:
    for _ in range(5):
        assert world.post(f"{zone}/purge_cache", {"hosts": ["staff.ibimina.rw"]})["success"] is True
        world.clock.move(seconds=5)
    answer = world.ask("POST", f"{zone}/purge_cache", json={"hosts": ["staff.ibimina.rw"]})
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "36")
    world.clock.move(seconds=36)
    world.post(f"{zone}/purge_cache", {"purge_everything": True})
    kept = world.store.find("cloudflare", "purge")
    assert [one.properties.get("hosts") for one in kept] == [["staff.ibimina.rw"]] * 5 + [None]


@pytest.mark.parametrize(
    "body",
    [{}, {"hosts": []}, {"hosts": ["staff.ibimina.rw"], "tags": ["a"]}, {"hosts": ["staff.other.rw"]}, {"host": "a"},
     {"hosts": ["staff.ibimina.rw"] * 101}],
)  # fmt: skip
def test_a_purge_that_is_refused_does_not_count(world: World, zone: str, body: dict[str, Any]) -> None:
    assert world.refused("POST", f"{zone}/purge_cache", json=body)[0] == 400
    assert world.store.find("cloudflare", "purge") == []
