"""The login gate against an auth server that is right, and then wrong in one thing at a time."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from runbook.model.cutover.step import Kind
from runbook.steps.call import StepError
from runbook.steps.gates import GATES
from tests.steps.gates.conftest import CLOSED, NEW, ZONE, Net
from tests.steps.gates.hosts_server import Asked, Reply

HOST, APP = f"auth.{ZONE}", f"https://app.{ZONE}/welcome?a=b&c=d"
ISSUER = f"https://{HOST}/auth/v1"
SECRETS = {"LOGIN_EMAIL": "Gate@shop.example", "LOGIN_PASSWORD": "correct horse", "LOGIN_API_KEY": "sb_publishable_1"}
ARGS = {"auth_host": HOST, "app_url": APP, "issuer": ISSUER}
TOKEN, USER, KEYS, VERIFY = (f"/auth/v1/{one}" for one in ("token", "user", ".well-known/jwks.json", "verify"))


SIGNING, ANOTHER = (ec.derive_private_key(number, ec.SECP256R1()) for number in (7, 8))


def encoded(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).decode().rstrip("=")


def number(value: int, size: int = 32) -> str:
    return encoded(value.to_bytes(size))


def signature(key: Any, signed: bytes) -> bytes:
    """ES256 and RS256 as RFC 7518 has them (sections 3.3 and 3.4)."""
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(signed, padding.PKCS1v15(), SHA256())
    r, s = decode_dss_signature(key.sign(signed, ec.ECDSA(SHA256(), deterministic_signing=True)))
    return r.to_bytes(32) + s.to_bytes(32)


def point(key: ec.EllipticCurvePrivateKey) -> dict[str, str]:
    numbers = key.public_key().public_numbers()
    return {"kty": "EC", "crv": "P-256", "x": number(numbers.x), "y": number(numbers.y)}


PUBLISHED = {"kid": "key-1", "alg": "ES256", **point(SIGNING)}


@dataclass
class Auth:
    """As GoTrue answers. What a test changes is wrong afterwards."""

    issuer: str = ISSUER
    sub: str | None = "user-1"
    user: dict[str, Any] = field(default_factory=lambda: {"id": "user-1", "email": "gate@shop.example"})
    header: dict[str, Any] = field(default_factory=lambda: {"alg": "ES256", "kid": "key-1"})
    keys: list[dict[str, Any]] = field(default_factory=lambda: [PUBLISHED, {"kid": "key-0"}])
    key: Any = SIGNING
    redirects: tuple[str, ...] = (APP,)
    site_url: str = "https://old.example/"

    def token(self) -> str:
        parts = (self.header, {"iss": self.issuer, "sub": self.sub})
        signed = ".".join(encoded(json.dumps(one).encode()) for one in parts)
        return f"{signed}.{encoded(signature(self.key, signed.encode()))}"

    def log_in(self, asked: Asked) -> Reply:
        if asked.headers.get("apikey") != SECRETS["LOGIN_API_KEY"]:
            return Reply(401, json.dumps({"message": "Invalid API key"}))
        wanted = {"email": SECRETS["LOGIN_EMAIL"], "password": SECRETS["LOGIN_PASSWORD"]}
        if asked.query != "grant_type=password" or json.loads(asked.body) != wanted:
            return Reply(400, json.dumps({"error_code": "invalid_credentials", "msg": "Invalid login credentials"}))
        return Reply(200, json.dumps({"access_token": self.token()}))

    def own_user(self, asked: Asked) -> Reply:
        known = asked.headers.get("authorization") == f"Bearer {self.token()}" and "apikey" in asked.headers
        return Reply(200, json.dumps(self.user)) if known else Reply(403, json.dumps({"msg": "invalid JWT"}))

    def verify(self, asked: Asked) -> Reply:
        query = {name: values[0] for name, values in parse_qs(asked.query).items()}
        to = query["redirect_to"] if query["redirect_to"] in self.redirects else self.site_url
        return Reply(303, "", {"Location": f"{to}#error=access_denied"})


@pytest.fixture
def auth(net: Net) -> Auth:
    made = Auth()
    net.hosts.certify(HOST)
    net.record(HOST, "CNAME", 60, "ref.supabase.example.")
    net.resolver.records["ref.supabase.example", "A"] = (60, [NEW])
    net.hosts.replies |= {
        (HOST, TOKEN): made.log_in,
        (HOST, USER): made.own_user,
        (HOST, KEYS): lambda _: Reply(200, json.dumps({"keys": made.keys})),
        (HOST, VERIFY): made.verify,
    }
    return made


def _refused(net: Net, **secrets: str) -> str:
    with pytest.raises(StepError) as error:
        GATES[Kind.LOGIN](net.call(ARGS, secrets=SECRETS | secrets))
    return str(error.value)


def test_a_round_trip(net: Net, auth: Auth) -> None:
    evidence = GATES[Kind.LOGIN](net.call(ARGS, secrets=SECRETS))
    assert evidence == {
        "issuer": ISSUER,
        "user": "user-1",
        "redirect": f"app.{ZONE}",
        "kid": "key-1",
        "alg": "ES256",
    }
    kept = json.dumps(evidence)
    assert not any(secret in kept for secret in (*SECRETS.values(), auth.token()))


def test_it_judges_the_side_that_the_zone_names(net: Net, auth: Auth) -> None:
    net.resolver.records[HOST, "CNAME"] = (3600, ["old.supabase.example."])
    net.resolver.records["old.supabase.example", "A"] = (60, [CLOSED])
    assert GATES[Kind.LOGIN](net.call(ARGS, secrets=SECRETS))["issuer"] == ISSUER
    assert {one.address for one in net.hosts.asked} == {NEW}


@pytest.mark.parametrize("kid", [{}, {"kid": "shared-1"}])
def test_a_token_of_the_shared_secret_has_no_key_to_publish(net: Net, auth: Auth, kid: dict[str, str]) -> None:
    auth.header = {"alg": "HS256", **kid}
    assert GATES[Kind.LOGIN](net.call(ARGS, secrets=SECRETS))["alg"] == "HS256"
    assert net.hosts.count(KEYS) == 0


def test_a_token_of_an_rsa_key(net: Net, auth: Auth) -> None:
    auth.key = rsa.generate_private_key(65537, 2048)
    numbers = auth.key.public_key().public_numbers()
    auth.header["alg"] = "RS256"
    auth.keys = [{"kid": "key-1", "kty": "RSA", "n": number(numbers.n, 256), "e": number(numbers.e, 3)}]
    assert GATES[Kind.LOGIN](net.call(ARGS, secrets=SECRETS))["alg"] == "RS256"
    auth.keys[0]["n"] = number(numbers.n - 2, 256)
    assert _refused(net).startswith(f"The tokens of {HOST} are not signed with the key key-1 that it publishes: ")


@pytest.mark.parametrize("alg", ["none", "HS1", "PS512", None, 5])
@pytest.mark.parametrize("kid", [{}, {"kid": "key-1"}])
def test_a_token_that_anyone_could_have_made(net: Net, auth: Auth, alg: object, kid: dict[str, str]) -> None:
    auth.header, auth.keys = {"alg": alg, **kid}, [{"kid": "key-1"}]
    assert _refused(net) == (
        f"The tokens of {HOST} are signed with {alg}, and Supabase signs with HS256, ES256 or RS256: apps would"
        " refuse them. Look at the JWT keys of its Supabase project, and run up again."
    )


def test_wrong_password(net: Net, auth: Auth) -> None:
    said = _refused(net, LOGIN_PASSWORD="wrong")
    assert said == (
        f"{HOST} refuses the user or the password (400: Invalid login credentials): check the secrets LOGIN_EMAIL and"
        " LOGIN_PASSWORD, and that this user exists at that host, and run up again."
    )


def test_wrong_api_key(net: Net, auth: Auth) -> None:
    assert _refused(net, LOGIN_API_KEY="other") == (
        f"{HOST} refuses the API key (401: Invalid API key): check the secret LOGIN_API_KEY, which must be the"
        " publishable key of the Supabase project behind that host, and run up again."
    )


def test_a_password_that_is_echoed_is_not_told(net: Net, auth: Auth) -> None:
    net.hosts.replies[HOST, TOKEN] = lambda asked: Reply(400, json.dumps({"msg": f"no: {asked.body.decode()}"}))
    assert SECRETS["LOGIN_PASSWORD"] not in _refused(net)


def test_wrong_issuer(net: Net, auth: Auth) -> None:
    auth.issuer = "https://ref.supabase.example/auth/v1"
    assert _refused(net) == (
        f"The tokens of {HOST} name the issuer https://ref.supabase.example/auth/v1, not {ISSUER}: look at the custom"
        f" hostname of its Supabase project and at what {HOST} points to, and run up again."
    )


def test_a_token_for_another_user(net: Net, auth: Auth) -> None:
    auth.sub = "user-2"
    assert _refused(net) == (
        f"The token of {HOST} is for user user-2, and /auth/v1/user answers for user user-1: look for a cache in"
        f" front of {HOST}, and run up again."
    )


def test_a_user_without_an_id(net: Net, auth: Auth) -> None:
    """Of whom the token does not speak either: nobody is not the same as nobody."""
    del auth.user["id"]
    auth.sub = None
    assert "for user None, and /auth/v1/user answers for user None" in _refused(net)


def test_another_user_than_the_one_who_logged_in(net: Net, auth: Auth) -> None:
    auth.user["email"] = "somebody@shop.example"
    said = _refused(net)
    assert said == (
        f"{HOST} logged in user user-1, who has another e-mail address than LOGIN_EMAIL: look for a cache in front of"
        f" {HOST}, and run up again."
    )


def test_wrong_key_at_the_server_itself(net: Net, auth: Auth) -> None:
    net.hosts.replies[HOST, USER] = Reply(403, json.dumps({"msg": "invalid JWT: signature is invalid"}))
    assert _refused(net) == (
        f"{HOST} answered 403 to the token it has just given: it signs with another key than it verifies with."
        " Look at the JWT keys of its Supabase project, and run up again."
    )


def test_wrong_key_among_the_published(net: Net, auth: Auth) -> None:
    auth.header["kid"] = "key-9"
    assert _refused(net) == (
        f"The tokens of {HOST} are signed with the key key-9, which is not among its published ones (key-0, key-1):"
        " apps would refuse them. Look at the JWT keys of its Supabase project, and run up again."
    )
    auth.keys = []
    assert "not among its published ones (none): apps" in _refused(net)


@pytest.mark.parametrize(
    "published",
    [point(ANOTHER), {**point(SIGNING), "y": "AA"}, {**point(SIGNING), "x": 5}, {"kty": "EC"}, {"kty": "RSA"}],
)
def test_another_key_under_the_same_name(net: Net, auth: Auth, published: dict[str, Any]) -> None:
    auth.keys = [{"kid": "key-1", "alg": "ES256", **published}]
    assert _refused(net) == (
        f"The tokens of {HOST} are not signed with the key key-1 that it publishes: apps would refuse them. Look at"
        " the JWT keys of its Supabase project, and run up again."
    )


@pytest.mark.parametrize("cut", ["", "AA", "!", "é"])
def test_a_signature_that_is_none(net: Net, auth: Auth, cut: str) -> None:
    text = auth.token().rpartition(".")[0] + f".{cut}"
    net.hosts.replies[HOST, TOKEN] = Reply(200, json.dumps({"access_token": text}))
    net.hosts.replies[HOST, USER] = Reply(200, json.dumps(auth.user))
    said = _refused(net)
    assert "are not signed with the key key-1" in said or "without an access token" in said


def test_a_token_of_a_published_kind_that_names_no_key(net: Net, auth: Auth) -> None:
    del auth.header["kid"]
    assert "are signed with the key None, which is not among its published ones" in _refused(net)


def test_wrong_algorithm_of_the_key(net: Net, auth: Auth) -> None:
    auth.keys = [{**PUBLISHED, "alg": "RS256"}]
    assert _refused(net) == (
        f"The tokens of {HOST} are signed with ES256, and its key key-1 is published for RS256: apps would refuse"
        " them. Look at the JWT keys of its Supabase project, and run up again."
    )


def test_wrong_redirect(net: Net, auth: Auth) -> None:
    auth.redirects = ()
    assert _refused(net) == (
        f"{HOST} sends a login back to old.example, not to app.{ZONE}: add {APP} to the redirect list of its Supabase"
        " project, and run up again."
    )


@pytest.mark.parametrize("origin", [f"http://app.{ZONE}", f"https://app.{ZONE}:8443"])
def test_a_redirect_to_another_origin_of_the_app(net: Net, auth: Auth, origin: str) -> None:
    """Sent there in the clear, the token is anyone's."""
    net.hosts.replies[HOST, VERIFY] = Reply(303, "", {"Location": f"{origin}/welcome#error=x"})
    assert _refused(net) == (
        f"{HOST} sends a login back to {origin}, not to https://app.{ZONE}: add {APP} to the redirect list of its"
        " Supabase project, and run up again."
    )


