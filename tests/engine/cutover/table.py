"""Where a flip and its way back are stopped at each of their steps."""

from __future__ import annotations

from typing import NamedTuple

from tests.engine.cutover.hindrances import ENV

LOOKS = "it only looks"
ALONE = "test_gates.py"
DOWN = "test_down.py"  # told, with all but names and builds out of order
NO_VERCEL = "test_down.py, without Vercel"


class Stopped(NamedTuple):
    """The stop that fails here, and the one that is killed here."""

    fails: str
    killed: str


# Step, or resource that a flip changes. A step that the flip finds done is stopped where it is prepared.
FLIP = {
    "step-remind": Stopped("page", "page-written"),
    "step-build-staff": Stopped("", "preparing"),
    "step-build-member": Stopped("", "preparing"),
    "step-custom-hostname": Stopped("", "preparing"),
    "step-gate-build-staff": Stopped("gates", LOOKS),
    "step-gate-build-member": Stopped("gates", LOOKS),
    "step-gate-target-staff": Stopped("gates", LOOKS),
    "step-gate-target-member": Stopped("gates", LOOKS),
    "step-gate-target-auth": Stopped("gates", LOOKS),
    "step-gate-ttl": Stopped(ALONE, LOOKS),
    "step-gate-LOG_DRAIN_URL": Stopped("gates", LOOKS),
    "step-way-back": Stopped("page", "page-written"),
    "step-end-sessions": Stopped("sessions-refused", "sessions"),
    "step-auth-settings": Stopped("supabase-refused", "supabase"),
    "dns-cache": Stopped("cache-rules-refused", "cache-rules"),
    "step-purge": Stopped("purge-refused", "purge"),
    "dns-staff": Stopped("switch", "promote"),
    ENV: Stopped("env-refused", "env"),
    "step-promote-staff": Stopped("switch", "promote"),
    "step-promote-member": Stopped("switch", "promote"),
    "step-purge-again": Stopped("purge-again-refused", "purge-again"),
    "step-verify-dns": Stopped("verify-all", LOOKS),
    "step-verify-staff": Stopped("verify-all", LOOKS),
    "step-verify-member": Stopped("verify-all", LOOKS),
    "step-verify-auth": Stopped("verify-all", LOOKS),
    "step-verify-worker-staff": Stopped("verify-all", LOOKS),
    "step-verify-worker-member": Stopped("verify-all", LOOKS),
    "step-verify-login": Stopped("verify", LOOKS),
    "step-verify-event": Stopped("verify-all", LOOKS),
    "step-complete": Stopped("complete-refused", "complete"),
    "step-annotate": Stopped("told-refused", "told"),
    "step-announce": Stopped("told-refused", "told"),
}
BACK = {
    "step-page-pagerduty-on-call": Stopped(DOWN, "going-back"),
    "step-promote-staff": Stopped(NO_VERCEL, "going-back"),
    "step-promote-member": Stopped(NO_VERCEL, "going-back"),
    "dns-staff": Stopped("", "going-back"),
    "dns-cache": Stopped("", "going-back"),
    "step-purge-again": Stopped(DOWN, "purging-back"),
    "step-function-metrics-exporter": Stopped(DOWN, "purging-back"),
    "step-auth-settings": Stopped(DOWN, "purging-back"),
    "step-custom-hostname": Stopped(DOWN, "purging-back"),
    "step-lock": Stopped("", LOOKS),
    "step-verify-dns": Stopped(DOWN, LOOKS),
    "step-verify-staff": Stopped(DOWN, LOOKS),
    "step-verify-member": Stopped(DOWN, LOOKS),
    "step-verify-auth": Stopped(DOWN, LOOKS),
    "step-verify-login": Stopped(DOWN, "verifying-back"),
    "step-verify-event": Stopped(DOWN, "verifying-back"),
    "step-complete": Stopped("", "completing-back"),
    "step-annotate": Stopped(DOWN, "telling-back"),
    "step-announce": Stopped(DOWN, "telling-back"),
}
