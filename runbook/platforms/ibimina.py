"""Ibimina: savings groups, Rwanda. Its operations runbook as data; section numbers are that runbook's."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from runbook.model.budget import Budget, Burn, Severity
from runbook.model.burn_rates import burn_alerts
from runbook.model.objectives import Alert, Objective, Panel, Stack, limit, logql, promql, sql
from runbook.model.platform import App, Assumption, Drain, Fact, Owner, Platform, Secret, Variable, VercelApp
from runbook.model.problems import PlatformError
from runbook.model.queries import lines, one_number, series, share_of_lines
from runbook.model.recovery import Recovery
from runbook.model.signals import CRON_RUNS, PROBE, Signal, Source
from runbook.model.uptime import Uptime

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
CHECKLIST, OBSERVABILITY, INCIDENTS = "#2-daily-checklist", "#4-observability--alerting", "#5-incident-response"


def _logs(name: str, fields: tuple[str, ...], producer: str, reference: str) -> Signal:
    return Signal(name, Source.LOKI, ("platform", "environment", *fields), "lines", producer, reference)


def _table(name: str, columns: tuple[str, ...], producer: str, reference: str) -> Signal:
    return Signal(name, Source.POSTGRES, columns, "rows", producer, reference)


AUTH_LOG = _logs(
    "auth log lines",
    ("service", "event", "outcome"),
    "Supabase's auth logs, forwarded by the log drain",
    "auth.audit_log_entries holds successful logins only; look at one failed login's line in the drain",
)
APP_LOG = _logs(
    "app log lines",
    ("service", "event", "level", "trace_id"),
    "apps/admin/lib/observability/logger.ts through the log drain",
    "section 4 names the logger and the event log_drain_failure; look at one request's line for the field names",
)
ANY_LOG = _logs("any log lines", (), "the log drain", "look at the labels that its receiver gives each stream")
PAYMENTS = _table(
    "payments_queue",
    ("created_at", "processed_at"),
    "payment ingest; a row without processed_at is pending",
    "section 1 names the table; \\d payments_queue shows its columns",
)
DRAIN_PINGS = _table(
    "log_drain_pings",
    ("pinged_at",),
    "the receiver of the log drain, one row each time the webhook is called",
    "section 2 asks for the last ping and does not say where it is kept",
)
METRICS = _table(
    "system_metrics",
    ("name", "value", "recorded_at"),
    "Supabase functions (section 4)",
    "section 4 names the table; \\d system_metrics shows its columns, select distinct name its counters",
)
ANOMALIES = _table(
    "metric_anomalies",
    ("detected_at", "resolved_at"),
    "metrics-anomaly-detector",
    "section 1 names the detector's signal and not where it is kept; read the function's index.ts",
)
DEPLOYMENT = Signal(
    "vercel_production_deployment_info",
    Source.PROMETHEUS,
    ("platform", "environment", "app", "state", "release"),
    "1",
    "metrics-exporter, from Vercel's deployments",
    "section 3b names the function metrics-exporter, not its metrics; read its output",
)
LAGGING = "coalesce(extract(epoch FROM now() - max(start_time)) / 60, 1440)"  # never ran: a day
WHO: dict[Severity, str] = {"page": "on-call", "ticket": "ops-alerts"}


def objectives(stack: Stack) -> tuple[Objective, ...]:
    """The four rows of section 1, and what sections 2, 4 and 5 ask to be watched."""
    rows = (_auth(stack), _payments(), _staff_console(stack), _error_budget(stack))
    return (*rows, _log_drain(stack), _scheduled_functions(), _anomalies())


def _auth(stack: Stack) -> Objective:
    window = 15 * MINUTE
    service = stack.labels | {"service": "auth"}
    failed = lines(AUTH_LOG, service, {"event": "login", "outcome": "failed"}, window)
    every = lines(AUTH_LOG, service, {"event": "login"}, window)
    # 40: with fewer logins one failure alone is over 2.5 %, and two of 40 are the first that can reach 5 %.
    query = logql(share_of_lines(failed, every, alive=_alive(stack), least=40), window, "percentunit")
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
    return limit("auth-availability", "Auth availability", "< 5% failed logins over 15 min", alert)


def _alive(stack: Stack) -> str:
    """Any line in 15 minutes: a dead drain would look healthy. Its 5 minutes are a page already (section 2)."""
    return lines(ANY_LOG, stack.labels, {}, 15 * MINUTE)


def _payments() -> Objective:
    oldest = "coalesce(extract(epoch FROM now() - min(created_at)) / 60, 0)"
    query = sql(one_number(PAYMENTS, oldest, "processed_at IS NULL"), HOUR, "m")
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
        no_data="Alerting",  # it returns a row unless the rows are hidden: nothing is never good
        on_error="Alerting",
    )
    return limit("payment-ingest", "Payment ingest", "No backlog > 30 min in `payments_queue`", alert)


def _staff_console(stack: Stack) -> Objective:
    if stack.business_hours is None:
        raise PlatformError("The staff console's objective needs businessHours.")
    uptime, counted = Uptime({"job": stack.check_job("staff")}, stack.business_hours), stack.business_hours.per_week
    # Shares of a business week of 45 h: those of a month would give factors below 1.
    week, target = 7 * DAY, Decimal("0.995")
    burns = (Burn(Decimal("0.10"), HOUR, "page"), Burn(Decimal("0.25"), 6 * HOUR, "ticket"))
    alive, mean = uptime.alive(), uptime.failing
    budget = Budget(target, week, Source.PROMETHEUS, uptime.down, uptime.minutes, 10, 1, burns, counted, alive, mean)
    # Seven days always hold one business week, so the budget (0.5 % of it) never depends on the day. They are also
    # longer than anybody may wait to hear that the check itself has stopped.
    query = promql(f"{uptime.share(week)} and {alive}", week, "percentunit")
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
        no_data="Alerting",  # the check runs every minute: no sample means that nobody is looking
        in_business_hours=True,
    )
    return Objective(
        name="staff-console-uptime",
        title="Staff console uptime",
        statement="99.5% availability during business hours",
        indicator=query,
        target=target,
        target_is="least",
        period=week,
        alerts=(alert, *burn_alerts(budget, "staff-console", "Staff console", alert, WHO)),
        budget=budget,
    )


def _error_budget(stack: Stack) -> Objective:
    service = stack.labels | {"service": "admin"}

    def errors(window: timedelta) -> str:
        return lines(APP_LOG, service, {"event": "request", "level": "error"}, window)

    def every(window: timedelta) -> str:
        return lines(APP_LOG, service, {"event": "request"}, window)

    burns = (Burn(Decimal("0.10"), HOUR, "ticket"),)  # of a day's budget a month's shares would give no factor of 1
    budget = Budget(Decimal("0.98"), DAY, Source.LOKI, errors, every, 100, 5, burns, alive=_alive(stack))
    alert = Alert(
        name="error-budget",
        title="2 % or more of requests logged at error over 24 h",
        summary="In the last 24 hours at least 2 % of requests were logged at level error.",
        query=logql(budget.ratio(DAY), DAY, "percentunit"),
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
        indicator=alert.query,
        target=Decimal("0.02"),
        target_is="most",
        period=DAY,
        alerts=(alert, *burn_alerts(budget, "error-budget", "Admin app", alert, WHO)),
        budget=budget,
    )


def _log_drain(stack: Stack) -> Objective:
    # 86400: an empty table is a drain that never pinged, which is silence too.
    silence = "coalesce(extract(epoch FROM now() - max(pinged_at)), 86400)"
    pinged = sql(one_number(DRAIN_PINGS, silence), HOUR, "s")
    window = 5 * MINUTE
    failures = lines(APP_LOG, stack.labels | {"service": "admin"}, {"event": "log_drain_failure"}, window)
    alive = lines(ANY_LOG, stack.labels, {}, window)
    failing = logql(f"{failures} or {alive} * 0", window, "short")
    silent = Alert(
        name="log-drain-silent",
        title="Log drain silent for more than 5 min",
        summary="The structured log webhook was last called more than 5 minutes ago; rules that read logs are blind.",
        query=pinged,
        comparator="gt",
        threshold=Decimal("300"),
        owner="on-call",
        severity="page",
        section=CHECKLIST,
        mitigation="pnpm --filter @ibimina/admin run verify:log-drain",
        no_data="Alerting",
        on_error="Alerting",
    )
    event = replace(
        silent,
        name="log-drain-failure",
        title="log_drain_failure events",
        summary="The logger reported in the last 5 minutes that it could not forward events.",
        query=failing,
        threshold=Decimal("0"),
        owner="ops-alerts",
        severity="ticket",
        section=INCIDENTS,
        no_data="NoData",
        on_error="Error",
    )
    statement = "the structured log webhook last pinged within 5 minutes"
    return limit("log-drain", "Log drain", statement, silent, event)


def _scheduled_functions() -> Objective:
    alert = replace(
        _payments().alerts[0],  # of the same database, so the same states: no answer is an alert
        name="scheduled-functions",
        title="No scheduled function ran in the last hour",
        summary="The newest successful run of any scheduled function is more than an hour old.",
        query=sql(one_number(CRON_RUNS, LAGGING, "status = 'succeeded'"), HOUR, "m"),
        threshold=Decimal("60"),
        owner="ops-alerts",
        severity="ticket",
        section=CHECKLIST,
        mitigation="supabase functions list",
    )
    return limit("scheduled-functions", "Scheduled functions", "scheduled functions ran in the last hour", alert)


def _anomalies() -> Objective:
    open_now = "resolved_at IS NULL AND detected_at > now() - interval '1 hour'"
    alert = replace(
        _scheduled_functions().alerts[0],
        name="anomaly-signal",
        title="The anomaly detector sees a baseline drift",
        summary="metrics-anomaly-detector reported an anomaly in the last hour that nobody has resolved.",
        query=sql(one_number(ANOMALIES, "count(*)", open_now), HOUR, "short"),
        threshold=Decimal("0"),
        section=OBSERVABILITY,
        mitigation="supabase logs tail --functions",
    )
    return limit("anomalies", "Anomaly detector", "the anomaly detector generates alerts when baselines drift", alert)


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
            query=sql(
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
    return (
        Panel(
            title="Apps on the release tag and green",
            description="Production deployments that are READY and built from the release tag of the stack config.",
            query=promql(f"count({deployed}) or vector(0)", HOUR, "short"),
            red=Decimal("2"),
            red_when="below",
        ),
        Panel(
            title="Minutes since a scheduled function ran",
            description="Newest successful run of any scheduled function; more than an hour needs a look.",
            query=_scheduled_functions().indicator,
            red=Decimal("60"),
        ),
        Panel(
            title="Seconds since the log drain was pinged",
            description="The structured log webhook must have been called within 5 minutes.",
            query=_log_drain(stack).indicator,
            red=Decimal("300"),
        ),
    )


# What every app of Ibimina on Vercel is given (sections 3a and 4).
VARIABLES = (
    Variable("NEXT_PUBLIC_SUPABASE_URL", Fact.SUPABASE_URL),
    Variable("NEXT_PUBLIC_APP_URL", Fact.APP_URL),
    Variable("SUPABASE_PROJECT_REF", Fact.SUPABASE_REF),
    Variable("TRUSTED_COOKIE_SECRET", Secret("TRUSTED_COOKIE_SECRET", renewed=True)),
    Variable("LOG_DRAIN_URL", Drain("LOG_DRAIN_URL")),
    Variable("LOG_DRAIN_ALERT_WEBHOOK", Secret("LOG_DRAIN_ALERT_WEBHOOK")),
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
            vercel=VercelApp("apps/admin", VARIABLES, reads_flags=True),
        ),
        App(
            name="member",
            title="Member app",
            health="/api/health",
            service_worker="/sw.js",
            vercel=VercelApp("apps/client", VARIABLES),
        ),
        App(name="auth", title="Auth", health="/auth/v1/.well-known/jwks.json", auth=True),  # open without an API key
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
    signals=(PROBE, AUTH_LOG, APP_LOG, ANY_LOG, PAYMENTS, DRAIN_PINGS, METRICS, ANOMALIES, CRON_RUNS, DEPLOYMENT),
    objectives=objectives,
    operations=operations,
    checklist=checklist,
    repository="ikanisa/ibimina",
    recovery=Recovery(  # section 3b
        ("metrics-exporter",),
        "supabase migration revert --env prod",
        (
            "Supabase: a priority ticket in the dashboard, with the project ref and the failing Edge function ids",
            "Cloudflare: a P1 chat, for DNS or caching that blocks the auth callback",
        ),
    ),
    needs_business_hours=True,  # the staff console's objective
    assumptions=(
        Assumption(
            "auth.ibimina.rw is the auth host and a Supabase custom hostname",
            "the runbook says auth domain and names none; see Authentication in the Supabase dashboard",
        ),
        Assumption("the member app is built from apps/client", "look at the repository's folders"),
        Assumption("both apps keep their service worker at /sw.js", "open the app, Application, Service workers"),
        Assumption("SUPABASE_PROJECT_REF is the env key of the project reference", "vercel env ls in apps/admin"),
        Assumption("trustedDevice can be read from a Vercel Edge Config", "read how apps/admin reads its switches"),
        Assumption("the repository is ikanisa/ibimina at GitHub", "git remote -v"),
        Assumption("the hosts of staging", "the runbook names none; they stand on a reserved example name"),
    ),
)
