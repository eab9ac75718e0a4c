"""Hosts serve what the store says: the build that has the domain, the project behind the host, each over TLS."""

from __future__ import annotations

import hashlib
import time

import httpx
import pytest

from runbook.rehearsal.clouds.faults import Answer, Hang, Knob, Reset
from runbook.rehearsal.clouds.store import Held
from runbook.rehearsal.clouds.vercel import DOMAIN, LOG_DRAIN
from runbook.rehearsal.clouds.web import loki
from runbook.rehearsal.clouds.web.deployments import catch_up, request_alias
from tests.clouds.net.scene import AUTH, NEW, OLD, SECRET, STAFF, Scene, keys_of

HEALTH, AUTH_HEALTH = "/api/healthz", "/auth/v1/.well-known/jwks.json"


def test_a_domain_serves_the_build_that_has_it_with_the_env_it_was_made_with(scene: Scene) -> None:
    scene.variable("NEXT_PUBLIC_SUPABASE_URL", "https://another.example", sensitive=False)
    answer = scene.get(STAFF, HEALTH)
    env = {
        "NEXT_PUBLIC_SUPABASE_URL": f"https://{AUTH}",
        "TRUSTED_COOKIE_SECRET": f"sha256:{hashlib.sha256(SECRET.encode()).hexdigest()[:12]}",
    }
    assert answer.json() == {"status": "ok", "deployment": scene.build, "release": "v1", "env": env}
    assert SECRET not in answer.text
    second = scene.released("v2")
    assert scene.get(STAFF, HEALTH).json()["env"]["NEXT_PUBLIC_SUPABASE_URL"] == "https://another.example"
    assert scene.get(STAFF, HEALTH).json()["deployment"] == second.id


def test_each_build_has_a_host_of_its_own_and_the_project_one_too(scene: Scene) -> None:
    old = scene.store.get("vercel", "deployment", scene.build)
    assert old is not None
    second = scene.released("v2")
    assert scene.get(old.properties["url"], HEALTH).json()["deployment"] == scene.build
    assert scene.get("ibimina-staff-prod.vercel.app", HEALTH).json()["deployment"] == second.id
    scene.store.change("vercel", "deployment", scene.build, state="BUILDING", readyAt=2**60)
    assert scene.get(old.properties["url"], HEALTH).status_code == 404


def test_going_back_to_a_build_is_seen_when_it_is_due(scene: Scene) -> None:
    before = scene.clouds.client_view(STAFF, HEALTH)
    second = scene.released("v2")
    assert scene.clouds.client_view(STAFF, HEALTH)["body"]["deployment"] == second.id
    request_alias(scene.store, "prj_staff", scene.build, "rollback", scene.clock.now())
    time.sleep(0.6)
    assert scene.clouds.client_view(STAFF, HEALTH) == before
    catch_up(scene.store, scene.clock.now())
    assert scene.clouds.client_view(STAFF, HEALTH) == before


def test_vercel_answers_directly_for_the_domains_it_knows_and_for_no_other(scene: Scene) -> None:
    edge = "cname.vercel-dns.com"
    assert scene.get(STAFF, HEALTH, at=edge).json()["deployment"] == scene.build
    with pytest.raises(httpx.ConnectError, match="Hostname mismatch"):
        scene.get("other.ibimina.rw", HEALTH, at=edge)
    scene.store.put(Held("vercel", DOMAIN, "o", {"domain": "old.ibimina.rw", "redirect": STAFF, "projectId": "p"}))
    moved = scene.get("old.ibimina.rw", "/a?b=c", at=edge)
    assert (moved.status_code, moved.headers["location"]) == (307, f"https://{STAFF}/a?b=c")


def test_cloudflare_answers_for_proxied_names_alone(scene: Scene) -> None:
    scene.change_record(STAFF, content="elsewhere.example")
    assert scene.get(STAFF, "/health").json() == {"status": "ok", "served_by": "elsewhere.example"}
    with pytest.raises(httpx.ConnectError, match="Hostname mismatch"):
        scene.get(AUTH, AUTH_HEALTH, at=STAFF)


