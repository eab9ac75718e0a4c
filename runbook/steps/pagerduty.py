"""Pages. Source: https://developer.pagerduty.com/docs/events-api-v2/trigger-events/."""

from __future__ import annotations

from typing import Any

from runbook.steps import http
from runbook.steps.call import Call
from runbook.steps.vendors import Vendor

PAGERDUTY = Vendor(
    name="PagerDuty",
    key="pagerduty",
    secret="PAGERDUTY_ROUTING_KEY",
    needs="an integration of the type Events API v2",
    missing="Check the endpoint.",
    status="https://status.pagerduty.com",
)
_LONGEST = 1024  # characters of a summary; a longer one is refused, and a cut one still wakes somebody


def page(call: Call) -> dict[str, Any]:
    """Wakes the person on call. Twice is one incident: the key `dedup_key` is the same."""
    args = call.args
    body = {
        "routing_key": PAGERDUTY.token(call),  # this interface takes it nowhere else
        "event_action": "trigger",
        "dedup_key": args["dedup_key"],
        "payload": {
            "summary": args["summary"][:_LONGEST],
            "source": args["source"],
            "severity": args["severity"],
            "custom_details": args["custom_details"],
        },
    }
    remedy = PAGERDUTY.remedies() | {400: "Check PAGERDUTY_ROUTING_KEY and the severity, and page by hand."}
    url = call.reach.apis[PAGERDUTY.key] + "/v2/enqueue"
    http.ask(call, "POST", url, json=body, expect=(202,), what=PAGERDUTY.name, remedy=remedy)
    return {"dedup_key": args["dedup_key"], "status": 202}
