"""Ibimina: savings groups, Rwanda. Its operations runbook as data; section numbers are that runbook's."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from runbook.model.objectives import Alert, Objective, Panel, Query, Stack
from runbook.model.platform import App, Assumption, Drain, Fact, Owner, Platform, Secret, Variable, VercelApp
from runbook.model.problems import PlatformError
from runbook.model.queries import in_business_hours, lines, one_number, series, share_of_lines
from runbook.model.signals import CRON_RUNS, PROBE, Signal, Source

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
OBJECTIVES, OBSERVABILITY, INCIDENTS = (
    "#1-service-objectives",
    "#4-observability--alerting",
    "#5-incident-response",
)

_STREAM = ("platform", "environment", "service")
AUTH_LOG = Signal(
    "auth log lines",
    Source.LOKI,
    (*_STREAM, "event", "outcome"),
    "lines",
    "Supabase's auth logs, forwarded by the log drain",
    "auth.audit_log_entries holds successful logins only; look at one failed login's line in the drain",
)
APP_LOG = Signal(
    "app log lines",
    Source.LOKI,
    (*_STREAM, "event", "level", "trace_id"),
    "lines",
    "apps/admin/lib/observability/logger.ts through the log drain",
    "section 4 names the logger and the event log_drain_failure; look at one request's line for the field names",
)
ANY_LOG = Signal(
    "any log lines",
    Source.LOKI,
    ("platform", "environment"),
    "lines",
    "the log drain",
    "look at the labels that the drain's receiver gives each stream",
)
PAYMENTS = Signal(
    "payments_queue",
    Source.POSTGRES,
    ("created_at", "processed_at"),
    "rows",
    "payment ingest; a row without processed_at is pending",
    "section 1 names the table; \\d payments_queue shows its columns",
)
DRAIN_PINGS = Signal(
    "log_drain_pings",
    Source.POSTGRES,
    ("pinged_at",),
    "rows",
    "the receiver of the log drain, one row each time the webhook is called",
    "section 2 asks for the last ping and does not say where it is kept",
)
METRICS = Signal(
    "system_metrics",
    Source.POSTGRES,
    ("name", "value", "recorded_at"),
    "rows",
    "Supabase functions (section 4)",
    "section 4 names the table; \\d system_metrics shows its columns, select distinct name its counters",
)
DEPLOYMENT = Signal(
    "vercel_production_deployment_info",
    Source.PROMETHEUS,
    ("platform", "environment", "app", "state", "release"),
    "1",
    "metrics-exporter, from Vercel's deployments",
    "section 3b names the function metrics-exporter, not its metrics; read its output",
)


def objectives(stack: Stack) -> tuple[Objective, ...]:
    """The four rows of section 1, and the log drain of sections 2, 4 and 5."""
    return (_auth(stack), _payments(stack), _staff_console(stack), _error_budget(stack), _log_drain(stack))


def _auth(stack: Stack) -> Objective:
    window = 15 * MINUTE
    service = stack.labels | {"service": "auth"}
    failed = lines(AUTH_LOG, service, {"event": "login", "outcome": "failed"}, window)
    every = lines(AUTH_LOG, service, {"event": "login"}, window)
    # 40: with fewer logins one failure alone is over 2.5 %, and two of 40 are the first that can reach 5 %.
    query = Query(
        Source.LOKI,
        share_of_lines(failed, every, alive=lines(ANY_LOG, stack.labels, {}, window), least=40),
        window,
        "percentunit",
    )
    alert = Alert(
        name="auth-failed-logins",
        title="Failed logins at 5 % or more over 15 min",
        summary="At least 5 % of logins failed in the last 15 minutes: people cannot sign in.",
        query=query,
        comparator="gte",  # the objective is "less than 5 %", so exactly 5 % is a breach
        threshold=Decimal("0.05"),
        owner="on-call",
        severity="page",
        section=INCIDENTS,
        mitigation="Turn off trustedDevice: pulumi config set --path 'flags.trustedDevice' false && pulumi up",
        no_data="NoData",
    )
    return Objective(
        name="auth-availability",
        title="Auth availability",
        statement="< 5% failed logins over 15 min",
        indicator=query,
        target=Decimal("0.05"),
        target_is="most",
        period=None,
        alerts=(alert,),
    )


def _payments(stack: Stack) -> Objective:
    oldest = "coalesce(extract(epoch FROM now() - min(created_at)) / 60, 0)"
    query = Query(Source.POSTGRES, one_number(PAYMENTS, oldest, "processed_at IS NULL"), HOUR, "m")
    alert = Alert(
        name="payment-backlog",
        title="Payments wait for more than 30 min",
        summary="The oldest pending row of payments_queue is more than 30 minutes old.",
        query=query,
        comparator="gt",
        threshold=Decimal("30"),
        owner="on-call",
        severity="page",
        section=INCIDENTS,
        mitigation="pnpm --filter @ibimina/platform-api run build && node dist/workers/momo-poller.js",
        no_data="Alerting",  # the query always returns a row: nothing means that the database is not answering
        on_error="Alerting",
    )
    return Objective(
        name="payment-ingest",
        title="Payment ingest",
        statement="No backlog > 30 min in `payments_queue`",
        indicator=query,
        target=Decimal("30"),
        target_is="most",
        period=None,
        alerts=(alert,),
    )


def _staff_console(stack: Stack) -> Objective:
    if stack.business_hours is None:
        raise PlatformError("The staff console's objective needs businessHours.")
    week = 7 * DAY
    up = f"avg({series(PROBE, {'job': stack.check_job('staff')})})"
    open_now = in_business_hours(stack.business_hours)
    # Seven days always hold one business week, so the budget (0.5 % of it) never depends on the day.
    query = Query(
        Source.PROMETHEUS,
        f"avg_over_time(({up} and ({open_now}))[7d:1m])",
        week,
        "percentunit",
    )
    alert = Alert(
        name="staff-console-uptime",
        title="Staff console below 99.5 % in business hours",
        summary="Seen from outside, the staff console answered less than 99.5 % of a week's business hours.",
        query=query,
        comparator="lt",
        threshold=Decimal("0.995"),
        owner="on-call",
        severity="page",
        section=INCIDENTS,
        mitigation="supabase logs tail --functions",
        no_data="Alerting",  # the check runs every minute: no sample in a week means that nobody is looking
        in_business_hours=True,
    )
    return Objective(
        name="staff-console-uptime",
        title="Staff console uptime",
        statement="99.5% availability during business hours",
        indicator=query,
        target=Decimal("0.995"),
        target_is="least",
        period=week,
        alerts=(alert,),
    )


def _error_budget(stack: Stack) -> Objective:
    service = stack.labels | {"service": "admin"}
    errors = lines(APP_LOG, service, {"event": "request", "level": "error"}, DAY)
    every = lines(APP_LOG, service, {"event": "request"}, DAY)
    query = Query(Source.LOKI, share_of_lines(errors, every), DAY, "percentunit")
    alert = Alert(
        name="error-budget",
        title="2 % or more of requests logged at error over 24 h",
        summary="In the last 24 hours at least 2 % of requests were logged at level error.",
        query=query,
        comparator="gte",  # the objective is "less than 2 %", so exactly 2 % is a breach
        threshold=Decimal("0.02"),
        owner="ops-alerts",
        severity="ticket",
        section=INCIDENTS,
        mitigation="supabase logs tail --functions",
        no_data="NoData",
    )
    return Objective(
        name="error-budget",
        title="Error budget",
        statement="< 2% requests logged at `error` level per 24 hours",
        indicator=query,
        target=Decimal("0.02"),
        target_is="most",
        period=DAY,
        alerts=(alert,),
    )


def _log_drain(stack: Stack) -> Objective:
    # 86400: an empty table is a drain that never pinged, which is silence too.
    silence = "coalesce(extract(epoch FROM now() - max(pinged_at)), 86400)"
    pinged = Query(Source.POSTGRES, one_number(DRAIN_PINGS, silence), HOUR, "s")
    window = 5 * MINUTE
    failures = lines(APP_LOG, stack.labels | {"service": "admin"}, {"event": "log_drain_failure"}, window)
    alive = lines(ANY_LOG, stack.labels, {}, window)
    failing = Query(Source.LOKI, f"{failures} or {alive} * 0", window, "short")
    silent = Alert(
        name="log-drain-silent",
        title="Log drain silent for more than 5 min",
        summary="The structured log webhook was last called more than 5 minutes ago; rules that read logs are blind.",
        query=pinged,
        comparator="gt",
        threshold=Decimal("300"),
        owner="on-call",
        severity="page",
        section="#2-daily-checklist",
        mitigation="pnpm --filter @ibimina/admin run verify:log-drain",
        no_data="Alerting",
        on_error="Alerting",
    )
    event = Alert(
        name="log-drain-failure",
        title="log_drain_failure events",
        summary="The logger reported in the last 5 minutes that it could not forward events.",
        query=failing,
        comparator="gt",
        threshold=Decimal("0"),
        owner="ops-alerts",
        severity="ticket",
        section=INCIDENTS,
        mitigation="pnpm --filter @ibimina/admin run verify:log-drain",
        no_data="NoData",
    )
    return Objective(
        name="log-drain",
        title="Log drain",
        statement="the structured log webhook last pinged within 5 minutes",
        indicator=pinged,
        target=Decimal("300"),
        target_is="most",
        period=None,
        alerts=(silent, event),
    )


def operations(stack: Stack) -> tuple[Panel, ...]:
    """Section 4: SMS ingest, reconciliation and notification health, from the counters of system_metrics."""
    counters = (
        ("SMS ingest", "sms_ingested"),
        ("Reconciliation", "reconciliation_matched"),
        ("Notifications", "notifications_sent"),
    )
    return tuple(
        Panel(
            title=f"{title}, last hour",
            description=f"Sum of the counter {name} that Supabase functions publish to system_metrics.",
            query=Query(
                Source.POSTGRES,
                one_number(
                    METRICS,
                    "coalesce(sum(value), 0)",
                    f"name = '{name}' AND recorded_at > now() - interval '1 hour'",
                ),
                HOUR,
                "short",
            ),
            red=Decimal("1"),
            red_when="below",
        )
        for title, name in counters
    )


def checklist(stack: Stack) -> tuple[Panel, ...]:
    """Section 2, the three items of the daily checklist that a dashboard can answer."""
    deployed = series(DEPLOYMENT, stack.labels | {"state": "READY", "release": stack.release})
    lagging = "coalesce(extract(epoch FROM now() - max(start_time)) / 60, 1440)"
    return (
        Panel(
            title="Apps on the release tag and green",
            description="Production deployments that are READY and built from the release tag of the stack config.",
            query=Query(Source.PROMETHEUS, f"count({deployed})", HOUR, "short"),
            red=Decimal("2"),
            red_when="below",
        ),
        Panel(
            title="Minutes since a scheduled function ran",
            description="Newest successful run of any scheduled function; more than an hour needs a look.",
            query=Query(Source.POSTGRES, one_number(CRON_RUNS, lagging, "status = 'succeeded'"), HOUR, "m"),
            red=Decimal("60"),
        ),
        Panel(
            title="Seconds since the log drain was pinged",
            description="The structured log webhook must have been called within 5 minutes.",
            query=_log_drain(stack).indicator,
            red=Decimal("300"),
        ),
    )


def _variables(*own: Variable) -> tuple[Variable, ...]:
    """What every app of Ibimina on Vercel is given (sections 3a and 4), and its own."""
    return (
        Variable("NEXT_PUBLIC_SUPABASE_URL", Fact.SUPABASE_URL),
        Variable("NEXT_PUBLIC_APP_URL", Fact.APP_URL),
        Variable("SUPABASE_PROJECT_REF", Fact.SUPABASE_REF),
        Variable("TRUSTED_COOKIE_SECRET", Secret("TRUSTED_COOKIE_SECRET")),
        Variable("LOG_DRAIN_URL", Drain("LOG_DRAIN_URL")),
        Variable("LOG_DRAIN_ALERT_WEBHOOK", Secret("LOG_DRAIN_ALERT_WEBHOOK")),
        *own,
    )


PLATFORM = Platform(
    name="ibimina",
    title="Ibimina",
    apps=(
        App(
            name="staff",
            title="Staff console",
            health="/api/healthz",
            service_worker="/sw.js",
            vercel=VercelApp("apps/admin", _variables(), reads_flags=True),
        ),
        App(
            name="member",
            title="Member app",
            health="/api/health",
            service_worker="/sw.js",
            vercel=VercelApp("apps/client", _variables()),
        ),
        App(name="auth", title="Auth", health="/auth/v1/health", auth=True),
    ),
    drains=("LOG_DRAIN_URL",),
    log_drain="LOG_DRAIN_URL",
    trace_drain=None,
    owners=(
        # The runbook has no contact matrix: pages go to the on-call, tickets to #ops-alerts (sections 3b and 5).
        Owner("on-call", "On-call engineer", told=("product-owner",)),
        Owner("ops-alerts", "#ops-alerts"),
        Owner("product-owner", "Product owner"),
    ),
    flags=("trustedDevice",),
    signals=(PROBE, AUTH_LOG, APP_LOG, ANY_LOG, PAYMENTS, DRAIN_PINGS, METRICS, CRON_RUNS, DEPLOYMENT),
    objectives=objectives,
    operations=operations,
    checklist=checklist,
    needs_business_hours=True,  # the staff console's objective
    assumptions=(
        Assumption(
            "auth.ibimina.rw is the auth host and a Supabase custom hostname",
            "the runbook says auth domain and names none; see Authentication in the Supabase dashboard",
        ),
        Assumption("the member app is built from apps/client", "look at the repository's folders"),
        Assumption("both apps keep their service worker at /sw.js", "open the app, Application, Service workers"),
        Assumption("SUPABASE_PROJECT_REF is the env key of the project reference", "vercel env ls in apps/admin"),
        Assumption(
            "trustedDevice can be read from a Vercel Edge Config; the runbook switches it in the admin console",
            "read lib/feature-flags of apps/admin",
        ),
        Assumption("the hosts of staging", "the runbook names none; they stand on a reserved example name"),
    ),
)
