"""The port on which the practice ground's process is asked for something, by commands of the same person."""

from __future__ import annotations

import hmac
import json
import secrets
import threading
from collections.abc import Callable, Mapping
from typing import Any

from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.wrappers import Request, Response

from runbook.cli.codes import Code
from runbook.cli.errors import CliError
from runbook.cli.practice.asking import TOKEN

Answer = Callable[[Mapping[str, Any]], dict[str, Any]]


class _Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: Any) -> None:
        """Nothing."""


class Port:
    """Answers from a thread of its own until `close`: POST /WORD with a JSON object, by the function of that word. A
    CliError that one raises is answered as such."""

    def __init__(self, answers: Mapping[str, Answer]) -> None:
        self._answers = answers
        self.token = secrets.token_urlsafe(24)
        self._server = make_server("127.0.0.1", 0, self._asked, threaded=True, request_handler=_Quiet)
        self.number: int = self._server.server_port
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _asked(self, environ: dict[str, Any], start_response: Any) -> Any:
        request = Request(environ)
        response = self._answer(request)
        return response(environ, start_response)

    def _answer(self, request: Request) -> Response:
        answer = self._answers.get(request.path.strip("/"))
        if not hmac.compare_digest(request.headers.get(TOKEN, ""), self.token) or answer is None:
            return _response(404, CliError("Nothing here.", "", Code.USAGE).as_json())
        try:
            return _response(200, answer(json.loads(request.get_data() or b"{}")))
        except CliError as error:
            return _response(400, error.as_json())


def _response(status: int, body: Mapping[str, Any]) -> Response:
    return Response(json.dumps(body), status, mimetype="application/json")
