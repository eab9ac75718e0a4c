"""Every kind of step, and the one way in."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

from runbook.model.cutover.step import Kind
from runbook.steps import cloudflare, files, grafana, pagerduty, slack, supabase, vercel
from runbook.steps.call import Call, StepError
from runbook.steps.gates import GATES
from runbook.steps.said import plain, without_secrets

Act = Callable[[Call], dict[str, Any]]
ACTS: Mapping[Kind, Act] = {
    Kind.REMIND: slack.remind,
    Kind.BUILD: vercel.build,
    Kind.BUILD_HEALTHY: vercel.build_healthy,
    Kind.AUTH_SETTINGS: supabase.auth_settings,
    Kind.CUSTOM_HOSTNAME: supabase.custom_hostname,
    Kind.END_SESSIONS: supabase.end_sessions,
    Kind.PURGE: cloudflare.purge,
    Kind.PROMOTE: vercel.promote,
    Kind.ROLL_BACK: vercel.roll_back,
    Kind.REASSIGN: vercel.reassign,
    Kind.DEPLOY_FUNCTION: supabase.deploy_function,
    Kind.PAGE: pagerduty.page,
    Kind.ANNOUNCE: slack.announce,
    Kind.LOCK: vercel.lock,
    Kind.ANNOTATE: grafana.annotate,
    Kind.WRITE: files.write,
    Kind.COMPLETE: files.complete,
    **GATES,
}
_LOOKS = frozenset({*GATES, Kind.BUILD_HEALTHY, Kind.LOCK})  # what changes nothing
_LONGEST = 3000  # characters of a sentence: parts of it may be what somebody answered
_GRACE = 0.5  # seconds that a step has to say by itself that its time is over


def act(kind: Kind, call: Call) -> dict[str, Any]:
    """The evidence of one step: plain JSON without a secret. Raises StepError and nothing else.

    A step that is still busy at its deadline is cut off: it is left to itself, and sends no further request.
    """
    ended: list[dict[str, Any] | Exception] = []

    def run() -> None:
        try:
            ended.append(ACTS[kind](call))
        except Exception as error:
            ended.append(error)

    limit = call.left()
    thread = threading.Thread(target=run, name=call.name, daemon=True)
    thread.start()
    thread.join(limit + _GRACE)
    if not ended:
        done = "" if kind in _LOOKS else " and may have acted all the same"
        raise StepError(f"It was cut off after {limit:.0f} s{done}. Run up again.")
    result = ended[0]
    if isinstance(result, Exception):
        raise StepError(plain(call.secrets, _sentence(call, result), _LONGEST)) from None
    evidence: dict[str, Any] = without_secrets(call.secrets, result)
    return evidence


def _sentence(call: Call, error: Exception) -> str:
    if isinstance(error, StepError):
        return str(error)
    return (
        f"It failed in a way that it does not know: {type(error).__name__}: {error}. This is a fault of the step"
        f" {call.name}: report it, and do by hand what the step does."
    )
