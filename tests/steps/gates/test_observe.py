"""What is observed, side by side, and what is told when a part cannot be."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from runbook.model.cutover.observed import Observed, SeenBuild, SeenRecord, Wanted
from runbook.steps import names, observe, parts
from tests.steps.gates.conftest import NEW, NS2, OLD, VENDORS, ZONE, Net
from tests.steps.gates.hosts_server import Answer, Asked, Reply

APP, AUTH, FRESH = f"app.{ZONE}", f"auth.{ZONE}", f"new.{ZONE}"
WANTED = Wanted(
    zone=ZONE,
    names=(APP, AUTH, FRESH),
    projects={"staff": "shop-staff", "member": "shop-member"},
    builds={"staff": "dpl_next"},
    auth_ref="refrefref",
)
SECRETS = {
    "CLOUDFLARE_API_TOKEN": "cf-token",
    "VERCEL_API_TOKEN": "vc-token",
    "SUPABASE_ACCESS_TOKEN": "sb-token",
    "VERCEL_TEAM": "shop",
}
CHANGED = "2026-11-22T05:00:00.123456Z"


def _json(body: Any, status: int = 200) -> Reply:
    return Reply(status, json.dumps(body), {"Content-Type": "application/json"})


def _listing(asked: Asked) -> Reply:
    assert asked.headers["authorization"] == "Bearer cf-token"
    kept = {
        APP: [{"id": "r1", "type": "A", "content": OLD, "ttl": 1, "proxied": True}],
        AUTH: [{"id": "r2", "type": "CNAME", "content": "old.vendor.example", "ttl": 60, "proxied": False}],
    }
    found = [{**one, "name": name, "modified_on": CHANGED} for name, its in kept.items() for one in its]
    name = asked.query.removeprefix("name=").partition("&")[0]
    return _json({"result": [one for one in found if one["name"] == name]})


@pytest.fixture
def world(net: Net) -> Net:
    net.record(APP, "A", 300, NEW)
    net.record(AUTH, "CNAME", 60, "old.vendor.example.")
    net.ns2.records[AUTH, "CNAME"] = (3600, ["old.vendor.example."])
    production = {"id": "dpl_now", "url": "staff-now.vercel.example", "readyState": "READY"}
    replies: dict[str, Answer] = {
        "/cloudflare/zones": _json({"result": [{"id": "zone1", "name": ZONE}]}),
        "/cloudflare/zones/zone1/dns_records": _listing,
        "/vercel/v9/projects/shop-staff": _json({"id": "prj_1", "targets": {"production": production}}),
        "/vercel/v9/projects/shop-member": _json({"id": "prj_2", "targets": {}}),
        "/vercel/v13/deployments/dpl_next": _json({"id": "dpl_next", "url": "staff-next", "readyState": "BUILDING"}),
        "/supabase/v1/projects/refrefref/config/auth": _json({"jwt_exp": 3600, "smtp_pass": "not to be kept"}),
    }
    net.vendors.replies.update({(VENDORS, path): reply for path, reply in replies.items()})
    return net


def _break(world: Net, path: str, reply: Reply) -> Mapping[str, str]:
    world.vendors.replies[VENDORS, path] = reply
    return observe.observe(WANTED, SECRETS, world.reach).failures


def test_everything_is_seen(world: Net) -> None:
    when = datetime(2026, 11, 22, 5, 0, 0, 123456, tzinfo=UTC)
    assert observe.observe(WANTED, SECRETS, world.reach) == Observed(
        zone_id="zone1",
        records=(
            SeenRecord("r1", APP, "A", OLD, 1, True, when),
            SeenRecord("r2", AUTH, "CNAME", "old.vendor.example", 60, False, when),
        ),
        served_ttl={APP: 300, AUTH: 3600},
        negative_ttl=900,
        project_ids={"staff": "prj_1", "member": "prj_2"},
        serving={"staff": SeenBuild("dpl_now", "staff-now.vercel.example", "READY")},
        next_builds={"staff": SeenBuild("dpl_next", "staff-next", "BUILDING")},
        jwt_exp=3600,
        failures={},
    )


@pytest.mark.parametrize(("team", "query"), [("shop", "slug=shop"), ("team_1", "teamId=team_1")])
def test_the_team_is_told_by_slug_or_id(world: Net, team: str, query: str) -> None:
    observe.observe(WANTED, SECRETS | {"VERCEL_TEAM": team}, world.reach)
    assert {one.query for one in world.vendors.asked if one.path.startswith("/vercel")} == {query}


def test_only_what_is_wanted_is_asked(world: Net) -> None:
    assert observe.observe(Wanted(ZONE), SECRETS, world.reach) == Observed(zone_id="zone1")
    assert [one.path for one in world.vendors.asked] == ["/cloudflare/zones"]


def test_missing_tokens_are_told_and_the_rest_is_seen(world: Net) -> None:
    seen = observe.observe(WANTED, {}, world.reach)
    asked = {
        "records": ("CLOUDFLARE_API_TOKEN", "Cloudflare"),
        "project staff": ("VERCEL_API_TOKEN", "Vercel"),
        "project member": ("VERCEL_API_TOKEN", "Vercel"),
        "build staff": ("VERCEL_API_TOKEN", "Vercel"),
        "auth settings": ("SUPABASE_ACCESS_TOKEN", "Supabase"),
    }
    assert seen.failures == {
        part: f"{token} is not set: {vendor} is asked nothing without it. Set it, then run up again."
        for part, (token, vendor) in asked.items()
    }
    assert (seen.served_ttl, seen.negative_ttl) == ({APP: 300, AUTH: 3600}, 900)


def test_a_zone_that_the_token_does_not_see(world: Net) -> None:
    assert _break(world, "/cloudflare/zones", _json({"result": []})) == {
        "records": f"Cloudflare shows no zone {ZONE}: check runbook:zone, and that CLOUDFLARE_API_TOKEN may read it."
    }


def test_a_token_that_may_not_read_records(world: Net) -> None:
    reply = _json({"errors": [{"message": "Authentication error"}]}, 403)
    failures = _break(world, "/cloudflare/zones/zone1/dns_records", reply)
    assert list(failures) == ["records"]
    assert failures["records"].startswith("Cloudflare answered 403 to GET /cloudflare/zones/zone1/dns_records: Auth")
    assert failures["records"].endswith(" it needs the permission DNS Read of the zone.")


def test_one_project_is_missing(world: Net) -> None:
    reply = _json({"error": {"code": "not_found", "message": "Project not found"}}, 404)
    assert _break(world, "/vercel/v9/projects/shop-member", reply) == {
        "project member": "Vercel answered 404 to GET /vercel/v9/projects/shop-member: Project not found."
        " Check the names of the team and of the project."
    }


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (Reply(200, "<html>"), "is not JSON (200, no content type)"),
        (_json({"jwt_exp": "soon"}), "has not a number at jwt_exp"),
        (_json([]), "has not a number at jwt_exp"),
    ],
)
def test_wrong_bodies(world: Net, reply: Reply, said: str) -> None:
    failures = _break(world, "/supabase/v1/projects/refrefref/config/auth", reply)
    assert list(failures) == ["auth settings"]
    assert said in failures["auth settings"]


def test_a_server_that_is_lame_takes_away_only_the_ttl(world: Net) -> None:
    world.ns2.rcode = "REFUSED"
    seen = observe.observe(WANTED, SECRETS, world.reach)
    assert (seen.served_ttl, seen.negative_ttl) == ({}, None)
    again = "Run up again; if it stays, look at the NS records at the registrar."
    asked = (f"{APP} A", f"{AUTH} A", f"{FRESH} A", f"{ZONE} SOA")
    assert seen.failures == {
        "served ttl": " ".join(f"ns2.{ZONE} ({NS2}) answered {one} with REFUSED. {again}" for one in asked)
    }
    assert len(seen.records) == 2


def test_a_secret_that_a_vendor_repeats_is_hidden(world: Net) -> None:
    reply = _json({"message": "sb-token is revoked"}, 401)
    failures = _break(world, "/supabase/v1/projects/refrefref/config/auth", reply)
    assert "sb-token" not in failures["auth settings"]
    assert "SUPABASE_ACCESS_TOKEN is wrong, expired or revoked: set a new one." in failures["auth settings"]


def test_what_nobody_foresaw_is_told_without_a_secret(world: Net, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> Observed:
        raise RuntimeError("with sb-token in it")

    monkeypatch.setattr(parts, "parts", lambda call, wanted: {"auth settings": broken})
    assert observe.observe(WANTED, SECRETS, world.reach).failures == {
        "auth settings": "Observing failed in a way it does not know (RuntimeError: with (hidden) in it): report it."
    }


def test_what_hangs_or_drips_ends_at_the_limit(world: Net, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(observe, "LIMIT", 0.8)
    monkeypatch.setattr(observe, "_SPARE", 0.3)
    monkeypatch.setattr(names, "TRY", 0.1)
    world.ns2.broken = "silent"
    world.vendors.replies[VENDORS, "/vercel/v9/projects/shop-staff"] = Reply(how="hang")
    world.vendors.replies[VENDORS, "/vercel/v9/projects/shop-member"] = Reply(how="drip")
    begun = time.monotonic()
    seen = observe.observe(WANTED, SECRETS, world.reach)
    assert time.monotonic() - begun < 1.5
    for app in ("staff", "member"):
        assert seen.failures[f"project {app}"] == (
            f"Vercel did not answer GET /vercel/v9/projects/shop-{app} in time. Run up again."
        )
    assert "did not answer" in seen.failures["served ttl"]
    assert (seen.jwt_exp, seen.zone_id) == (3600, "zone1")


def test_everything_is_asked_side_by_side(world: Net) -> None:
    kept = dict(world.vendors.replies)

    def slow(asked: Asked) -> Reply:
        time.sleep(0.2)
        found = kept[VENDORS, asked.path]
        assert not isinstance(found, list)
        return found if isinstance(found, Reply) else found(asked)

    world.vendors.replies = dict.fromkeys(kept, slow)
    begun = time.monotonic()
    assert observe.observe(WANTED, SECRETS, world.reach).failures == {}
    assert (
        time.monotonic() - begun < 1.0
    )  # 0.2 s each: the zone and then its records; nine answers one by one take 1.8


def test_no_vendor_is_reached_without_a_cutover(world: Net) -> None:
    code = "import runbook.steps.observe, sys; print(*sorted({'httpx', 'dns', 'tenacity'} & set(sys.modules)))"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == ""