def test_a_redirect_to_itself(net: Net, auth: Auth) -> None:
    net.hosts.replies[HOST, VERIFY] = Reply(303, "", {"Location": "/login"})
    assert _refused(net).startswith(f"{HOST} sends a login back to itself, not to app.{ZONE}: ")


def test_no_redirect(net: Net, auth: Auth) -> None:
    net.hosts.replies[HOST, VERIFY] = Reply(200, "a page")
    assert _refused(net) == (
        f"{HOST} at {NEW} answered 200 to GET {VERIFY}; expected 302 or 303. Look at that host and run up again."
    )


@pytest.mark.parametrize("path", [TOKEN, USER, KEYS, VERIFY])
def test_a_broken_server(net: Net, auth: Auth, path: str) -> None:
    net.hosts.replies[HOST, path] = Reply(502, "<html>bad gateway</html>")
    told = _refused(net)
    assert told.startswith(f"{HOST} at {NEW} answered 502 to {'POST' if path == TOKEN else 'GET'} {path}; expected ")
    assert told.endswith(" Look at that host and run up again.")


@pytest.mark.parametrize("path", [TOKEN, USER, KEYS])
@pytest.mark.parametrize("body", ["<html>welcome</html>", "[1]"])
def test_what_is_not_json(net: Net, auth: Auth, path: str, body: str) -> None:
    net.hosts.replies[HOST, path] = Reply(200, body)
    assert _refused(net) == (
        f"{HOST} answered {'POST' if path == TOKEN else 'GET'} {path} with what is not a JSON object: look at what"
        f" {HOST} points to, and run up again."
    )


@pytest.mark.parametrize("token", [None, "", "a.b", "a.b.c", f"{base64.b64encode(b'[1]').decode()}.e30.s", 7])
def test_no_access_token(net: Net, auth: Auth, token: object) -> None:
    net.hosts.replies[HOST, TOKEN] = Reply(200, json.dumps({"access_token": token}))
    assert _refused(net) == (
        f"{HOST} let the user in without an access token: look at its auth server, and run up again."
    )


def test_the_certificate_is_of_another_host(net: Net, auth: Auth) -> None:
    net.hosts.certify(HOST, "ref.supabase.example")
    assert _refused(net).startswith(f"{HOST} at {NEW} shows a certificate of another name: ref.supabase.example. ")