def test_a_custom_host_name_is_served_by_the_project_where_it_is_active(scene: Scene) -> None:
    assert scene.get(AUTH, AUTH_HEALTH).json() == keys_of(OLD)
    next_target = f"{NEW}.supabase.co"
    for status in ("initiated", "verified"):
        scene.custom_hostname(NEW, AUTH, status)
        with pytest.raises(httpx.ConnectError, match="Hostname mismatch"):
            scene.get(AUTH, AUTH_HEALTH, at=next_target)
    scene.custom_hostname(NEW, AUTH)
    assert scene.get(AUTH, AUTH_HEALTH, at=next_target).json() == keys_of(NEW)
    assert scene.get(AUTH, AUTH_HEALTH).json() == keys_of(OLD)
    scene.change_record(AUTH, content=next_target)
    assert scene.get(AUTH, AUTH_HEALTH).json() == keys_of(NEW)
    with pytest.raises(httpx.ConnectError, match="Hostname mismatch"):
        scene.get(f"{'c' * 20}.example", AUTH_HEALTH, at=next_target)
    assert scene.get(f"{'c' * 20}.supabase.co", AUTH_HEALTH).status_code == 404


def test_everything_else_is_an_application_that_is_well(scene: Scene) -> None:
    assert scene.get("api.ibimina.rw", "/health").json() == {"status": "ok", "served_by": "192.0.2.10"}
    assert scene.get("logs.example", "/drain").status_code == 404


def test_the_service_worker_names_its_build(scene: Scene) -> None:
    first = scene.get(STAFF, "/sw.js").text
    assert scene.build in first
    second = scene.released("v2")
    assert second.id in scene.get(STAFF, "/sw.js").text
    scene.faults.turn(Knob.STALE_WORKER, STAFF)
    assert second.id not in scene.get(STAFF, "/sw.js").text
    assert second.id in scene.get(second.properties["url"], "/sw.js").text


def test_a_host_can_be_ill_or_show_a_bad_certificate(scene: Scene) -> None:
    scene.faults.turn(Knob.UNHEALTHY, STAFF)
    assert scene.get(STAFF, HEALTH).status_code == 503
    assert scene.get(STAFF, "/sw.js").status_code == 200
    for knob, said in (
        (Knob.WRONG_CERTIFICATE, "certificate is not valid for 'auth.ibimina.rw'"),
        (Knob.EXPIRED_CERTIFICATE, "certificate has expired"),
    ):
        scene.faults.turn(knob, AUTH)
        with pytest.raises(httpx.ConnectError, match=said):
            scene.get(AUTH, AUTH_HEALTH)
        assert said in scene.clouds.client_view(AUTH, AUTH_HEALTH)["failure"]
        scene.faults.turn_back(knob, AUTH)
        assert scene.get(AUTH, AUTH_HEALTH).status_code == 200


def test_a_host_can_be_down_in_every_way_that_a_vendor_can(scene: Scene) -> None:
    scene.faults.down(STAFF, how=Answer(429, {"Retry-After": "3"}))
    assert scene.get(STAFF, HEALTH).headers["Retry-After"] == "3"
    assert scene.get(AUTH, AUTH_HEALTH).status_code == 200
    scene.faults.down(STAFF, how=Reset())
    with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):  # Python's ssl takes a reset for an end
        scene.get(STAFF, HEALTH)
    scene.faults.down(STAFF, how=Hang())
    with pytest.raises(httpx.ReadTimeout):
        scene.send("GET", STAFF, HEALTH, timeout=0.3)
    scene.faults.up(STAFF)
    assert scene.get(STAFF, HEALTH).status_code == 200


def test_an_event_arrives_where_logs_are_kept_when_the_project_has_a_drain(scene: Scene) -> None:
    path = f"{HEALTH}?cutover-event=marker-1"
    scene.get(STAFF, path)
    assert scene.store.find("loki", loki.LINE) == []
    drain = {"projectIds": ["prj_other"], "environments": ["production"]}
    scene.store.put(Held("vercel", LOG_DRAIN, "ld_1", drain))
    scene.get(STAFF, path)
    assert scene.store.find("loki", loki.LINE) == []
    scene.store.put(Held("vercel", LOG_DRAIN, "ld_1", drain | {"projectIds": ["prj_staff"]}))
    scene.get(STAFF, path)
    scene.get(STAFF, HEALTH)
    (line,) = scene.store.find("loki", loki.LINE)
    assert line.properties["labels"] == {"platform": "ibimina", "environment": "prod"}
    assert "marker-1" in line.properties["line"]
