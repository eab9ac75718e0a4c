"""The vendors' interfaces: where they are, which secret opens them, and how to mend what they refuse."""

from __future__ import annotations

import base64
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from runbook.steps import http
from runbook.steps.call import Call, StepError

PAUSE = 0.5  # seconds between two looks at something that a vendor does in its own time
_LOOK = 1.0  # seconds that a look may take: one that is cut short would hide what the one before it saw


@dataclass(frozen=True)
class Answer:
    """A JSON body, and what was asked for it ("GET /v9/projects/prj_1 of Vercel"). Wrong shapes raise StepError."""

    asked: str
    status: int
    body: Any

    def at(self, *path: str | int) -> Any:
        """What stands there, None when nothing does."""
        found = self.body
        for key in path:
            if isinstance(found, dict) and isinstance(key, str):
                found = found.get(key)
            elif isinstance(found, list) and isinstance(key, int) and key < len(found):
                found = found[key]
            else:
                return None
        return found

    def text(self, *path: str | int) -> str:
        found = self.at(*path)
        if isinstance(found, str) and found:
            return found
        raise self._lacks("a text", *path)

    def number(self, *path: str | int) -> int:
        found = self.at(*path)
        if isinstance(found, str) and found.isdecimal():
            return int(found)  # PostgreSQL's bigint arrives as a text from some versions of the SQL endpoint
        if isinstance(found, int) and not isinstance(found, bool):
            return found
        raise self._lacks("a number", *path)

    def objects(self, *path: str | int) -> list[dict[str, Any]]:
        found = self.at(*path)
        if isinstance(found, list) and all(isinstance(item, dict) for item in found):
            return found
        raise self._lacks("a list of objects", *path)

    def _lacks(self, what: str, *path: str | int) -> StepError:
        where = f" at {'.'.join(map(str, path))}" if path else ""
        return StepError(
            f"The answer to {self.asked} has not {what}{where}, as its documentation says it has. Check the endpoint;"
            " if it is right, do by hand what the step does, and report it."
        )


@dataclass(frozen=True)
class Vendor:
    """`key`: its name in `Reach.apis`. `secret`: the one a call must bring. `needs`: what that must be allowed to do.
    `missing`: what to check on 404. `status`: the page on which it says that it is down; unverified."""

    name: str
    key: str
    secret: str
    needs: str
    missing: str
    status: str

    def get(self, call: Call, path: str, **rest: Any) -> Answer:
        return self.ask(call, "GET", path, **rest)

    def ask(self, call: Call, method: str, path: str, **rest: Any) -> Answer:
        """The JSON answer. `path` begins with a slash; `rest` is http.ask's."""
        return _read(self.send(call, method, path, **rest), f"{method} {path} of {self.name}")

    def send(
        self, call: Call, method: str, path: str, *, remedy: Mapping[int, str] | None = None, **rest: Any
    ) -> httpx.Response:
        """As `ask`, for an answer whose body says nothing. `remedy` adds to the vendor's own."""
        headers = {"accept": "application/json", **self.authorization(call)}
        url, remedies = call.reach.apis[self.key] + path, {**self.remedies(), **(remedy or {})}
        return http.ask(call, method, url, headers=headers, what=self.name, remedy=remedies, **rest)

    def authorization(self, call: Call) -> dict[str, str]:
        """user:password, which Grafana takes too, becomes Basic."""
        token = self.token(call)
        if ":" in token:
            return {"authorization": "Basic " + base64.b64encode(token.encode()).decode()}
        return {"authorization": f"Bearer {token}"}

    def token(self, call: Call) -> str:
        token = call.secrets.get(self.secret, "")
        if not token:
            raise StepError(
                f"{self.secret} is not set: {self.name} is asked nothing without it. Set it, then run up again."
            )
        if not token.isascii() or not token.isprintable() or " " in token:
            raise StepError(f"{self.secret} has a blank or another character that no token has: set it again.")
        return token

    def remedies(self) -> dict[int, str]:
        return {
            401: f"{self.secret} is wrong, expired or revoked: set a new one.",
            403: f"{self.secret} is wrong or may not do this: it needs {self.needs}.",
            404: self.missing,
            500: f"See {self.status}, then run up again.",
        }


def _read(response: httpx.Response, asked: str) -> Answer:
    try:
        body = response.json()
    except (ValueError, RecursionError):
        kind = response.headers.get("content-type", "no content type").partition(";")[0]
        raise StepError(
            f"The answer to {asked} is not JSON ({response.status_code}, {kind}): something else than the vendor may"
            " answer there. Check the endpoint and the proxy."
        ) from None
    return Answer(asked, response.status_code, body)


def looks(call: Call) -> Iterator[None]:
    """One turn per look, with a pause between two, for as long as the call has time for another."""
    yield
    while call.left() > PAUSE + _LOOK:
        time.sleep(PAUSE)
        yield
