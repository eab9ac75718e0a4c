"""The one way over HTTP: when it asks again, when it gives up, and what it then says."""

from __future__ import annotations

import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import trustme
from tenacity import wait_exponential_jitter

from runbook.steps import http, wire
from runbook.steps.call import Call, StepError
from runbook.steps.reach import Reach
from tests.steps.misbehaving import HANG, RESET, TRICKLE, Reply, Server

Make = Callable[..., Call]
BROKEN = Reply(500, {"error": {"code": "internal", "message": "Something broke."}})
BUSY = {"error": {"message": "Rate limited"}}


def refused(call: Call, url: str, method: str = "GET", **rest: Any) -> str:
    with pytest.raises(StepError) as error:
        http.ask(call, method, url, what="Vercel", **rest)
    return str(error.value)


def test_what_is_sent(server: Server, call: Make) -> None:
    server.on("POST /v1/things", Reply(201, {"id": 1}))
    response = http.ask(
        call(),
        "POST",
        f"{server.url}/v1/things",
        headers={"x-one": "1"},
        params={"tags": ["a", "b"]},
        json={"name": "é"},
        expect=(201,),
    )
    assert response.json() == {"id": 1}
    asked = server.only("POST /v1/things")
    assert asked.query == {"tags": ["a", "b"]}
    assert asked.headers["x-one"] == "1"
    assert asked.json == {"name": "é"}


def test_a_passing_500_is_asked_again(server: Server, call: Make) -> None:
    server.on("GET /x", BROKEN, RESET, {"ok": 1})
    assert http.ask(call(), "GET", f"{server.url}/x").json() == {"ok": 1}
    assert len(server.asked) == 3


def test_500_for_ever_is_given_up_before_the_deadline(server: Server, call: Make) -> None:
    server.on("GET /x", BROKEN)
    started = time.monotonic()
    sentence = refused(call(seconds=0.4), f"{server.url}/x", remedy={500: "See the status page, then run up again."})
    assert sentence == ("Vercel answered 500 to GET /x: Something broke. See the status page, then run up again.")
    assert time.monotonic() - started < 1.0
    assert len(server.asked) > 2


def test_what_must_not_happen_twice_is_not_sent_again_after_a_500(server: Server, call: Make) -> None:
    server.on("POST /x", BROKEN, {"ok": 1})
    refused(call(), f"{server.url}/x", "POST", retry=False)
    assert len(server.asked) == 1


def test_waits_grow_and_differ(server: Server, call: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "_BACKOFF", wait_exponential_jitter(multiplier=0.2, max=4, jitter=0.2))
    server.on("GET /x", BROKEN, BROKEN, {"ok": 1})
    started = time.monotonic()
    http.ask(call(), "GET", f"{server.url}/x")
    assert time.monotonic() - started > 0.6  # 0.2 and 0.4, each with up to 0.2 more


@pytest.mark.parametrize(
    "headers",
    [
        {"retry-after": "1"},
        # The server's clock is decades off: only the difference of its two dates counts.
        {"retry-after": "Mon, 01 Jan 2001 00:00:31 GMT", "date": "Mon, 01 Jan 2001 00:00:30 GMT"},
    ],
    ids=["seconds", "date"],
)
def test_retry_after_is_waited_for(server: Server, call: Make, headers: dict[str, str]) -> None:
    server.on("POST /x", Reply(429, BUSY, headers), {"ok": 1})
    started = time.monotonic()
    # Also for what must not happen twice: a 429 did nothing.
    assert http.ask(call(seconds=2), "POST", f"{server.url}/x", retry=False).json() == {"ok": 1}
    assert time.monotonic() - started >= 1.0


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "120"}, 120),
        ({"retry-after": "Mon, 01 Jan 2001 00:10:00 GMT", "date": "Mon, 01 Jan 2001 00:00:00 GMT"}, 600),
        ({"retry-after": "9" * 400}, 86400),
    ],
    ids=["seconds", "date", "nonsense"],
)
def test_a_longer_retry_after_is_told_at_once(
    server: Server, call: Make, headers: dict[str, str], seconds: int
) -> None:
    server.on("GET /x", Reply(429, BUSY, headers))
    started = time.monotonic()
    sentence = refused(call(), f"{server.url}/x")
    assert time.monotonic() - started < 1.0
    assert re.fullmatch(
        r"Vercel answered 429 to GET /x: Rate limited\. It asks to wait "
        + str(seconds)
        + r" s: run up again after \d\d:\d\d:\d\d UTC\.",
        sentence,
    )
    assert len(server.asked) == 1


