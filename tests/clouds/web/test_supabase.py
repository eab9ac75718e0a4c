"""Supabase's management API over the auth state of a project."""

from __future__ import annotations

import json
from typing import Any

import pytest

from runbook.rehearsal.clouds.cloudflare import RECORD
from runbook.rehearsal.clouds.store import Held
from runbook.rehearsal.clouds.web import auth_state
from tests.clouds.web.world import REF, World

BASE = f"/supabase/v1/projects/{REF}"
END = """
WITH ended AS (DELETE FROM auth.sessions RETURNING 1),
loose AS (DELETE FROM auth.refresh_tokens WHERE session_id IS NULL RETURNING 1)
SELECT (SELECT count(*) FROM ended) AS sessions, (SELECT count(*) FROM loose) AS refresh_tokens;
"""


def loose_token(world: World, ref: str = REF) -> None:
    world.store.put(Held("supabase", auth_state.REFRESH_TOKEN, f"old-{ref}", {"ref": ref}))


def sql(world: World, query: str) -> Any:
    answer = world.ask("POST", f"{BASE}/database/query", json={"query": query})
    assert answer.status_code == 201
    return answer.json()


def challenge(world: World, host: str) -> None:
    record = {"zoneId": "z", "name": f"_acme-challenge.{host}", "type": "TXT", "content": '"x"', "ttl": 300}
    world.store.put(Held("cloudflare", RECORD, host, record))


def test_auth_settings_are_changed_one_by_one(world: World) -> None:
    assert world.get(f"{BASE}/config/auth")["jwt_exp"] == 3600
    body = {"site_url": "https://app.ibimina.rw", "uri_allow_list": "https://a.rw,https://b.rw"}
    answer = world.ask("PATCH", f"{BASE}/config/auth", json=body)
    assert (answer.status_code, answer.json()["site_url"]) == (200, "https://app.ibimina.rw")
    world.ask("PATCH", f"{BASE}/config/auth", json={"jwt_exp": 600})
    assert world.get(f"{BASE}/config/auth") == body | {
        "jwt_exp": 600, "disable_signup": False, "refresh_token_rotation_enabled": True,
    }  # fmt: skip
    assert auth_state.settings_of(world.store, REF)["jwt_exp"] == 600


@pytest.mark.parametrize(
    "body",
    [{"siteUrl": "x"}, {"site_url": "https://a,https://b"}, {"uri_allow_list": ["https://a"]}, {"jwt_exp": 604_801},
     {"jwt_exp": True}, {"jwt_exp": "3600"}],
)  # fmt: skip
def test_auth_settings_that_are_refused(world: World, body: dict[str, Any]) -> None:
    before = world.get(f"{BASE}/config/auth")
    status, text = world.refused("PATCH", f"{BASE}/config/auth", json=body)
    assert (status, next(iter(body)) in text) == (400, True)
    assert world.get(f"{BASE}/config/auth") == before


def test_the_sessions_of_one_project_end_with_their_refresh_tokens_and_are_counted(world: World) -> None:
    for email in ("a@ibimina.rw", "b@ibimina.rw", "b@ibimina.rw"):
        auth_state.sign_in(world.store, REF, email, world.clock.now())
    other = auth_state.sign_in(world.store, "x" * 20, "a@ibimina.rw", world.clock.now())
    loose_token(world)
    loose_token(world, "x" * 20)
    assert sql(world, "SELECT count(*) AS n FROM auth.refresh_tokens") == [{"n": 4}]
    assert sql(world, END) == [{"sessions": 3, "refresh_tokens": 1}]
    assert sql(world, END) == [{"sessions": 0, "refresh_tokens": 0}]
    assert sql(world, "select count(*) from auth.users;") == [{"count": 2}]
    assert [one.id for one in world.store.find("supabase", auth_state.SESSION)] == [other.id]
    assert len(world.store.find("supabase", auth_state.REFRESH_TOKEN)) == 2


def test_a_single_delete_gives_no_rows(world: World) -> None:
    auth_state.sign_in(world.store, REF, "a@ibimina.rw", world.clock.now())
    loose_token(world)
    assert sql(world, "DELETE FROM auth.refresh_tokens WHERE session_id IS NULL") == []
    assert len(world.store.find("supabase", auth_state.REFRESH_TOKEN)) == 1
    assert sql(world, "DELETE FROM auth.sessions") == []
    assert world.store.find("supabase", auth_state.REFRESH_TOKEN) == []


