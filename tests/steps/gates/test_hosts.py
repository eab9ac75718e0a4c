"""Requests to hosts: each way in which a host can misbehave has its own sentence."""

from __future__ import annotations

import gzip
import re
import socket
import threading
import time
from datetime import UTC, datetime, timedelta

import httpx
import pytest
import trustme

from runbook.steps import hosts, wire
from runbook.steps.call import Call, StepError
from runbook.steps.certificates import Certificate
from tests.steps.gates.conftest import CLOSED, NEW, OLD, Net
from tests.steps.gates.hosts_server import Reply

HOST = "staff.shop.example"


@pytest.fixture
def host(net: Net) -> Net:
    """A host that answers /health with 200 at NEW."""
    net.hosts.certify(HOST)
    net.hosts.replies[HOST, "/health"] = Reply()
    net.record(HOST, "A", 60, NEW)
    return net


def _fails(call: Call, path: str = "/health", address: str | None = None) -> str:
    with pytest.raises(StepError) as error:
        hosts.get(call, HOST, path, address=address)
    return str(error.value)


def test_a_host_is_asked_where_dns_says(host: Net) -> None:
    assert hosts.get(host.call({}), HOST, "/health").text == "ok"
    assert host.hosts.asked[0].address == NEW
    assert host.hosts.asked[0].host == HOST


def test_a_host_is_asked_at_an_address_that_dns_does_not_know_yet(host: Net) -> None:
    assert hosts.get(host.call({}), HOST, "/health", address=OLD).status_code == 200
    assert host.hosts.asked[0].address == OLD
    assert host.resolver.asked == []


def test_a_body_is_sent_and_headers_too(host: Net) -> None:
    hosts.send(host.call({}), "POST", HOST, "/health", headers={"apikey": "k"}, json={"a": 1})
    asked = host.hosts.asked[0]
    assert (asked.method, asked.headers["apikey"], asked.body) == ("POST", "k", b'{"a":1}')


def test_no_address(net: Net) -> None:
    assert _fails(net.call({})) == f"{HOST} has no address in DNS: look at its record and at what the record names."


def test_refused(host: Net) -> None:
    port = host.reach.https_port
    assert _fails(host.call({}), address=CLOSED) == (
        f"{HOST} at {CLOSED}:{port} refused the connection: nothing listens there."
        " Look at that host and run up again."
    )


def test_the_next_address_is_tried_when_one_refuses(host: Net) -> None:
    places = [hosts.Place(HOST, one, host.reach.https_port) for one in (CLOSED, NEW)]
    assert hosts.at(host.call({}), places, "GET", "/health").status_code == 200
    host.record(HOST, "A", 60, CLOSED, NEW)
    assert hosts.get(host.call({}), HOST, "/health").status_code == 200


def test_a_hang_ends_at_the_time_limit(host: Net, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hosts, "WHOLE", 0.2)
    monkeypatch.setattr(hosts, "TRIES", 1)
    host.hosts.replies[HOST, "/health"] = Reply(how="hang")
    assert _fails(host.call({})) == (
        f"{HOST} at {NEW}:{host.reach.https_port} did not answer GET /health within 0.2 s."
        " Look at that host and run up again."
    )


def test_an_answer_in_drops_ends_at_the_time_limit_too(host: Net, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hosts, "WHOLE", 0.3)
    monkeypatch.setattr(hosts, "TRIES", 1)
    host.hosts.replies[HOST, "/health"] = Reply(how="drip")
    begun = time.monotonic()
    assert "did not answer GET /health within 0.3 s" in _fails(host.call({}))
    assert time.monotonic() - begun < 1.5


def test_nothing_goes_past_the_deadline_of_the_step(host: Net) -> None:
    host.hosts.replies[HOST, "/health"] = Reply(how="hang")
    begun = time.monotonic()
    _fails(host.call({}, seconds=0.4))
    assert time.monotonic() - begun < 1.5


def test_no_connection_is_accepted(host: Net, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hosts, "CONNECT", 0.2)
    monkeypatch.setattr(hosts, "TRIES", 1)
    with socket.socket() as full, socket.socket() as first, socket.socket() as second:
        full.bind((CLOSED, host.reach.https_port))
        full.listen(0)
        for one in (first, second):  # the queue of connections that nobody accepts
            one.setblocking(False)
            one.connect_ex((CLOSED, host.reach.https_port))
        assert _fails(host.call({}), address=CLOSED) == (
            f"{HOST} at {CLOSED}:{host.reach.https_port} accepted no connection within 0.2 s."
            " Look at that host and run up again."
        )


