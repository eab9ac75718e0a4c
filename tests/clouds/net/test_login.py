"""A login round trip with a plain HTTP client, checked by what the server publishes; and each way to break it."""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from runbook.rehearsal.clouds.faults import Knob
from runbook.rehearsal.clouds.net.auth import accounts_of, keys_of
from runbook.rehearsal.clouds.net.projects import redirect
from runbook.rehearsal.clouds.web import auth_state, tokens
from tests.clouds.net.scene import AUTH, NEW, OLD, STAFF, Scene

APIKEY = {"apikey": "sb_publishable_x"}
WHO = {"email": "gate@ibimina.rw", "password": "correct horse"}


def _log_in(scene: Scene, host: str = AUTH, **more: Any) -> Any:
    path = "/auth/v1/token?grant_type=password"
    return scene.send("POST", host, path, headers=more.get("headers", APIKEY), json=more.get("json", WHO))


def test_each_project_takes_its_own_key_and_accounts_once_they_are_named(scene: Scene) -> None:
    tokens.accept(scene.store, keys_of(OLD), "old")
    tokens.accept(scene.store, keys_of(NEW), "new")
    tokens.accept(scene.store, accounts_of(OLD), f"{WHO['email']} right")
    right = WHO | {"password": "right"}

    refused = _log_in(scene, headers={"apikey": "new"}, json=right)
    assert (refused.status_code, refused.json()) == (401, {"message": "Invalid API key"})
    assert _log_in(scene, headers={"apikey": "old"}).json()["error_code"] == "invalid_credentials"
    assert _log_in(scene, headers={"apikey": "old"}, json=right).status_code == 200


def _user(scene: Scene, token: str, host: str = AUTH) -> Any:
    return scene.send("GET", host, "/auth/v1/user", headers={**APIKEY, "Authorization": f"Bearer {token}"})


def _keys(scene: Scene, host: str = AUTH) -> dict[str, dict[str, str]]:
    return {key["kid"]: key for key in scene.get(host, "/auth/v1/.well-known/jwks.json").json()["keys"]}


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "==")


def _part(token: str, number: int) -> dict[str, Any]:
    return dict(json.loads(_bytes(token.split(".")[number])))


def test_a_login_gives_a_token_that_the_published_key_verifies(scene: Scene) -> None:
    answer = _log_in(scene).json()
    token = answer["access_token"]
    head, claims = _part(token, 0), _part(token, 1)
    key = _keys(scene)[head["kid"]]
    x, y = (int.from_bytes(_bytes(key[name])) for name in "xy")
    public = ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
    signed, _, signature = token.rpartition(".")
    r, s = int.from_bytes(_bytes(signature)[:32]), int.from_bytes(_bytes(signature)[32:])
    public.verify(encode_dss_signature(r, s), signed.encode(), ec.ECDSA(SHA256()))
    assert (head["alg"], key["alg"]) == ("ES256", "ES256")
    assert claims["iss"] == f"https://{AUTH}/auth/v1"
    assert claims["exp"] - claims["iat"] == answer["expires_in"] == 3600
    user = _user(scene, token).json()
    assert (user["id"], user["email"]) == (claims["sub"], WHO["email"])


def test_the_issuer_is_the_host_that_was_asked(scene: Scene) -> None:
    own = f"{OLD}.supabase.co"
    assert _part(_log_in(scene, own).json()["access_token"], 1)["iss"] == f"https://{own}/auth/v1"


def test_the_life_of_a_token_is_the_projects_by_the_rehearsals_clock(scene: Scene) -> None:
    scene.store.change("supabase", auth_state.SETTINGS, OLD, jwt_exp=600)
    token = _log_in(scene).json()["access_token"]
    scene.clock.move(timedelta(seconds=590))
    assert _user(scene, token).status_code == 200
    scene.clock.move(timedelta(seconds=11))
    assert _user(scene, token).status_code == 403


def test_an_ended_session_and_another_projects_token_are_refused(scene: Scene) -> None:
    token = _log_in(scene).json()["access_token"]
    assert _user(scene, token, f"{NEW}.supabase.co").json()["error_code"] == "bad_jwt"
    assert _user(scene, token[:-3] + "AAA").json()["error_code"] == "bad_jwt"
    assert _user(scene, "nothing").json()["error_code"] == "bad_jwt"
    auth_state.end_sessions(scene.store, OLD)
    assert _user(scene, token).json()["error_code"] == "session_not_found"


def test_without_key_or_password_nobody_comes_in(scene: Scene) -> None:
    assert _log_in(scene, headers={}).status_code == 401
    assert _log_in(scene, json={"email": "gate@ibimina.rw", "password": ""}).status_code == 400
    assert _log_in(scene, json=[]).status_code == 400


def _leads_to(scene: Scene, wanted: str) -> str:
    path = f"/auth/v1/verify?token=gate&type=magiclink&redirect_to={wanted}"
    answer = scene.get(AUTH, path)
    assert answer.status_code == 303
    to = urlsplit(answer.headers["location"])
    assert "error_code=otp_expired" in to.fragment
    return f"{to.scheme}://{to.netloc}"


def test_a_login_leads_back_to_what_is_allowed_else_to_the_site(scene: Scene) -> None:
    assert _leads_to(scene, f"https://{STAFF}/in") == f"https://{STAFF}"
    assert _leads_to(scene, "https://app.ibimina.rw") == f"https://{STAFF}"
    scene.store.change("supabase", auth_state.SETTINGS, OLD, uri_allow_list="https://x.rw, https://app.ibimina.rw")
    assert _leads_to(scene, "https://app.ibimina.rw") == "https://app.ibimina.rw"


@pytest.mark.parametrize(
    ("pattern", "wanted", "allowed"),
    [
        ("https://*.ibimina.rw/*", "https://app.ibimina.rw/in", True),
        ("https://*.ibimina.rw/*", "https://a.b.ibimina.rw/in", False),
        ("https://*.ibimina.rw/*", "https://app.ibimina.rw/in/here", False),
        ("https://*.ibimina.rw/**", "https://app.ibimina.rw/in/here", True),
        ("https://app.ibimina.rw/?", "https://app.ibimina.rw/a", True),
        ("https://app.ibimina.rw/?", "https://appxibimina.rw/a", False),
    ],
)
def test_a_pattern_allows_what_gotrues_glob_does(pattern: str, wanted: str, allowed: bool) -> None:
    settings = {"site_url": "https://site.example", "uri_allow_list": pattern}
    assert redirect(settings, wanted) == (wanted if allowed else "https://site.example")


def test_each_knob_breaks_one_thing_at_one_host(scene: Scene) -> None:
    own = f"{OLD}.supabase.co"
    scene.faults.turn(Knob.LOGIN_FAILS, AUTH)
    assert (_log_in(scene).status_code, _log_in(scene, own).status_code) == (500, 200)
    scene.faults.turn_back(Knob.LOGIN_FAILS, AUTH)
    scene.faults.turn(Knob.WRONG_ISSUER, AUTH)
    assert _part(_log_in(scene).json()["access_token"], 1)["iss"] == "https://wrong.example/auth/v1"
    scene.faults.turn(Knob.WRONG_KEY, AUTH)
    token = _log_in(scene).json()["access_token"]
    assert _part(token, 0)["kid"] not in _keys(scene)
    assert _user(scene, token).status_code == 200
    assert _part(_log_in(scene, own).json()["access_token"], 0)["kid"] in _keys(scene, own)
    scene.faults.turn(Knob.WRONG_REDIRECT, AUTH)
    assert _leads_to(scene, f"https://{STAFF}/in") == "https://wrong.example"
