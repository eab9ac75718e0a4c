"""What a health path answers."""

from __future__ import annotations

from collections.abc import Mapping

import httpx

from runbook.steps import hosts
from runbook.steps.call import Call, StepError


def get(
    call: Call, host: str, path: str, *, address: str | None = None, headers: Mapping[str, str] | None = None
) -> httpx.Response:
    """The answer, 200 and no web page. Errors: StepError.

    A 200 alone is given by a host that is parked, too, and by an app that shows its own page for a path it does not
    know. What stands in a healthy answer the runbooks do not say.
    """
    answer = hosts.get(call, host, path, address=address, headers=headers)
    if kind_of(answer) == "text/html" and answer.content.lstrip().startswith(b"<"):
        where = f"{host} at {address}" if address else host
        raise StepError(
            f"{where} answered GET {path} with a web page, which says nothing about health. Look at what {host}"
            " points to there, and run up again."
        )
    return answer


def kind_of(answer: httpx.Response) -> str:
    """Its content type without parameters; empty when it says none."""
    return str(answer.headers.get("content-type", "")).partition(";")[0].strip().lower()
