"""The program's own gates and observation see on the stand-in internet what they would see on the real one."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from runbook.model.cutover.observed import Wanted
from runbook.model.cutover.step import Kind
from runbook.rehearsal.clouds.faults import Knob
from runbook.rehearsal.clouds.store import Held
from runbook.rehearsal.clouds.vercel import LOG_DRAIN
from runbook.rehearsal.clouds.web import auth_state
from runbook.steps.call import Call, StepError
from runbook.steps.kinds import act
from runbook.steps.observe import observe
from tests.clouds.net.scene import AUTH, NEW, OLD, STAFF, ZONE, Scene

SECRETS = {
    "LOGIN_EMAIL": "gate@ibimina.rw",
    "LOGIN_PASSWORD": "correct horse",
    "LOGIN_API_KEY": "sb_publishable_x",
    "LOKI_TOKEN": "glc_" + "x" * 40,
}
LOGIN = {"auth_host": AUTH, "app_url": f"https://{STAFF}", "issuer": f"https://{AUTH}/auth/v1"}


def _act(scene: Scene, kind: Kind, args: dict[str, Any], read: dict[str, Any] | None = None) -> dict[str, Any]:
    call = Call("gate", "1-flip", args, SECRETS, scene.clouds.reach(), read or {})
    return dict(act(kind, call))


def test_the_target_of_the_next_side_answers_once_it_knows_the_host(scene: Scene) -> None:
    args = {"host": AUTH, "target": f"{NEW}.supabase.co", "health": "/auth/v1/.well-known/jwks.json"}
    with pytest.raises(StepError, match="certificate of another name"):
        _act(scene, Kind.TARGET_ANSWERS, args)
    scene.custom_hostname(NEW, AUTH)
    assert _act(scene, Kind.TARGET_ANSWERS, args)["status"] == 200
    elsewhere = {"host": "api.ibimina.rw", "target": "192.0.2.11", "health": "/health"}
    assert _act(scene, Kind.TARGET_ANSWERS, elsewhere)["status"] == 200
    scene.faults.turn(Knob.EXPIRED_CERTIFICATE, AUTH)
    with pytest.raises(StepError, match="expired at 2001"):
        _act(scene, Kind.TARGET_ANSWERS, args)


def test_the_ttl_and_the_answers_of_both_servers_are_seen(scene: Scene) -> None:
    with pytest.raises(StepError, match="3600 s by ada"):
        _act(scene, Kind.TTL_SERVED, {"names": [AUTH], "ttl": 60})
    scene.change_record(AUTH, ttl=60)
    assert _act(scene, Kind.TTL_SERVED, {"names": [AUTH], "ttl": 60})["ttl"] == {AUTH: 60}
    targets = {AUTH: f"{OLD}.supabase.co", STAFF: "cname.vercel-dns.com", "api.ibimina.rw": "192.0.2.10"}
    types = {AUTH: "CNAME", STAFF: "CNAME", "api.ibimina.rw": "A"}
    seen = _act(scene, Kind.DNS_SERVED, {"targets": targets, "ttl": 60, "types": types, "proxied": [STAFF]})
    assert len(seen[AUTH]["servers"]) == 2


def test_hosts_workers_and_drains_are_seen(scene: Scene) -> None:
    assert _act(scene, Kind.HEALTHY, {"host": STAFF, "path": "/api/healthz"})["status"] == 200
    assert _act(scene, Kind.DRAIN_ANSWERS, {"url": "https://logs.example/drain"})["status"] == 404
    build = scene.store.get("vercel", "deployment", scene.build)
    assert build is not None
    read = {"build": {"url": build.properties["url"]}}
    assert _act(scene, Kind.WORKER_SERVED, {"host": STAFF, "path": "/sw.js"}, read)
    drain = {"projectIds": ["prj_staff"], "environments": ["production"]}
    scene.store.put(Held("vercel", LOG_DRAIN, "ld_1", drain))
    url, query = f"https://{STAFF}/api/healthz?cutover-event=m-1", '{environment="prod", platform="ibimina"}'
    event = {"url": url, "loki_user": "1", "query": query, "marker": "m-1", "host": STAFF}
    assert _act(scene, Kind.EVENT_ARRIVES, event | {"path": "/api/healthz?cutover-event=m-1"})["lines"] == 1


def test_a_login_is_seen_and_each_way_to_break_it(scene: Scene) -> None:
    user = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{OLD}/gate@ibimina.rw"))
    assert _act(scene, Kind.LOGIN, LOGIN)["user"] == user
    for knob, said in (
        (Knob.WRONG_ISSUER, "name the issuer https://wrong.example/auth/v1"),
        (Knob.WRONG_KEY, "is not among its published ones"),
        (Knob.WRONG_REDIRECT, "back to wrong.example"),
    ):
        scene.faults.turn(knob, AUTH)
        with pytest.raises(StepError, match=said):
            _act(scene, Kind.LOGIN, LOGIN)
        scene.faults.turn_back(knob, AUTH)
    scene.store.change("supabase", auth_state.SETTINGS, OLD, site_url="https://elsewhere.example")
    with pytest.raises(StepError, match=r"back to elsewhere\.example"):
        _act(scene, Kind.LOGIN, LOGIN)


def test_the_observation_is_whole(scene: Scene) -> None:
    names, projects = (AUTH, STAFF), {"staff": "ibimina-staff-prod"}
    wanted = Wanted(ZONE, names, projects, {"staff": scene.build}, OLD)
    tokens = {"CLOUDFLARE_API_TOKEN": "c" * 40, "VERCEL_API_TOKEN": "a" * 24, "VERCEL_TEAM": "ibimina"}
    seen = observe(wanted, tokens | {"SUPABASE_ACCESS_TOKEN": "sbp_" + "0" * 40}, scene.clouds.reach())
    assert seen.failures == {}
    assert (seen.served_ttl, seen.negative_ttl, seen.jwt_exp) == ({AUTH: 3600, STAFF: 300}, 1800, 3600)
    assert seen.serving["staff"].id == seen.next_builds["staff"].id == scene.build
