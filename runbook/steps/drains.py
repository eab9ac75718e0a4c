"""The gates about drains: their endpoints answer, and an event that is made on purpose arrives."""

from __future__ import annotations

import base64
import time
from datetime import timedelta
from typing import Any

import httpx

from runbook.steps import hosts, names
from runbook.steps.call import Call, StepError
from runbook.steps.hosts import Place
from runbook.steps.http import ask
from runbook.steps.waiting import PAUSE

_LAST = 3.0  # seconds of the step's limit that the last question to Loki may take


def drain_answers(call: Call) -> dict[str, Any]:
    """The endpoint of a drain answers, with anything below 500: without the drain's own headers it may refuse.

    Errors name its host and no more of the URL, evidence not even that: the rest may hold a token.
    """
    url = httpx.URL(call.args["url"])
    secure = url.scheme == "https"
    port = url.port or (call.reach.https_port if secure else 80)
    places = [Place(url.host, one, port, url.scheme) for one in names.addresses(call.reach, url.host)]
    answer = hosts.at(call, places, "GET", url.raw_path.decode(), expect=range(200, 500), told="the drain")
    return {"status": answer.status_code}


def event_arrives(call: Call) -> dict[str, Any]:
    """Seconds until a line that holds the marker is found in Loki, after a request that an app logs with it."""
    url, marker = httpx.URL(call.args["url"]), str(call.args["marker"])
    asked_at, begun = call.reach.now(), time.monotonic()
    hosts.get(call, url.host, url.raw_path.decode(), address=names.fresh(call.reach, url.host)[0])
    between = (asked_at - timedelta(minutes=1), asked_at + timedelta(minutes=5))
    params = {
        "query": f'{call.args["query"]} |= "{marker}"',
        "start": _nanoseconds(between[0].timestamp()),
        "end": _nanoseconds(between[1].timestamp()),
        "limit": "10",
    }
    while True:
        found = _lines(call, params)
        seconds = time.monotonic() - begun
        lines = sum(marker in line for line in found)
        if lines:
            return {"seconds": round(seconds, 1), "lines": lines}
        if call.left() < _LAST + PAUSE:
            raise StepError(
                f"No line with {marker} reached Loki within {seconds:.0f} s of a request to {url.host}: look at the"
                " log drain of that project and at Loki's ingestion, and run up again."
            )
        time.sleep(PAUSE)


def _lines(call: Call, params: dict[str, str]) -> list[str]:
    """Loki's HTTP API, query_range: data.result is a list of {values: [[nanoseconds, line], …]}."""
    pair = f"{call.args['loki_user']}:{call.secrets['LOKI_TOKEN']}"
    answer = ask(
        call,
        "GET",
        f"{call.reach.apis['loki']}/loki/api/v1/query_range",
        headers={"authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"},
        params=params,
        what="Loki",
        remedy={401: "Check the secret LOKI_TOKEN and the user of it.", 400: "Check the selector of the event."},
    )
    try:
        return [line for stream in answer.json()["data"]["result"] for _, line in stream["values"]]
    except (ValueError, KeyError, TypeError) as error:
        raise StepError(
            "Loki answered GET /loki/api/v1/query_range with what is not a list of lines. Check its URL in the"
            " config, then run up again."
        ) from error


def _nanoseconds(seconds: float) -> str:
    return str(int(seconds * 1_000_000_000))