def test_a_reset_is_tried_again(host: Net) -> None:
    host.hosts.replies[HOST, "/health"] = [Reply(how="reset"), Reply()]
    assert hosts.get(host.call({}), HOST, "/health").status_code == 200
    assert host.hosts.count("/health") == 2


def test_a_reset_that_stays(host: Net) -> None:
    host.hosts.replies[HOST, "/health"] = Reply(how="reset")
    assert _fails(host.call({})) == (
        f"{HOST} at {NEW}:{host.reach.https_port} broke the connection off instead of answering GET /health."
        " Look at that host and run up again."
    )
    assert host.hosts.count("/health") == hosts.TRIES


def test_a_500_is_tried_again_and_a_404_is_not(host: Net) -> None:
    host.hosts.replies[HOST, "/health"] = [Reply(500), Reply(503), Reply()]
    assert hosts.get(host.call({}), HOST, "/health").status_code == 200
    assert _fails(host.call({}), "/nothing") == (
        f"{HOST} at {NEW} answered 404 to GET /nothing; expected 200. Look at that host and run up again."
    )
    assert host.hosts.count("/nothing") == 1


def test_a_500_that_stays(host: Net) -> None:
    host.hosts.replies[HOST, "/health"] = Reply(500, "token=abc and a traceback")
    assert _fails(host.call({}), "/health?token=abc") == (
        f"{HOST} at {NEW} answered 500 to GET /health; expected 200. Look at that host and run up again."
    )
    assert host.hosts.count("/health") == hosts.TRIES


def test_a_redirect_is_told_and_not_followed(host: Net) -> None:
    host.hosts.replies[HOST, "/health"] = Reply(307, "", {"Location": "https://login.example/?next=secret"})
    assert _fails(host.call({})) == (
        f"{HOST} at {NEW} answered 307 to GET /health; expected 200. It redirects to login.example."
        " Look at that host and run up again."
    )


def test_an_answer_that_was_packed_unasked(host: Net) -> None:
    packed = {"Content-Encoding": "gzip"}
    host.hosts.replies[HOST, "/health"] = Reply(200, gzip.compress(b"ok"), packed)
    assert hosts.get(host.call({}), HOST, "/health").text == "ok"
    host.hosts.replies[HOST, "/health"] = Reply(200, b"no gzip", packed)
    assert _fails(host.call({})) == (
        f"{HOST} at {NEW}:{host.reach.https_port} answered GET /health with a body that cannot be unpacked."
        " Look at that host and run up again."
    )


def test_a_body_that_is_too_long_is_no_answer(host: Net) -> None:
    """Cut off it would be taken for the whole, and two files that begin alike for one."""
    host.hosts.replies[HOST, "/health"] = Reply(200, b"x" * (wire.MOST + 1))
    assert _fails(host.call({})) == (
        f"{HOST} at {NEW}:{host.reach.https_port} answered GET /health with more than 10 MB."
        " Look at that host and run up again."
    )
    assert host.hosts.count("/health") == 1


def test_nothing_is_sent_once_the_time_is_over(host: Net) -> None:
    assert _fails(host.call({}, seconds=0), address=NEW) == (
        f"No time was left for GET /health at {HOST}. Run up again."
    )
    assert host.hosts.greeted == []


def test_a_429_is_repeated_after_the_time_it_asks_for(host: Net) -> None:
    host.hosts.replies[HOST, "/health"] = [Reply(429, "", {"Retry-After": "1"}), Reply()]
    begun = time.monotonic()
    assert hosts.get(host.call({}), HOST, "/health").status_code == 200
    assert 1 <= time.monotonic() - begun < 3


def test_a_429_that_asks_for_longer_than_the_step_has(host: Net) -> None:
    host.hosts.replies[HOST, "/health"] = Reply(429, "", {"Retry-After": "120"})
    when = datetime.now(UTC) + timedelta(seconds=120)
    said = _fails(host.call({}))
    assert host.hosts.count("/health") == 1
    pattern = (
        rf"{HOST} at {NEW} answered 429 to GET /health; expected 200. It asks to wait 120 s:"
        r" run up again after (\d\d:\d\d:\d\d) UTC\."
    )
    found = re.fullmatch(pattern, said)
    assert found is not None, said
    assert found[1] in {f"{when + timedelta(seconds=late):%H:%M:%S}" for late in range(3)}