@pytest.mark.parametrize(
    "query",
    [
        "", "DROP TABLE auth.sessions", "SELECT count(*) FROM public.members", "DELETE FROM auth.users",
        END.replace("auth.sessions", "auth.users"), END.replace("FROM ended", "FROM other"),
        END.replace("SELECT (SELECT count(*) FROM ended) AS sessions,", "SELECT 1,"), END.partition("SELECT")[0],
    ],
)  # fmt: skip
def test_other_sql_is_refused_and_nothing_of_it_is_done(world: World, query: str) -> None:
    auth_state.sign_in(world.store, REF, "a@ibimina.rw", world.clock.now())
    status, text = world.refused("POST", f"{BASE}/database/query", json={"query": query})
    assert (status, "Failed to run sql query" in text) == (400, True)
    assert len(world.store.find("supabase", auth_state.SESSION)) == 1


def test_a_custom_host_name_is_set_up_verified_and_activated(world: World) -> None:
    hostname = f"{BASE}/custom-hostname"
    assert world.get(hostname)["status"] == "1_not_started"
    assert world.refused("POST", f"{hostname}/activate")[0] == 400
    made = world.ask("POST", f"{hostname}/initialize", json={"custom_hostname": "auth.ibimina.rw"})
    assert (made.status_code, made.json()["status"]) == (201, "2_initiated")
    assert world.post(f"{hostname}/reverify")["status"] == "2_initiated"
    assert "not verified yet" in world.refused("POST", f"{hostname}/activate")[1]
    challenge(world, "auth.ibimina.rw")
    assert world.post(f"{hostname}/reverify")["status"] == "4_origin_setup_completed"
    assert world.post(f"{hostname}/activate")["status"] == "5_services_reconfigured"
    for again in ("reverify", "activate"):
        assert world.post(f"{hostname}/{again}")["status"] == "5_services_reconfigured"
    shown = world.get(hostname)
    assert shown["custom_hostname"] == "auth.ibimina.rw"
    assert shown["data"]["result"]["custom_origin_server"] == f"{REF}.supabase.co"


def test_an_active_host_name_is_not_replaced_by_another(world: World) -> None:
    hostname = f"{BASE}/custom-hostname"
    challenge(world, "auth.ibimina.rw")
    for body, path in (({"custom_hostname": "auth.ibimina.rw"}, "initialize"), ({}, "reverify"), ({}, "activate")):
        world.post(f"{hostname}/{path}", body)
    again = world.post(f"{hostname}/initialize", {"custom_hostname": "auth.ibimina.rw"})
    assert again["status"] == "5_services_reconfigured"
    status, text = world.refused("POST", f"{hostname}/initialize", json={"custom_hostname": "login.ibimina.rw"})
    assert (status, "already answers as auth.ibimina.rw" in text) == (400, True)
    assert world.refused("POST", f"{hostname}/initialize", json={"custom_hostname": "https://a.b.rw"})[0] == 400


def test_a_function_gets_one_more_version_each_time_it_is_deployed(world: World) -> None:
    def deploy(content: bytes, metadata: dict[str, Any], slug: str = "metrics-exporter") -> Any:
        files = [("file", ("index.ts", content)), ("file", ("lib/a.ts", b"export {}"))]
        data = {"metadata": json.dumps(metadata)}
        path = f"{BASE}/functions/deploy"
        return world.ask("POST", path, params={"slug": slug}, data=data, files=files)

    first = deploy(b"one", {"name": "metrics-exporter", "entrypoint_path": "index.ts", "verify_jwt": False})
    assert (first.status_code, first.json()["version"], first.json()["verify_jwt"]) == (201, 1, False)
    second = deploy(b"two", {"entrypoint_path": "index.ts"}).json()
    assert (second["version"], second["id"], second["status"]) == (2, first.json()["id"], "ACTIVE")
    assert world.get(f"{BASE}/functions") == [second] == [world.get(f"{BASE}/functions/metrics-exporter")]
    digests = {one.properties["sha256"] for one in world.store.find("supabase", auth_state.FUNCTION)}
    assert len(digests) == 1
    assert deploy(b"x", {"entrypoint_path": "main.ts"}).status_code == 400
    assert deploy(b"x", {}).status_code == 400
    assert deploy(b"x", {"entrypoint_path": "index.ts"}, slug="9").status_code == 400
    assert world.refused("GET", f"{BASE}/functions/other")[0] == 404
    assert world.get(f"{BASE}/functions") == [second]


def test_only_the_projects_that_were_added_exist(world: World) -> None:
    assert world.refused("GET", "/supabase/v1/projects/Short/config/auth")[0] == 400
    world.get(f"{BASE}/config/auth")
    auth_state.add_project(world.store, "x" * 20, site_url="https://app.ibimina.rw")
    assert world.refused("GET", f"{BASE}/config/auth")[0] == 404
    assert world.get(f"/supabase/v1/projects/{'x' * 20}/config/auth")["site_url"] == "https://app.ibimina.rw"
