"""Whom each alert reaches, and which rest outside business hours: the runbooks, and docs/choices.md where they are
silent. Copied by hand, so that it owes nothing to the model."""

from __future__ import annotations

# Ibimina, sections 3b and 5: a page goes to the on-call, and the product owner is told; a ticket to #ops-alerts.
_PAGE, _TICKET = ("on-call", "product-owner"), ("ops-alerts",)
# EasyMO's contact matrix.
_VOICE, _ADMIN, _FUNCTIONS, _PLATFORM = (
    ("conversational-ai",),
    ("admin-experience",),
    ("messaging",),
    ("platform-engineering",),
)

REACHED: dict[str, dict[str, tuple[str, ...]]] = {
    "ibimina": {
        "auth-failed-logins": _PAGE,
        "payment-backlog": _PAGE,
        "staff-console-uptime": _PAGE,
        "staff-console-burn-1h": _PAGE,
        "staff-console-burn-6h": _TICKET,
        "error-budget": _TICKET,
        "error-budget-burn-1h": _TICKET,
        "log-drain-silent": _PAGE,
        "log-drain-failure": _TICKET,
        "scheduled-functions": _TICKET,
        "anomaly-signal": _TICKET,
    },
    "easymo": {
        "voice-error-rate": _VOICE,
        "voice-median-latency": _VOICE,
        "voice-burn-1h": _VOICE,
        "voice-burn-6h": _VOICE,
        "voice-burn-1d": _VOICE,
        "voice-burn-3d": _VOICE,
        "lighthouse-score": _ADMIN,
        "lighthouse-regression": _ADMIN,
        "lighthouse-no-run": _ADMIN,
        "function-failures": _FUNCTIONS,
        "functions-burn-1h": _FUNCTIONS,
        "functions-burn-6h": _FUNCTIONS,
        "functions-burn-1d": _FUNCTIONS,
        "functions-burn-3d": _FUNCTIONS,
        "broker-latency": _PLATFORM,
        "broker-burn-1h": _PLATFORM,
        "broker-burn-6h": _PLATFORM,
        "supabase-drift": _PLATFORM,
    },
}

# Of these the runbook asks for business hours alone.
RESTING = {"staff-console-uptime", "staff-console-burn-1h", "staff-console-burn-6h"}
