"""Over HTTP a fault is an answer with any status, headers and body, a connection that hangs, or one that is reset."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from werkzeug.serving import BaseWSGIServer, make_server
from werkzeug.wrappers import Request, Response

from runbook.rehearsal.clouds.faults import Answer, CloudError, Faults, Hang, Reset
from runbook.rehearsal.clouds.net.broken import answer

_TEMPLATE = "/v10/projects/<id>/promote/<build>"


@pytest.fixture
def faults() -> Faults:
    return Faults()


@pytest.fixture
def vercel(faults: Faults) -> Iterator[httpx.Client]:
    """A front end of one path."""

    def app(environ: dict[str, Any], start: Any) -> Any:
        request = Request(environ)
        try:
            faults.meet("vercel", request.method, _TEMPLATE, request.path)
        except CloudError as error:
            return answer(error, environ, faults)(environ, start)
        return Response("done")(environ, start)

    server: BaseWSGIServer = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    with httpx.Client(base_url=f"http://127.0.0.1:{server.port}", trust_env=False, timeout=0.5) as client:
        yield client
    faults.over.set()
    server.shutdown()
    thread.join()
    server.server_close()


def _promote(client: httpx.Client) -> httpx.Response:
    return client.post("/v10/projects/prj_1/promote/dpl_1")


def test_it_answers_with_any_status_header_and_body(faults: Faults, vercel: httpx.Client) -> None:
    wait = Answer(429, {"Retry-After": "7"})
    faults.fail("vercel", method="POST", kind="/v10/projects/…/promote/…", message="slow down", how=wait)
    first, second = _promote(vercel), _promote(vercel)
    assert (first.status_code, first.headers["Retry-After"]) == (429, "7")
    assert first.json() == {"message": "vercel: slow down"}
    assert (second.status_code, second.text) == (200, "done")
    faults.fail("vercel", message="", how=Answer(200, body="<html>"))
    assert _promote(vercel).text == "<html>"


def test_without_more_said_it_is_a_503_and_only_what_matches_fails(faults: Faults, vercel: httpx.Client) -> None:
    faults.fail("vercel", kind="/v10/projects/…", message="the path is longer")
    faults.fail("vercel", method="GET", message="another method")
    faults.fail("vercel", name="prj_2", message="another project")
    assert _promote(vercel).status_code == 200
    faults.down("vercel")
    assert _promote(vercel).status_code == 503
    faults.up("vercel")
    assert _promote(vercel).status_code == 200


def test_a_reset_is_seen_as_one(faults: Faults, vercel: httpx.Client) -> None:
    faults.down("vercel", how=Reset())
    with pytest.raises(httpx.ReadError):  # the server disconnecting politely would be a RemoteProtocolError
        _promote(vercel)


def test_a_call_that_hangs_does_so_until_the_clouds_end(faults: Faults, vercel: httpx.Client) -> None:
    faults.down("vercel", how=Hang())
    start = time.monotonic()
    with pytest.raises(httpx.ReadTimeout):
        _promote(vercel)
    assert time.monotonic() - start >= 0.5
