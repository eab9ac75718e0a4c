"""One HTTP server on the loopback for all vendors, each under its name as the first segment of the path."""

from __future__ import annotations

import functools
import json
import threading
from collections.abc import Iterable
from typing import Any

from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule
from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.wrappers import Request, Response

from runbook.rehearsal.clouds.behaviours import UNVERIFIED
from runbook.rehearsal.clouds.faults import CloudError, Faults, Lost, Swallowed
from runbook.rehearsal.clouds.net import broken
from runbook.rehearsal.clouds.store import Store
from runbook.rehearsal.clouds.web.asking import Answer, Ask, Clock, Malformed, Refusal, Refused, Route, Vendor


class _Quiet(WSGIRequestHandler):
    """Logs nothing: a line would hold the query. A connection ends with its answer, so that none outlives `close`."""

    protocol_version = "HTTP/1.0"

    def log(self, type: str, message: str, *args: Any) -> None:
        pass


class WebServer:
    """Serves from threads of the calling process until `close`."""

    def __init__(self, store: Store, faults: Faults, clock: Clock, vendors: tuple[Vendor, ...]) -> None:
        self._store, self._faults, self._clock = store, faults, clock
        self._vendors = {vendor.name: vendor for vendor in vendors}
        self._paths = _paths(vendors)
        self._server = make_server("127.0.0.1", 0, self._wsgi, threaded=True, request_handler=_Quiet)
        self.port: int = self._server.server_port
        # Asked for every 10 ms whether it is to stop: the 500 ms that are usual would be felt in each test.
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _wsgi(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        with Request(environ) as request:  # which closes what was uploaded
            response = self._answer(request)
        return response(environ, start_response)

    def _answer(self, request: Request) -> Response:
        now = self._clock.now()
        for vendor in self._vendors.values():
            vendor.catch_up(self._store, now, self._faults)
        if request.path == "/clock":
            return Response(now.isoformat(), mimetype="text/plain")
        asked = self._vendors.get(request.path.split("/")[1])
        if asked is None:
            return Response(f"No vendor here is called so: there are {', '.join(self._vendors)}.\n", 404)
        return self._routed(asked, request)

    def _routed(self, vendor: Vendor, request: Request) -> Response:
        try:
            route, path = self._paths.bind_to_environ(request.environ).match()
        except HTTPException:
            self._store.count(vendor.name, request.path.removeprefix(f"/{vendor.name}"), request.method)
            return _response(_refused(vendor, vendor.no_route))
        assert isinstance(route, Route)
        self._store.count(vendor.name, route.template, route.method)
        fault = self._fault(vendor, route, request.path)
        # By the clock as it is after what a fault made it wait.
        ask = Ask(self._store, self._clock.now(), request, path)
        if fault is None:
            with self._store.lock:
                return _response(self._act(vendor, route, ask))
        if isinstance(fault.how, Swallowed):
            with self._store.undone():
                return _response(self._act(vendor, route, ask))
        if isinstance(fault.how, Lost):
            with self._store.lock:
                self._act(vendor, route, ask)
        return broken.answer(fault, request.environ, self._faults, lambda status, text: _worded(vendor, status, text))

    def _fault(self, vendor: Vendor, route: Route, asked: str) -> CloudError | None:
        try:
            self._faults.meet(vendor.name, route.method, route.template, asked)
        except CloudError as error:
            return error
        return None

    def _act(self, vendor: Vendor, route: Route, ask: Ask) -> Answer:
        try:
            vendor.admit(ask)
            return route.act(ask)
        except Malformed:
            return _refused(vendor, vendor.malformed)
        except Refused as refused:
            return Answer(vendor.said(refused.refusal, str(refused)), refused.refusal.status, refused.headers)


def _refused(vendor: Vendor, refusal: Refusal) -> Answer:
    return Answer(vendor.said(refusal, refusal.text), refusal.status)


def _worded(vendor: Vendor, status: int, text: str) -> Any:
    return vendor.said(Refusal(status, "internal_error", text, UNVERIFIED), text)


def _response(answer: Answer) -> Response:
    if answer.body is None or isinstance(answer.body, str):
        response = Response(answer.body or "", answer.status, mimetype="text/plain")
    else:
        response = Response(json.dumps(answer.body), answer.status, mimetype="application/json")
    response.headers.extend(answer.headers)
    return response


@functools.cache
def _paths(vendors: tuple[Vendor, ...]) -> Map:
    return Map(
        [
            Rule(f"/{vendor.name}{_rule(route.template)}", methods=[route.method], endpoint=route)
            for vendor in vendors
            for route in vendor.routes
        ],
        strict_slashes=False,
        merge_slashes=False,
    )


def _rule(template: str) -> str:
    return template.replace("{", "<").replace("}", ">")