def test_a_retry_after_of_a_503_is_waited_for_too(server: Server, call: Make) -> None:
    server.on("GET /x", Reply(503, {"message": "down"}, {"retry-after": "1"}), {"ok": 1})
    started = time.monotonic()
    assert http.ask(call(seconds=2), "GET", f"{server.url}/x").json() == {"ok": 1}
    assert time.monotonic() - started >= 1.0


@pytest.mark.parametrize("retry", [True, False])
def test_a_longer_retry_after_of_a_503_is_told_at_once(server: Server, call: Make, retry: bool) -> None:
    server.on("POST /x", Reply(503, {"message": "down"}, {"retry-after": "120"}))
    started = time.monotonic()
    sentence = refused(call(), f"{server.url}/x", "POST", retry=retry)
    assert time.monotonic() - started < 1.0
    assert re.fullmatch(
        r"Vercel answered 503 to POST /x: down\. It asks to wait 120 s: run up again after \d\d:\d\d:\d\d UTC\.",
        sentence,
    )
    assert len(server.asked) == 1


@pytest.mark.parametrize("headers", [{}, {"retry-after": "soon"}, {"retry-after": "-1"}, {"retry-after": "\u00b2"}])
def test_429_for_ever(server: Server, call: Make, headers: dict[str, str]) -> None:
    server.on("GET /x", Reply(429, BUSY, headers))
    sentence = refused(call(seconds=0.3), f"{server.url}/x")
    assert sentence == "Vercel answered 429 to GET /x: Rate limited. Run up again in a minute."
    assert len(server.asked) > 1


@pytest.mark.parametrize("retry", [True, False])
def test_a_hang_ends_at_the_deadline(server: Server, call: Make, retry: bool) -> None:
    server.on("POST /x", HANG)
    started = time.monotonic()
    sentence = refused(call(seconds=0.3), f"{server.url}/x", "POST", retry=retry)
    assert time.monotonic() - started < 1.0
    assert sentence == "Vercel did not answer POST /x in time. It may have acted all the same. Run up again."
    assert len(server.asked) == 1


def test_what_only_looks_cannot_have_acted(server: Server, call: Make) -> None:
    server.on("GET /x", HANG)
    assert refused(call(seconds=0.2), f"{server.url}/x") == "Vercel did not answer GET /x in time. Run up again."
    server.on("GET /x", RESET)
    assert refused(call(seconds=0.2), f"{server.url}/x") == "Vercel broke off during GET /x. Run up again."


def test_a_reset_is_asked_again_only_where_twice_does_no_harm(server: Server, call: Make) -> None:
    server.on("POST /x", RESET, {"ok": 1})
    assert refused(call(), f"{server.url}/x", "POST", retry=False) == (
        "Vercel broke off during POST /x. It may have acted all the same. Run up again."
    )
    assert len(server.asked) == 1
    assert http.ask(call(), "POST", f"{server.url}/x").json() == {"ok": 1}


def test_no_connection_is_tried_again_even_where_twice_would_do_harm(call: Make) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    later = threading.Timer(0.2, lambda: listening.append(_one_answer(port)))
    listening: list[HTTPServer] = []
    later.start()
    response = http.ask(call(), "POST", f"http://127.0.0.1:{port}/x", retry=False)
    later.join()
    listening[0].server_close()
    assert response.json() == {}


def _one_answer(port: int) -> HTTPServer:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.send_response(200)
            self.send_header("content-length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", port), Handler)
    threading.Thread(target=server.handle_request, daemon=True).start()
    return server


def test_no_connection_for_ever(call: Make) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/x"
        assert refused(call(seconds=0.2), url) == (
            "There is no connection to Vercel for GET /x. Check the network, then run up again."
        )


def test_an_answer_without_an_end_is_not_read_to_it(server: Server, call: Make) -> None:
    """Of a thousand times its size on the way, and of whatever a machine has no memory for."""
    server.on("POST /x", Reply(200, b" " * (wire.MOST + 1)))
    assert refused(call(), f"{server.url}/x", "POST") == (
        "Vercel answered POST /x with more than 10 MB: something else may answer there. It may have acted all the"
        " same. Check the endpoint and the proxy."
    )
    assert len(server.asked) == 1


def test_an_answer_that_trickles_ends_at_the_deadline(server: Server, call: Make) -> None:
    server.on("GET /x", TRICKLE)
    started = time.monotonic()
    assert refused(call(seconds=0.3), f"{server.url}/x") == "Vercel did not answer GET /x in time. Run up again."
    assert time.monotonic() - started < 1.0


def test_nothing_is_sent_when_no_time_is_left(server: Server, call: Make) -> None:
    assert refused(call(seconds=-1), f"{server.url}/x") == "No time was left for GET /x at Vercel. Run up again."
    assert server.asked == []


