"""Supabase's auth server, of which each project has one: enough of it to log in, and all that a login is checked by.

Source: GoTrue's openapi.yaml and internal/api; https://supabase.com/docs/guides/auth/jwts for the tokens.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from werkzeug.wrappers import Request, Response

from runbook.rehearsal.clouds.faults import Faults, Knob
from runbook.rehearsal.clouds.net import projects
from runbook.rehearsal.clouds.net.clock import Clock
from runbook.rehearsal.clouds.net.edge import json_response
from runbook.rehearsal.clouds.net.tokens import BadToken, Key, key_of
from runbook.rehearsal.clouds.store import Store
from runbook.rehearsal.clouds.web import tokens
from runbook.rehearsal.clouds.web.auth_state import SESSION, settings_of, sign_in

_ELSEWHERE = "wrong.example"
_EXPIRED_LINK = {
    "error": "access_denied",
    "error_code": "otp_expired",
    "error_description": "Email link is invalid or has expired",
}


def keys_of(ref: str) -> str:
    """As whose tokens a project's API keys are named, see `tokens.accept`."""
    return f"supabase keys of {ref}"


def accounts_of(ref: str) -> str:
    """As whose tokens a project's accounts are named, each as "EMAIL PASSWORD"."""
    return f"supabase accounts of {ref}"


class Auth:
    """Answers at every Supabase project's address."""

    def __init__(self, store: Store, faults: Faults, clock: Clock) -> None:
        self._store, self._faults, self._clock = store, faults, clock

    def certificate(self, target: str, host: str) -> str:
        if host.endswith(projects.OWN):
            return f"*{projects.OWN}"
        return host if projects.project_of(self._store, target, host) else f"*{projects.OWN}"

    def answer(self, target: str, host: str, request: Request) -> Response:
        ref = projects.project_of(self._store, target, host)
        if ref is None:
            return json_response({"message": f"No project answers for {host}."}, 404)
        place = f"{request.method} {request.path}"
        if place == "GET /auth/v1/.well-known/jwks.json":
            return json_response({"keys": [key_of(ref).public()]})
        if place == "GET /auth/v1/verify":
            return self._verify(ref, host, request)
        if place not in ("POST /auth/v1/token", "GET /auth/v1/user"):
            return json_response({"message": "no Route matched with those values"}, 404)
        key = request.headers.get("apikey")
        if not key or not tokens.known(self._store, keys_of(ref), key):
            return json_response({"message": "Invalid API key" if key else "No API key found in request"}, 401)
        if place == "POST /auth/v1/token":
            return self._token(ref, host, request)
        return self._user(ref, host, request)

    def _token(self, ref: str, host: str, request: Request) -> Response:
        if self._faults.turned(Knob.LOGIN_FAILS, host):
            return _error(500, "unexpected_failure", "Unexpected failure, please check server logs")
        given = request.get_json(force=True, silent=True)
        email, password = (given.get("email"), given.get("password")) if isinstance(given, dict) else (None, None)
        known = tokens.known(self._store, accounts_of(ref), f"{email} {password}")
        if request.args.get("grant_type") != "password" or not email or not password or not known:
            return _error(400, "invalid_credentials", "Invalid login credentials")
        session = sign_in(self._store, ref, str(email), self._clock.now())
        user = _user(session.properties["user_id"], str(email))
        seconds = int(settings_of(self._store, ref)["jwt_exp"])
        claims = self._claims(host, seconds) | {"sub": user["id"], "email": email, "session_id": session.id}
        token = self._key(ref, host).sign(claims)
        return json_response({"access_token": token, "token_type": "bearer", "expires_in": seconds, "user": user})

    def _claims(self, host: str, seconds: int) -> dict[str, Any]:
        issuer = _ELSEWHERE if self._faults.turned(Knob.WRONG_ISSUER, host) else host
        now = int(self._clock.now().timestamp())
        both = {"aud": "authenticated", "role": "authenticated"}
        return {"iss": f"https://{issuer}/auth/v1", "iat": now, "exp": now + seconds} | both

    def _key(self, ref: str, host: str) -> Key:
        return key_of(f"not {ref}" if self._faults.turned(Knob.WRONG_KEY, host) else ref)

    def _user(self, ref: str, host: str, request: Request) -> Response:
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        try:
            claims = self._key(ref, host).claims(token)
        except BadToken:
            return _error(403, "bad_jwt", "invalid JWT: unable to parse or verify signature")
        if claims["exp"] <= self._clock.now().timestamp():
            return _error(403, "bad_jwt", "invalid JWT: token is expired")
        if self._store.get("supabase", SESSION, claims["session_id"]) is None:
            return _error(403, "session_not_found", "Session from session_id claim in JWT does not exist")
        return json_response(_user(claims["sub"], claims["email"]))

    def _verify(self, ref: str, host: str, request: Request) -> Response:
        """No link is known here: as with one that has expired, the error goes along to where the login leads back."""
        wanted = request.args.get("redirect_to", "")
        if self._faults.turned(Knob.WRONG_REDIRECT, host):
            to = f"https://{_ELSEWHERE}/"
        else:
            to = projects.redirect(settings_of(self._store, ref), wanted)
        fragment = "&".join(f"{key}={quote(value)}" for key, value in _EXPIRED_LINK.items())
        return Response("", 303, {"Location": f"{to}#{fragment}"})


def _user(id: str, email: str) -> dict[str, Any]:
    return {"id": id, "email": email, "aud": "authenticated", "role": "authenticated"}


def _error(status: int, code: str, text: str) -> Response:
    return json_response({"code": status, "error_code": code, "msg": text}, status)
