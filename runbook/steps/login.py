"""The login gate: one whole round trip at an auth host, as an app makes it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import httpx
import jwt

from runbook.steps import hosts, names
from runbook.steps.call import Call, StepError
from runbook.steps.said import excerpt

_TOKEN, _USER = "/auth/v1/token?grant_type=password", "/auth/v1/user"
_KEYS = "/auth/v1/.well-known/jwks.json"
_AGAIN = "and run up again"
# What Supabase signs with (https://supabase.com/docs/guides/auth/jwts): a shared secret, or a key that it publishes.
_SHARED, _PUBLISHED = "HS256", ("ES256", "RS256")


@dataclass(frozen=True)
class _Token:
    """An access token, and what it says of itself."""

    text: str
    header: dict[str, Any]
    claims: dict[str, Any]


def round_trip(call: Call) -> dict[str, Any]:
    """Logs in with e-mail and password; then the issuer, the user, the signing key and the redirect must be right.

    It asks at the address that a client gets which remembers nothing: a resolver that still holds the target from
    before would let it judge the wrong side.
    """
    host = call.args["auth_host"]
    auth = _Auth(call, host, names.fresh(call.reach, host)[0])
    token = auth.log_in()
    auth.check_issuer(token, call.args["issuer"])
    user = auth.check_user(token)
    auth.check_key(token)
    redirect = auth.check_redirect(call.args["app_url"])
    return {
        "issuer": token.claims["iss"],
        "user": user,
        "redirect": redirect,
        "kid": token.header.get("kid"),
        "alg": token.header.get("alg"),
    }


@dataclass(frozen=True)
class _Auth:
    call: Call
    host: str
    address: str

    def log_in(self) -> _Token:
        call = self.call
        body = {"email": call.secrets["LOGIN_EMAIL"], "password": call.secrets["LOGIN_PASSWORD"]}
        answer = self._send("POST", _TOKEN, {}, body, expect=(200, 400, 401, 403, 422))
        if answer.status_code == 401:
            raise StepError(
                f"{self.host} refuses the API key ({_said(call, answer)}): check the secret LOGIN_API_KEY, which must"
                f" be the publishable key of the Supabase project behind that host, {_AGAIN}."
            )
        if answer.status_code != 200:
            raise StepError(
                f"{self.host} refuses the user or the password ({_said(call, answer)}): check the secrets LOGIN_EMAIL"
                f" and LOGIN_PASSWORD, and that this user exists at that host, {_AGAIN}."
            )
        token = _token(self._json(answer, "POST", _TOKEN).get("access_token"))
        if token is None:
            raise StepError(
                f"{self.host} let the user in without an access token: look at its auth server, {_AGAIN}."
            )
        return token

    def check_issuer(self, token: _Token, issuer: str) -> None:
        if token.claims.get("iss") != issuer:
            raise StepError(
                f"The tokens of {self.host} name the issuer {token.claims.get('iss')}, not {issuer}: look at the"
                f" custom hostname of its Supabase project and at what {self.host} points to, {_AGAIN}."
            )

    def check_user(self, token: _Token) -> str:
        """The id of the user, which the token and the auth server must agree on."""
        answer = self._send("GET", _USER, {"authorization": f"Bearer {token.text}"}, expect=(200, 401, 403))
        if answer.status_code != 200:
            raise StepError(
                f"{self.host} answered {answer.status_code} to the token it has just given: it signs with another key"
                f" than it verifies with. Look at the JWT keys of its Supabase project, {_AGAIN}."
            )
        user = self._json(answer, "GET", _USER)
        if not user.get("id") or user["id"] != token.claims.get("sub"):
            raise StepError(
                f"The token of {self.host} is for user {token.claims.get('sub')}, and {_USER} answers for user"
                f" {user.get('id')}: look for a cache in front of {self.host}, {_AGAIN}."
            )
        if str(user.get("email", "")).lower() != self.call.secrets["LOGIN_EMAIL"].lower():
            raise StepError(
                f"{self.host} logged in user {user['id']}, who has another e-mail address than LOGIN_EMAIL: look for"
                f" a cache in front of {self.host}, {_AGAIN}."
            )
        return str(user["id"])

    def check_key(self, token: _Token) -> None:
        """Apps verify a token with the published keys. The project's shared secret is none of them, even where its
        tokens name it (GoTrue leaves it out, internal/api/jwks.go): the auth server itself has just verified those.
        """
        alg, kid = token.header.get("alg"), token.header.get("kid")
        if alg == _SHARED:
            return
        if alg not in _PUBLISHED:
            raise self._wrong_key(f"are signed with {alg}, and Supabase signs with HS256, ES256 or RS256")
        keys = self._json(self._send("GET", _KEYS, {}), "GET", _KEYS).get("keys")
        known = {str(one.get("kid")): one for one in keys or () if isinstance(one, dict)}
        if kid not in known:
            there = ", ".join(sorted(known)) or "none"
            raise self._wrong_key(f"are signed with the key {kid}, which is not among its published ones ({there})")
        published = known[kid].get("alg", alg)
        if published != alg:
            raise self._wrong_key(f"are signed with {alg}, and its key {kid} is published for {published}")
        if not _signed_with(known[kid], alg, token.text):
            raise self._wrong_key(f"are not signed with the key {kid} that it publishes")

    def _wrong_key(self, what: str) -> StepError:
        return StepError(
            f"The tokens of {self.host} {what}: apps would refuse them. Look at the JWT keys of its Supabase project,"
            f" {_AGAIN}."
        )

    def check_redirect(self, app_url: str) -> str:
        """The host that a login comes back to. GoTrue redirects for an invalid token too, with an error in the
        fragment; to a URL that is not on its list it does not, but falls back to site_url."""
        query = urlencode({"token": "gate", "type": "magiclink", "redirect_to": app_url})
        answer = self._send("GET", f"/auth/v1/verify?{query}", {}, expect=(302, 303))
        wanted, location = httpx.URL(app_url), hosts.leads_to(answer, f"https://{self.host}")
        if _origin(location) != _origin(wanted):
            to = "itself" if location.host == self.host else _told(location, wanted)
            raise StepError(
                f"{self.host} sends a login back to {to}, not to {_told(wanted, location)}: add {app_url} to the"
                f" redirect list of its Supabase project, {_AGAIN}."
            )
        return wanted.host

    def _send(
        self, method: str, path: str, headers: dict[str, str], body: Any = None, expect: tuple[int, ...] = (200,)
    ) -> httpx.Response:
        both = {"apikey": self.call.secrets["LOGIN_API_KEY"], **headers}
        return hosts.send(
            self.call, method, self.host, path, address=self.address, headers=both, json=body, expect=expect
        )

    def _json(self, answer: httpx.Response, method: str, path: str) -> dict[str, Any]:
        try:
            found = answer.json()
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise StepError(
                f"{self.host} answered {method} {path.partition('?')[0]} with what is not a JSON object: look at what"
                f" {self.host} points to, {_AGAIN}."
            )
        return found


def _origin(url: httpx.URL) -> str:
    return f"{url.scheme}://{url.netloc.decode()}"


def _told(url: httpx.URL, other: httpx.URL) -> str:
    """Its host where that tells the two apart."""
    return url.host if url.host != other.host else _origin(url)


def _token(text: object) -> _Token | None:
    """What an access token says of itself, not verified; None where it is none."""
    try:
        found = jwt.decode_complete(str(text), options={"verify_signature": False})
    except jwt.InvalidTokenError:
        return None
    return _Token(str(text), found["header"], found["payload"])


def _signed_with(key: dict[str, Any], alg: str, text: str) -> bool:
    """`key`: a public JSON Web Key. A key that is none has signed nothing."""
    try:
        jwt.PyJWS().decode(text, jwt.PyJWK(key, alg), algorithms=[alg])
    except (jwt.PyJWTError, ValueError):  # ValueError: cryptography, of a key's numbers
        return False
    return True


def _said(call: Call, answer: httpx.Response) -> str:
    """The status and the auth server's own words; GoTrue gives them as msg or error_description."""
    try:
        body = answer.json()
    except ValueError:
        body = None
    words = body.get("msg") or body.get("error_description") if isinstance(body, dict) else None
    told = httpx.Response(answer.status_code, json={"message": str(words)}) if words else answer
    return ": ".join(filter(None, (str(answer.status_code), excerpt(call, told))))
