"""The gates that ask the hosts of the apps."""

from __future__ import annotations

import hashlib
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from runbook.model.cutover.step import Kind
from runbook.steps import answers, waiting
from runbook.steps.call import StepError
from runbook.steps.gates import GATES
from tests.steps.gates.conftest import CLOSED, NEW, OLD, ZONE, Net
from tests.steps.gates.hosts_server import Reply

HOST, BUILD = f"staff.{ZONE}", "staff-abc.vercel.example"
TARGET = "edge.vercel.example"
AGAIN = "Look at that host and run up again."
SCRIPT = {"Content-Type": "text/javascript; charset=utf-8"}
PAGE = Reply(200, "\n <!doctype html><title>Parked</title>", {"Content-Type": "text/html; charset=utf-8"})


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "SETTLING", 0)


@pytest.fixture
def apps(net: Net) -> Net:
    """The host is served at OLD by DNS; the target that is to serve it is at NEW, and the build at its own host."""
    for host in (HOST, BUILD):
        net.hosts.certify(host, ends=datetime(2100, 1, 1, tzinfo=UTC))
        net.hosts.replies[host, "/api/health"] = Reply()
        net.hosts.replies[host, "/sw.js"] = Reply(200, "const build = 'abc'", SCRIPT)
    net.record(HOST, "A", 60, OLD)
    net.resolver.records[TARGET, "A"] = (60, [NEW])
    net.resolver.records[BUILD, "A"] = (60, [NEW])
    return net


def _gate(kind: Kind, net: Net, args: dict[str, Any], **rest: Any) -> dict[str, Any]:
    return GATES[kind](net.call(args, **rest))


def _refused(kind: Kind, net: Net, args: dict[str, Any], **rest: Any) -> str:
    with pytest.raises(StepError) as error:
        _gate(kind, net, args, **rest)
    return str(error.value)


TARGET_ARGS = {"host": HOST, "target": TARGET, "health": "/api/health"}


def test_a_target_answers_for_the_host(apps: Net) -> None:
    assert _gate(Kind.TARGET_ANSWERS, apps, TARGET_ARGS) == {
        "address": NEW,
        "status": 200,
        "certificate": {"names": [HOST], "not_after": "2100-01-01T00:00:00+00:00"},
    }
    assert [(one.host, one.address) for one in apps.hosts.asked] == [(HOST, NEW)]


def test_a_target_shows_a_certificate_of_its_own_only(apps: Net) -> None:
    apps.hosts.certify(HOST, TARGET)
    assert _refused(Kind.TARGET_ANSWERS, apps, TARGET_ARGS) == (
        f"{HOST} at {NEW} shows a certificate of another name: {TARGET}."
        " Give that host a valid certificate for its name there, and run up again."
    )


def test_a_target_shows_an_expired_certificate(apps: Net) -> None:
    ends = datetime.now(UTC) - timedelta(hours=1)
    apps.hosts.certify(HOST, ends=ends)
    assert _refused(Kind.TARGET_ANSWERS, apps, TARGET_ARGS).startswith(
        f"{HOST} at {NEW} shows a certificate that expired at {ends:%Y-%m-%d %H:%M} UTC."
    )


def test_every_address_of_a_target_counts(apps: Net) -> None:
    apps.resolver.records[TARGET, "A"] = (60, [NEW, OLD])
    seen = _gate(Kind.TARGET_ANSWERS, apps, TARGET_ARGS)
    assert set(seen["address"].split(", ")) == {NEW, OLD}
    for one in (OLD, NEW):
        apps.hosts.replies[f"{HOST}@{one}", "/api/health"] = Reply(503)
        assert _refused(Kind.TARGET_ANSWERS, apps, TARGET_ARGS) == (
            f"{HOST} at {one} answered 503 to GET /api/health; expected 200. {AGAIN}"
        )
        apps.hosts.replies[f"{HOST}@{one}", "/api/health"] = Reply()


def test_a_target_that_shows_a_page_for_every_path(apps: Net) -> None:
    """Parked, or an app that lost the path: its 200 says nothing about health."""
    apps.hosts.replies[f"{HOST}@{NEW}", "/api/health"] = PAGE
    assert _refused(Kind.TARGET_ANSWERS, apps, TARGET_ARGS) == (
        f"{HOST} at {NEW} answered GET /api/health with a web page, which says nothing about health. Look at what"
        f" {HOST} points to there, and run up again."
    )


def test_a_target_that_does_not_exist(apps: Net) -> None:
    assert _refused(Kind.TARGET_ANSWERS, apps, {**TARGET_ARGS, "target": "gone.example"}) == (
        "gone.example has no address in DNS: look at its record and at what the record names."
    )


HEALTHY_ARGS = {"host": HOST, "path": "/api/health"}


def test_a_host_is_healthy_where_the_zone_says(apps: Net) -> None:
    apps.resolver.records[HOST, "A"] = (3600, [CLOSED])  # what a resolver may still hold
    assert _gate(Kind.HEALTHY, apps, HEALTHY_ARGS) == {"status": 200, "address": OLD}


@pytest.mark.parametrize("status", [204, 404, 500])
def test_a_host_that_is_not_healthy(apps: Net, status: int) -> None:
    apps.hosts.replies[HOST, "/api/health"] = Reply(status, "")
    assert _refused(Kind.HEALTHY, apps, HEALTHY_ARGS) == (
        f"{HOST} at {OLD} answered {status} to GET /api/health; expected 200. {AGAIN}"
    )


def test_a_host_that_shows_a_page_is_not_healthy(apps: Net) -> None:
    apps.hosts.replies[HOST, "/api/health"] = PAGE
    assert "answered GET /api/health with a web page" in _refused(Kind.HEALTHY, apps, HEALTHY_ARGS)


