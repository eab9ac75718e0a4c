"""Marks in Grafana's graphs. Source: https://grafana.com/docs/grafana/latest/developers/http_api/annotations/."""

from __future__ import annotations

from typing import Any

from runbook.steps.call import Call
from runbook.steps.vendors import Vendor

GRAFANA = Vendor(
    name="Grafana",
    key="grafana",
    secret="GRAFANA_AUTH",
    needs="annotations:read and annotations:create for the organization",
    missing="Check the URL of Grafana.",
    status="https://status.grafana.com",
)


def annotate(call: Call) -> dict[str, Any]:
    """A mark that all dashboards can show, tagged with the crossing beside args.tags.

    It looks for one with all these tags first. It is not sent again when an answer was lost: the next `up` finds it.
    """
    tags = [*call.args["tags"], call.trigger]
    # Without matchAny an annotation must have every tag.
    found = GRAFANA.get(call, "/api/annotations", params={"tags": tags, "type": "annotation"})
    if found.objects():
        return {"id": found.number(0, "id"), "already": True}
    body = {"text": call.args["text"], "tags": tags, "time": int(call.reach.now().timestamp() * 1000)}
    made = GRAFANA.ask(call, "POST", "/api/annotations", json=body, retry=False)
    return {"id": made.number("id"), "already": False}
