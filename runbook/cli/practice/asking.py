"""Asking the practice ground's process for something."""

from __future__ import annotations

import http.client
import json
from typing import Any

from runbook.cli.codes import Code
from runbook.cli.errors import CliError
from runbook.cli.practice.ground import Ground

LIMIT = 20  # seconds; moving the clock ends builds and promotions that are due
TOKEN = "X-Practice-Token"  # so that no web page in a browser on this machine can ask
START, STOP = "./cutover practice start", "./cutover practice stop"


class Unanswered(Exception):
    """It runs and does not answer; while it starts that is no error."""


def ask(ground: Ground, what: str, /, **values: Any) -> dict[str, Any]:
    """What it answers. Raises: CliError with its own sentence when it refuses, Unanswered when it does not answer."""
    note = ground.note()
    if note is None:
        raise Unanswered
    connection = http.client.HTTPConnection("127.0.0.1", note["port"], timeout=LIMIT)
    try:
        connection.request("POST", f"/{what}", json.dumps(values), {TOKEN: note["token"]})
        response = connection.getresponse()
        found: dict[str, Any] = json.loads(response.read())
    except (OSError, http.client.HTTPException, ValueError):
        raise Unanswered from None
    finally:
        connection.close()
    if response.status != 200:
        raise CliError(found["error"], found["remedy"], Code(found["code"]))
    return found


def ready(ground: Ground) -> dict[str, Any]:
    """How the practice stands, once it is up. Raises: CliError when it is not."""
    if not ground.running:
        raise gone(ground)
    try:
        found = ask(ground, "status")
    except Unanswered:
        raise silent(ground) from None
    if found["stage"] != "ready":
        raise CliError("The practice is not up yet.", f"Wait for it: {START}")
    return found


def gone(ground: Ground) -> CliError:
    """No process runs: why, as far as it is known."""
    ended = ground.ended()
    if ended:
        return CliError(ended["sentence"], ended["remedy"])
    if ground.inner.exists():
        number = f" (process {ground.pid})" if ground.pid else ""
        return CliError(
            f"The practice in {ground.shown(ground.folder)} has ended without a word{number}: it was killed, or the "
            "machine was started anew.",
            f"Begin a new one: {START}",
        )
    return CliError("No practice is running.", f"Begin one: {START}")


def silent(ground: Ground) -> CliError:
    """It runs, and its port is gone."""
    return CliError(
        f"The practice (process {ground.pid}) does not answer; {ground.shown(ground.log)} may say why.",
        f"End it with {STOP} and begin a new one: {START}",
    )