@pytest.mark.parametrize("body", ["", "ok", '{"status": "ok"}'])
def test_a_health_answer_may_be_short_and_say_html(apps: Net, body: str) -> None:
    """As Express sends a plain text."""
    apps.hosts.replies[HOST, "/api/health"] = Reply(200, body, PAGE.headers)
    assert _gate(Kind.HEALTHY, apps, HEALTHY_ARGS)["status"] == 200


def test_a_promotion_may_need_a_moment(apps: Net, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "SETTLING", 5)
    apps.hosts.replies[HOST, "/api/health"] = [Reply(404), Reply(404), Reply()]
    assert _gate(Kind.HEALTHY, apps, HEALTHY_ARGS)["status"] == 200


WORKER_ARGS = {"host": HOST, "path": "/sw.js"}
BUILT = {"build staff": {"deployment": "dpl_1", "url": BUILD}}


def test_what_needs_a_moment_ends_before_the_step_does(apps: Net, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that the gate says itself what it saw."""
    monkeypatch.setattr(answers, "SETTLING", 60)
    monkeypatch.setattr(waiting, "_SPARE", 0.6)
    apps.hosts.replies[HOST, "/api/health"] = Reply(404)
    call = apps.call(HEALTHY_ARGS, seconds=1)
    with pytest.raises(StepError, match="answered 404"):
        GATES[Kind.HEALTHY](call)
    assert call.left() > 0.2


def test_the_worker_is_the_builds(apps: Net) -> None:
    apps.record(HOST, "A", 60, NEW)
    apps.resolver.records[HOST, "A"] = (3600, [CLOSED])  # what a resolver may still hold
    digest = hashlib.sha256(b"const build = 'abc'").hexdigest()
    seen = _gate(Kind.WORKER_SERVED, apps, WORKER_ARGS, read=BUILT, secrets={"VERCEL_BYPASS_SECRET": "s3cret"})
    assert seen == {"sha256": {"host": digest, "build": digest}}
    sent = {one.host: one.headers.get("x-vercel-protection-bypass") for one in apps.hosts.asked}
    assert sent == {HOST: None, BUILD: "s3cret"}


def test_a_url_with_its_scheme_is_understood(apps: Net) -> None:
    read = {"build staff": {"url": f"https://{BUILD}"}}
    assert _gate(Kind.WORKER_SERVED, apps, WORKER_ARGS, read=read)


def test_a_stale_worker(apps: Net) -> None:
    apps.hosts.replies[HOST, "/sw.js"] = Reply(200, "const build = 'before'", SCRIPT)
    assert _refused(Kind.WORKER_SERVED, apps, WORKER_ARGS, read=BUILT) == (
        f"{HOST}/sw.js is not the service worker of the build at {BUILD}: purge the CDN for that host, or look at"
        " which build serves, and run up again."
    )


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (PAGE, "text/html"),
        (Reply(200, "", SCRIPT), "empty"),
        (Reply(200, "const build = 'abc'"), "without a content type"),
        (Reply(200, "{}", {"Content-Type": "application/json"}), "application/json"),
    ],
    ids=["page", "empty", "untold", "json"],
)
def test_what_is_no_worker_is_not_compared(apps: Net, reply: Reply, kind: str) -> None:
    """A page for every path is the same at the host and at the build, and no service worker."""
    for host in (HOST, BUILD):
        apps.hosts.replies[host, "/sw.js"] = reply
    assert _refused(Kind.WORKER_SERVED, apps, WORKER_ARGS, read=BUILT) == (
        f"{BUILD}/sw.js is {kind}, which no browser takes for a service worker: look at what {BUILD} serves there,"
        " and run up again."
    )
    apps.hosts.replies[BUILD, "/sw.js"] = Reply(200, "const build = 'abc'", SCRIPT)
    assert _refused(Kind.WORKER_SERVED, apps, WORKER_ARGS, read=BUILT).startswith(f"{HOST}/sw.js is ")


def test_workers_that_begin_alike_are_two(apps: Net) -> None:
    for host, end in ((HOST, "a"), (BUILD, "b")):
        apps.hosts.replies[host, "/sw.js"] = Reply(200, "//" * 1_000_000 + end, SCRIPT)
    assert "is not the service worker of the build" in _refused(Kind.WORKER_SERVED, apps, WORKER_ARGS, read=BUILT)


def test_a_purge_may_need_a_moment(apps: Net, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "SETTLING", 5)
    fresh = threading.Timer(
        0.2, apps.hosts.replies.__setitem__, ((HOST, "/sw.js"), Reply(200, "const build = 'abc'", SCRIPT))
    )
    apps.hosts.replies[HOST, "/sw.js"] = Reply(200, "const build = 'before'", SCRIPT)
    fresh.start()
    assert _gate(Kind.WORKER_SERVED, apps, WORKER_ARGS, read=BUILT)


def test_a_protected_build(apps: Net) -> None:
    apps.hosts.replies[BUILD, "/sw.js"] = Reply(401, "")
    assert _refused(Kind.WORKER_SERVED, apps, WORKER_ARGS, read=BUILT) == (
        f"{BUILD} at {NEW} answered 401 to GET /sw.js; expected 200. {AGAIN}"
    )


@pytest.mark.parametrize("read", [{"build staff": {}}, {**BUILT, "build member": {"url": "b.example"}}])
def test_no_build_to_compare_with(apps: Net, read: dict[str, dict[str, str]]) -> None:
    assert _refused(Kind.WORKER_SERVED, apps, WORKER_ARGS, read=read) == (
        "gate knows no build to compare with: run up again after the build step has acted."
    )