def test_a_redirect_is_not_followed(server: Server, call: Make) -> None:
    server.on("GET /x", Reply(302, {}, {"location": f"{server.url}/login"}))
    assert refused(call(), f"{server.url}/x") == "Vercel answered 302 to GET /x. Check the endpoint and the proxy."
    assert server.routes() == ["GET /x"]


def test_a_body_that_cannot_be_unpacked(server: Server, call: Make) -> None:
    server.on("GET /x", Reply(200, b"no gzip", {"content-encoding": "gzip"}))
    assert refused(call(seconds=0.2), f"{server.url}/x") == (
        "Vercel answered GET /x with a body that cannot be unpacked. Run up again."
    )


def test_a_header_that_cannot_be_sent_is_not_shown(server: Server, call: Make) -> None:
    sentence = refused(call(), f"{server.url}/x", headers={"authorization": "Bearer top\nsecret"})
    assert sentence == (
        "GET /x could not be sent to Vercel: its URL or a header is malformed. Check the endpoint and the proxy."
    )
    assert server.asked == []


def test_without_a_name_the_host_is_named(server: Server, call: Make) -> None:
    server.on("GET /x", Reply(404, {}))
    with pytest.raises(
        StepError, match=r"^127\.0\.0\.1 answered 404 to GET /x\. Check the endpoint and the proxy\.$"
    ):
        http.ask(call(), "GET", f"{server.url}/x?token=secret")


@pytest.mark.parametrize(
    ("reply", "shown"),
    [
        (Reply(400, {"message": "a\r\n\x1b[2J\x00b"}), ": a [2J b."),
        (Reply(400, {"errors": [{"code": 1, "message": "one."}, {"message": "two"}]}), ": one.; two."),
        (Reply(400, {"message": "x" * 300}), f": {'x' * 199}…."),
        (Reply(400, {"code": 5, "message": {"deep": ["no text"]}}), "."),
        (Reply(400, b"<html><h1>Bad</h1></html>", {"content-type": "text/html"}), "."),
        (Reply(400, b"plain words\n", {"content-type": "text/plain; charset=utf-8"}), ": plain words."),
        (Reply(400, b"[" * 100_000), "."),
        (Reply(400, b"\xff\xfe"), "."),
    ],
)
def test_what_is_shown_of_an_answer(server: Server, call: Make, reply: Reply, shown: str) -> None:
    server.on("GET /x", reply)
    remedy = "Check the endpoint and the proxy." if shown == "." else "Mend what it names, then run up again."
    assert refused(call(), f"{server.url}/x") == f"Vercel answered 400 to GET /x{shown} {remedy}"


def test_a_secret_is_hidden_before_an_answer_is_cut(server: Server, call: Make) -> None:
    secret = "s3cr3t-" * 10
    server.on("GET /x", Reply(400, {"message": "x" * 170 + secret}))
    assert "s3c" not in refused(call(secrets={"TOKEN": secret}), f"{server.url}/x")


def test_proxies_are_for_vendors_and_never_for_this_machine(
    server: Server, call: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, server.url)
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    server.on("GET /direct", {"way": "direct"})
    server.on("GET /proxied", {"way": "proxy"})
    # The proxy is not this server, or a direct request would look the same.
    assert http.ask(call(), "GET", "http://vendor.invalid/proxied").json() == {"way": "proxy"}
    assert server.only("GET /proxied").headers["host"] == "vendor.invalid"
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert http.ask(call(), "GET", f"{server.url}/direct").json() == {"way": "direct"}
    assert http.ask(call(), "GET", f"{server.url}/direct".replace("127.0.0.1", "localhost")).json() == {
        "way": "direct"
    }


@pytest.fixture
def behind_tls(tmp_path: Path) -> Iterator[tuple[str, str]]:
    """A URL with a certificate for 127.0.0.1, and the file of the authority that signed it."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield f"https://127.0.0.1:{server.server_port}", str(tmp_path / "ca.pem")
    server.shutdown()
    thread.join()
    server.server_close()


def test_certificates_are_verified(behind_tls: tuple[str, str], call: Make) -> None:
    url, ca = behind_tls
    trusting = Call("the-step", "1-flip", {}, {}, Reach(apis={}, ca=ca), deadline=time.monotonic() + 2)
    assert http.ask(trusting, "GET", f"{url}/x", expect=(204,)).status_code == 204
    started = time.monotonic()
    assert re.fullmatch(
        r"Vercel showed a certificate that is not accepted, for GET /x: (unable to get local issuer|self).*\.",
        refused(call(), f"{url}/x"),
    )
    assert time.monotonic() - started < 1.0  # it would be no other a second later
    wrong = refused(trusting, f"{url.replace('127.0.0.1', 'localhost')}/x")
    assert "Hostname mismatch, certificate is not valid for 'localhost'." in wrong
