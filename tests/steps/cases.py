"""Every step that acts over HTTP, with a server on which it succeeds: what the tests of misbehaviour start from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from runbook.model.cutover.step import Kind
from tests.steps.misbehaving import Reply, Server

PROJECT, REF, ZONE = "/v9/projects/prj_1", "abcdefghijklmnopqrst", "0" * 32
TOKENS = {
    "vercel": ("VERCEL_API_TOKEN", "vercel-token-0123456789"),
    "cloudflare": ("CLOUDFLARE_API_TOKEN", "cloudflare-token-0123456789"),
    "supabase": ("SUPABASE_ACCESS_TOKEN", "sbp_0123456789abcdef"),
    "slack": ("SLACK_BOT_TOKEN", "xoxb-0123456789"),
    "pagerduty": ("PAGERDUTY_ROUTING_KEY", "0123456789abcdef0123456789abcdef"),
    "grafana": ("GRAFANA_AUTH", "glsa_0123456789"),
}
PROMOTED = {"targets": {"production": {"id": "dpl_next"}}}
SERVING = {"targets": {"production": {"id": "dpl_was"}}}
REMINDER = {
    "channel": "#ops",
    "text": "Cutover on Monday 22:00.",
    "at": "2026-03-01T20:00:10+00:00",
    "until": "2026-03-02T20:00:10+00:00",
    "marker": "ibimina-prod reminder",
}
BUILD = {
    "team": "acme",
    "project": "staff",
    "project_id": "prj_1",
    "release": "v1.2.3",
    "repository": "acme/apps",
    "env": {"NEXT_PUBLIC_APP_URL": "https://staff.example"},
    "generation": 2,
}
MADE = Reply(200, {"id": "dpl_next", "url": "staff-next.vercel.app", "readyState": "QUEUED"})


@dataclass(frozen=True)
class Case:
    """`routes`: what the server answers, so that the step succeeds. `acts`: the route that changes something.
    `again`: whether that is sent again when its answer was lost."""

    kind: Kind
    vendor: str
    args: Mapping[str, Any]
    routes: Mapping[str, tuple[Any, ...]]
    acts: str
    again: bool
    secrets: Mapping[str, str] = field(default_factory=dict)
    read: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    label: str = ""

    @property
    def token(self) -> tuple[str, str]:
        """The name of the secret and its value."""
        return TOKENS[self.vendor]

    @property
    def vendor_name(self) -> str:
        return {"pagerduty": "PagerDuty"}.get(self.vendor, self.vendor.capitalize())

    def given(self) -> dict[str, Any]:
        """What `call` takes."""
        return {"args": self.args, "secrets": dict([self.token]) | dict(self.secrets), "read": self.read}

    def set_up(self, server: Server) -> None:
        for route, replies in self.routes.items():
            server.on(route, *replies)


_VERCEL = {"team": "acme", "project_id": "prj_1"}
_OURS = {"build-staff": {"deployment": "dpl_next"}}
_SLACK = {"ok": True, "channel": "C1", "ts": "1.2", "scheduled_message_id": "Q1"}
_LISTED = {"ok": True, "scheduled_messages": [], "response_metadata": {"next_cursor": ""}}

CASES = [
    Case(
        Kind.BUILD,
        "vercel",
        BUILD,
        {"GET /v6/deployments": ({"deployments": []},), "POST /v13/deployments": (MADE,)},
        "POST /v13/deployments",
        again=False,
        secrets={"env:TRUSTED_COOKIE_SECRET": "cookie-secret-0123456789"},
    ),
    Case(
        Kind.PROMOTE,
        "vercel",
        _VERCEL,
        {f"GET {PROJECT}": (SERVING, PROMOTED), "POST /v10/projects/prj_1/promote/dpl_next": (Reply(202, b""),)},
        "POST /v10/projects/prj_1/promote/dpl_next",
        again=True,
        read=_OURS,
    ),
    Case(
        Kind.ROLL_BACK,
        "vercel",
        {**_VERCEL, "deployment": "dpl_was"},
        {f"GET {PROJECT}": (PROMOTED, SERVING), "POST /v1/projects/prj_1/rollback/dpl_was": (Reply(201, b""),)},
        "POST /v1/projects/prj_1/rollback/dpl_was",
        again=True,
        read=_OURS,
    ),
    Case(
        Kind.REASSIGN,
        "vercel",
        _VERCEL,
        {
            f"GET {PROJECT}": ({**SERVING, "lastRollbackTarget": {"toDeploymentId": "dpl_was"}}, SERVING),
            "POST /v10/projects/prj_1/promote/dpl_was": (Reply(201, b""),),
        },
        "POST /v10/projects/prj_1/promote/dpl_was",
        again=True,
    ),
    Case(
        Kind.PURGE,
        "cloudflare",
        {"zone_id": ZONE, "hosts": ["staff.example", "app.example"]},
        {f"POST /zones/{ZONE}/purge_cache": ({"success": True, "result": {"id": ZONE}},)},
        f"POST /zones/{ZONE}/purge_cache",
        again=True,
    ),
    Case(
        Kind.END_SESSIONS,
        "supabase",
        {"ref": REF},
        {f"POST /v1/projects/{REF}/database/query": (Reply(201, [{"sessions": 3, "refresh_tokens": "1"}]),)},
        f"POST /v1/projects/{REF}/database/query",
        again=True,
    ),
    Case(
        Kind.AUTH_SETTINGS,
        "supabase",
        {"refs": {REF: {"site_url": "https://staff.example", "uri_allow_list": ["https://staff.example/**"]}}},
        {
            f"GET /v1/projects/{REF}/config/auth": ({"site_url": "https://old.example", "uri_allow_list": None},),
            f"PATCH /v1/projects/{REF}/config/auth": ({},),
        },
        f"PATCH /v1/projects/{REF}/config/auth",
        again=True,
    ),
    Case(
        Kind.CUSTOM_HOSTNAME,
        "supabase",
        {"ref": REF, "host": "auth.example"},
        {
            f"GET /v1/projects/{REF}/custom-hostname": (
                {"status": "2_initiated", "custom_hostname": "auth.example"},
            ),
            f"POST /v1/projects/{REF}/custom-hostname/reverify": (
                Reply(201, {"status": "4_origin_setup_completed"}),
            ),
            f"POST /v1/projects/{REF}/custom-hostname/activate": (Reply(201, {"status": "5_services_reconfigured"}),),
        },
        f"POST /v1/projects/{REF}/custom-hostname/activate",
        again=True,
        label="activate",
    ),
    Case(
        Kind.CUSTOM_HOSTNAME,
        "supabase",
        {"ref": REF, "host": "auth.example"},
        {
            f"GET /v1/projects/{REF}/custom-hostname": ({"status": "1_not_started", "custom_hostname": ""},),
            f"POST /v1/projects/{REF}/custom-hostname/initialize": (Reply(201, {"status": "2_initiated"}),),
            f"POST /v1/projects/{REF}/custom-hostname/reverify": (
                Reply(201, {"status": "4_origin_setup_completed"}),
            ),
            f"POST /v1/projects/{REF}/custom-hostname/activate": (Reply(201, {"status": "5_services_reconfigured"}),),
        },
        f"POST /v1/projects/{REF}/custom-hostname/initialize",
        again=True,
        label="initialize",
    ),
    Case(
        Kind.DEPLOY_FUNCTION,
        "supabase",
        {"ref": REF, "slug": "metrics-exporter", "source": __file__, "tag": "v1.2.3"},
        {
            f"GET /v1/projects/{REF}/functions/metrics-exporter": ({"version": 4, "verify_jwt": False},),
            f"POST /v1/projects/{REF}/functions/deploy": (Reply(201, {"version": 5}),),
        },
        f"POST /v1/projects/{REF}/functions/deploy",
        again=True,
    ),
    Case(
        Kind.PAGE,
        "pagerduty",
        {
            "summary": "Rolled back",
            "source": "ibimina-prod",
            "severity": "critical",
            "dedup_key": "ibimina-prod-2-back",
            "custom_details": {"database": "nothing runs it"},
        },
        {"POST /v2/enqueue": (Reply(202, {"status": "success"}),)},
        "POST /v2/enqueue",
        again=True,
    ),
    Case(
        Kind.REMIND,
        "slack",
        REMINDER,
        {"POST /chat.scheduledMessages.list": (_LISTED,), "POST /chat.scheduleMessage": (_SLACK,)},
        "POST /chat.scheduleMessage",
        again=False,
        label="schedule",
    ),
    Case(
        Kind.REMIND,
        "slack",
        {**REMINDER, "at": "2026-03-01T19:00:00+00:00"},
        {"POST /chat.scheduledMessages.list": (_LISTED,), "POST /chat.postMessage": (_SLACK,)},
        "POST /chat.postMessage",
        again=False,
        label="late",
    ),
    Case(
        Kind.ANNOUNCE,
        "slack",
        {"channel": "#ops", "text": "Flipped."},
        {"POST /chat.postMessage": (_SLACK,)},
        "POST /chat.postMessage",
        again=False,
    ),
    Case(
        Kind.ANNOTATE,
        "grafana",
        {"text": "Flip", "tags": ["cutover", "ibimina-prod"]},
        {"GET /api/annotations": ([],), "POST /api/annotations": ({"id": 7, "message": "Annotation added"},)},
        "POST /api/annotations",
        again=False,
    ),
]


def name(case: Case) -> str:
    return f"{case.kind.value}-{case.label}".rstrip("-")