def test_a_retry_after_may_be_a_date(host: Net) -> None:
    """The server's clock is decades off: only the difference of its two dates counts."""
    dates = {"Retry-After": "Mon, 01 Jan 2001 00:10:00 GMT", "Date": "Mon, 01 Jan 2001 00:00:00 GMT"}
    host.hosts.replies[HOST, "/health"] = Reply(503, "", dates)
    assert re.search(r"It asks to wait 600 s: run up again after \d\d:\d\d:\d\d UTC\.$", _fails(host.call({})))
    assert host.hosts.count("/health") == 1


def test_a_retry_after_beyond_all_measure_is_a_day(host: Net) -> None:
    host.hosts.replies[HOST, "/health"] = Reply(503, "", {"Retry-After": "9" * 400})
    assert "It asks to wait 86400 s: run up again after " in _fails(host.call({}))


@pytest.mark.parametrize("given", ["soon", "\u00b2"])
def test_a_retry_after_that_is_neither_is_ignored(host: Net, given: str) -> None:
    host.hosts.replies[HOST, "/health"] = Reply(503, "", {"Retry-After": given})
    assert _fails(host.call({})).endswith(
        "answered 503 to GET /health; expected 200. Look at that host and run up again."
    )


def test_a_certificate_of_another_name(host: Net) -> None:
    host.hosts.certify(HOST, "other.example", "*.vercel.example")
    assert _fails(host.call({})) == (
        f"{HOST} at {NEW} shows a certificate of another name: other.example, *.vercel.example."
        " Give that host a valid certificate for its name there, and run up again."
    )
    assert host.hosts.asked == []
    assert host.hosts.greeted == [HOST, HOST]  # one that was refused, and one to read the names: no further try


def test_many_other_names_are_cut_short(host: Net) -> None:
    host.hosts.certify(HOST, *(f"h{number}.example" for number in range(7)))
    assert "another name: h0.example, h1.example, h2.example, h3.example, h4.example and 2 more. Give" in _fails(
        host.call({})
    )


def test_an_expired_certificate(host: Net) -> None:
    ends = datetime.now(UTC) - timedelta(days=3)
    host.hosts.certify(HOST, ends=ends)
    assert _fails(host.call({})) == (
        f"{HOST} at {NEW} shows a certificate that expired at {ends:%Y-%m-%d %H:%M} UTC."
        " Give that host a valid certificate for its name there, and run up again."
    )


def test_a_certificate_from_the_future(host: Net) -> None:
    starts = datetime.now(UTC) + timedelta(days=3)
    host.hosts.certify(HOST, starts=starts)
    assert _fails(host.call({})) == (
        f"{HOST} at {NEW} shows a certificate that is not valid before {starts:%Y-%m-%d %H:%M} UTC."
        " Give that host a valid certificate for its name there, and run up again."
    )


def test_a_certificate_that_nobody_trusted_signed(host: Net) -> None:
    host.hosts.certify(HOST, by=trustme.CA())
    assert _fails(host.call({})) == (
        f"{HOST} at {NEW} shows a certificate that nobody trusted here has signed (unable to get local issuer"
        " certificate). Give that host a valid certificate for its name there, and run up again."
    )


def test_a_host_that_speaks_no_tls(host: Net) -> None:
    with socket.create_server((CLOSED, host.reach.https_port)) as plain:

        def answer() -> None:
            for _ in range(hosts.TRIES):
                connection, _ = plain.accept()
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
                connection.close()

        threading.Thread(target=answer, daemon=True).start()
        assert re.fullmatch(
            rf"{HOST} at {CLOSED}:\d+ cannot be connected to \(.*\)\. Look at that host and run up again\.",
            _fails(host.call({}), address=CLOSED),
        )


def test_an_answer_brings_the_certificate_that_was_verified(host: Net) -> None:
    ends = datetime.now(UTC).replace(microsecond=0) + timedelta(days=30)
    host.hosts.certify(HOST, HOST, "*.shop.example", ends=ends)
    answer = hosts.get(host.call({}), HOST, "/health", address=NEW)
    shown = Certificate.of(answer.extensions["certificate"])
    assert shown.as_json() == {"names": [HOST, "*.shop.example"], "not_after": ends.isoformat()}
    assert host.hosts.greeted == [HOST]


def test_the_environments_proxy_is_not_used(host: Net, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    assert isinstance(hosts.get(host.call({}), HOST, "/health"), httpx.Response)
