"""EasyMO: voice and WhatsApp commerce. Its operations runbook as data; it has no numbered sections."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from runbook.model.budget import Budget, Severity, standard_for
from runbook.model.burn_rates import burn_alerts
from runbook.model.objectives import Alert, Objective, Panel, Stack, limit, logql, promql, sql
from runbook.model.platform import App, Assumption, Drain, Fact, Owner, Platform, Variable, VercelApp
from runbook.model.queries import consecutive, count, lines, one_number, quantile, series, share
from runbook.model.signals import CRON_RUNS, PROBE, Signal, Source

ZERO, MINUTE, HOUR, DAY = timedelta(), timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
OBJECTIVES, INCIDENTS = "#service-level-objectives", "#incident-response-workflow"

_LABELS = ("platform", "environment")


def _drained(name: str, labels: tuple[str, ...], unit: str, producer: str) -> Signal:
    reference = "the runbook names METRICS_DRAIN_URL, not what comes through it; read what is exported"
    return Signal(name, Source.PROMETHEUS, (*_LABELS, *labels), unit, f"{producer}, METRICS_DRAIN_URL", reference)


def _pushed(name: str, labels: tuple[str, ...], unit: str, workflow: str, reference: str) -> Signal:
    return Signal(name, Source.PROMETHEUS, (*_LABELS, *labels), unit, f"infra/ci/{workflow}.yml", reference)


WORKFLOW_PUSHES = "the runbook names the workflow, which uploads its report; it has to push this gauge"
REQUESTS = _drained("http_requests_total", ("app", "status"), "requests", "apps/api")
LATENCY = _drained("http_request_duration_seconds_bucket", ("app", "le"), "requests", "apps/api")
INVOCATIONS = _drained("supabase_function_invocations_total", ("outcome",), "invocations", "Supabase functions")
MESSAGES = _drained("broker_message_latency_seconds_bucket", ("le",), "messages", "the Kafka broker orchestrator")
SCORE = _pushed("lighthouse_performance_score", ("app",), "0 to 1", "lighthouse-audit", WORKFLOW_PUSHES)
PREVIOUS_SCORE = _pushed(
    "lighthouse_previous_performance_score",
    ("app",),
    "0 to 1",
    "lighthouse-audit",
    "the score of the deploy before; the runbook compares deploys and does not say where the last one is kept",
)
AUDITED_AT = _pushed(
    "lighthouse_run_timestamp_seconds",
    ("app",),
    "Unix time",
    "lighthouse-audit",
    "a pushed gauge never goes stale, so a run that stopped shows in its time alone",
)
DRIFT = _pushed("supabase_drift_changes", (), "differences", "supabase-drift", WORKFLOW_PUSHES)
DRAIN_LOG = Signal(
    "any log lines",
    Source.LOKI,
    (*_LABELS, "trace_id"),
    "lines",
    "@easymo/commons through LOG_DRAIN_URL",
    "the runbook names trace_id; look at the labels that the drain's receiver gives each stream",
)

VOICE_BREACH = Decimal("0.005")
MEDIAN_BREACH_MS = Decimal("500")
P95_BREACH_S = Decimal("5")


def objectives(stack: Stack) -> tuple[Objective, ...]:
    """The four rows of the runbook's table, and the weekly task of an empty drift report."""
    return (_voice(stack), _admin_router(stack), _functions(stack), _broker(stack), _drift(stack))


def _voice(stack: Stack) -> Objective:
    api = stack.labels | {"app": "voice-api"}

    def failed(window: timedelta, back: timedelta = ZERO) -> str:
        return count((REQUESTS, api | {"status": "~5.."}), window, back)

    def every(window: timedelta, back: timedelta = ZERO) -> str:
        return count((REQUESTS, api), window, back)

    def errors(back: timedelta) -> str:
        return share(failed(HOUR, back), every(HOUR, back))

    def median(back: timedelta) -> str:
        return f"{quantile('0.5', (LATENCY, api), HOUR, back)} * 1000"

    hours = [ZERO, HOUR, 2 * HOUR]
    target, period = Decimal("0.995"), 30 * DAY
    budget = Budget(target, period, Source.PROMETHEUS, failed, every, 100, 5, standard_for(period))
    error_rate = Alert(
        name="voice-error-rate",
        title="Voice API errors above 0.5 % for 3 consecutive hours",
        summary="In each of the last three hours more than 0.5 % of the Voice API's responses were errors.",
        query=promql(
            consecutive([errors(back) for back in hours], f"> {VOICE_BREACH}"),
            3 * HOUR,
            "percentunit",
        ),
        comparator="gt",
        threshold=VOICE_BREACH,
        owner="conversational-ai",
        severity="page",
        section=INCIDENTS,
        mitigation="Roll back as docs/rollout.md#rollback-plan says.",
        no_data="Alerting",  # the Voice API always has traffic: no series means that its metrics are gone
    )
    slow = replace(
        error_rate,
        name="voice-median-latency",
        title="Voice API median above 500 ms for 3 consecutive hours",
        summary="In each of the last three hours the Voice API's median response took more than 500 ms.",
        query=promql(consecutive([median(back) for back in hours], f"> {MEDIAN_BREACH_MS}"), 3 * HOUR, "ms"),
        threshold=MEDIAN_BREACH_MS,
    )
    return Objective(
        name="voice-api",
        title="Voice API",
        statement="99.5% successful responses (<500 ms median)",
        indicator=promql(f"1 - {budget.ratio(HOUR)}", HOUR, "percentunit"),
        target=target,
        target_is="least",
        period=period,
        alerts=(
            error_rate,
            slow,
            *burn_alerts(budget, "voice", "Voice API", error_rate, _all_to("conversational-ai")),
        ),
        budget=budget,
    )


def _admin_router(stack: Stack) -> Objective:
    router = stack.labels | {"app": "admin-router"}
    score, before = series(SCORE, router), series(PREVIOUS_SCORE, router)
    indicator = promql(f"min({score})", 26 * HOUR, "percentunit")
    low = Alert(
        name="lighthouse-score",
        title="Lighthouse performance below 0.75",
        summary="The newest Lighthouse run gave the admin router a performance score below 0.75.",
        query=indicator,
        comparator="lt",
        threshold=Decimal("0.75"),
        owner="admin-experience",
        severity="ticket",
        section=OBJECTIVES,
        mitigation="npx @lhci/cli autorun",
        no_data="NoData",
    )
    worse = replace(
        low,
        name="lighthouse-regression",
        title="Lighthouse performance more than 10 % worse than the deploy before",
        summary="The admin router's Lighthouse score fell by more than a tenth between two deploys.",
        # Rounded, or 0.72 after 0.80 would be 9.999… % on one machine and 10.000…1 % on another.
        query=promql(f"round(1 - min({score}) / min({before}), 0.0001)", 26 * HOUR, "percentunit"),
        comparator="gt",
        threshold=Decimal("0.1"),
    )
    missing = replace(
        low,
        name="lighthouse-no-run",
        title="No Lighthouse run in 26 h",
        summary="The daily Lighthouse run did not report; its score is no longer known.",
        query=promql(f"time() - max({series(AUDITED_AT, router)})", 26 * HOUR, "s"),
        comparator="gt",
        threshold=Decimal("93600"),  # a day and two hours: a cron of CI may start late
        no_data="Alerting",
    )
    return Objective(
        name="admin-router",
        title="Admin router",
        statement="Lighthouse performance score ≥0.8",
        indicator=indicator,
        target=Decimal("0.8"),
        target_is="least",
        period=None,
        alerts=(low, worse, missing),
    )


def _functions(stack: Stack) -> Objective:

    def failed(window: timedelta) -> str:
        return count((INVOCATIONS, stack.labels | {"outcome": "failure"}), window)

    def every(window: timedelta) -> str:
        return count((INVOCATIONS, stack.labels), window)

    target, period = Decimal("0.99"), 30 * DAY
    budget = Budget(target, period, Source.PROMETHEUS, failed, every, 100, 5, standard_for(period))
    alert = Alert(
        name="function-failures",
        title="Supabase Functions fail above 1 % for 30 min",
        summary="More than 1 % of invocations failed, without a break, for 30 minutes.",
        query=promql(budget.ratio(5 * MINUTE), 5 * MINUTE, "percentunit"),
        comparator="gt",
        threshold=Decimal("0.01"),
        owner="messaging",
        severity="page",
        section=INCIDENTS,
        mitigation="Search the logs by trace_id, then roll back as docs/rollout.md#rollback-plan says.",
        no_data="NoData",
        pending=30 * MINUTE,
    )
    return Objective(
        name="supabase-functions",
        title="Supabase Functions",
        statement="99% successful invocations",
        indicator=promql(f"1 - {budget.ratio(HOUR)}", HOUR, "percentunit"),
        target=target,
        target_is="least",
        period=period,
        alerts=(alert, *burn_alerts(budget, "functions", "Supabase Functions", alert, _all_to("messaging"))),
        budget=budget,
    )


def _broker(stack: Stack) -> Objective:
    def p95(back: timedelta) -> str:
        return quantile("0.95", (MESSAGES, stack.labels), HOUR, back)

    def every(window: timedelta) -> str:
        return count((MESSAGES, stack.labels | {"le": "+Inf"}), window)

    def prompt(window: timedelta) -> str:
        return count((MESSAGES, stack.labels | {"le": "~5|5[.]0"}), window)  # exporters write 5 or 5.0

    def late(window: timedelta) -> str:
        return f"({every(window)} - {prompt(window)})"

    def share_late(window: timedelta) -> str:
        return f"(1 - {prompt(window)} / {every(window)})"  # nothing where there is no such bucket

    # A p95 below 5 s is a share: 95 % of messages take less than 5 s. The bucket of 5 s counts them.
    period = 7 * DAY
    burns = standard_for(period)
    budget = Budget(Decimal("0.95"), period, Source.PROMETHEUS, late, every, 100, 5, burns, mean=share_late)
    alert = Alert(
        name="broker-latency",
        title="Kafka message latency above 5 s in two consecutive windows",
        summary="The p95 latency of messages was above 5 seconds in each of the last two hours.",
        query=promql(consecutive([p95(ZERO), p95(HOUR)], f"> {P95_BREACH_S}"), 2 * HOUR, "s"),
        comparator="gt",
        threshold=P95_BREACH_S,
        owner="platform-engineering",  # the contact matrix has no row for Kafka
        severity="page",
        section=INCIDENTS,
        mitigation="Search the logs by trace_id across API, Supabase Functions and admin router.",
        no_data="NoData",
    )
    return Objective(
        name="kafka-orchestrator",
        title="Kafka broker orchestrator",
        statement="Message e2e latency <5s (p95)",
        indicator=promql(p95(ZERO), HOUR, "s"),
        target=P95_BREACH_S,
        target_is="most",
        period=period,
        alerts=(alert, *burn_alerts(budget, "broker", "Kafka broker", alert, _all_to("platform-engineering"))),
        budget=budget,
    )


def _drift(stack: Stack) -> Objective:
    query = promql(f"max({series(DRIFT, stack.labels)})", DAY, "short")
    alert = Alert(
        name="supabase-drift",
        title="Supabase drift report is not empty",
        summary="The managed database differs from the committed migrations.",
        query=query,
        comparator="gt",
        threshold=Decimal("0"),
        owner="platform-engineering",
        severity="ticket",
        section="#routine-tasks",
        mitigation="Look at the report of infra/ci/supabase-drift.yml.",
        no_data="NoData",
    )
    return limit("supabase-drift", "Supabase drift", "Supabase drift reports remain empty", alert)


def _all_to(owner: str) -> dict[Severity, str]:
    """The contact matrix knows one owner for each area, whatever the severity."""
    return {"page": owner, "ticket": owner}


def operations(stack: Stack) -> tuple[Panel, ...]:
    """What passes through the platform: voice requests and function invocations."""
    return (
        Panel(
            title="Voice API requests per second",
            description="All responses of apps/api.",
            query=promql(
                f"sum(rate({series(REQUESTS, stack.labels | {'app': 'voice-api'}, 5 * MINUTE)}))",
                5 * MINUTE,
                "short",
            ),
        ),
        Panel(
            title="Function invocations per second",
            description="All invocations of Supabase Functions.",
            query=promql(
                f"sum(rate({series(INVOCATIONS, stack.labels, 5 * MINUTE)}))",
                5 * MINUTE,
                "short",
            ),
        ),
    )


def checklist(stack: Stack) -> tuple[Panel, ...]:
    """The routine tasks, as far as a dashboard can answer them."""
    lagging = "coalesce(extract(epoch FROM now() - max(start_time)) / 60, 1440)"
    drained = f"{lines(DRAIN_LOG, stack.labels, {}, 5 * MINUTE)} or vector(0)"
    return (
        Panel(
            title="Apps that answer from outside",
            description="Uptime checks that see their app up.",
            query=promql(
                f"sum(max by (job) ({series(PROBE, {'job': '~' + stack.check_job('.*')})}))",
                5 * MINUTE,
                "short",
            ),
            red=Decimal("2"),
            red_when="below",
        ),
        Panel(
            title="Minutes since a scheduled function ran",
            description="Newest successful run of any scheduled function; more than an hour needs a look.",
            query=sql(one_number(CRON_RUNS, lagging, "status = 'succeeded'"), HOUR, "m"),
            red=Decimal("60"),
        ),
        Panel(
            title="Log lines in the last 5 min",
            description="What the log drain delivered; nothing means that the drain is silent.",
            query=logql(drained, 5 * MINUTE, "short"),
            red=Decimal("1"),
            red_when="below",
        ),
    )


PLATFORM = Platform(
    name="easymo",
    title="EasyMO",
    apps=(
        App(
            name="admin",
            title="Admin router",
            health="/api/health",
            vercel=VercelApp(
                "apps/router",
                (
                    Variable("NEXT_PUBLIC_SUPABASE_URL", Fact.SUPABASE_URL),
                    Variable("NEXT_PUBLIC_APP_URL", Fact.APP_URL),
                    Variable("SUPABASE_PROJECT_REF", Fact.SUPABASE_REF),
                    Variable("LOG_DRAIN_URL", Drain("LOG_DRAIN_URL")),
                    Variable("METRICS_DRAIN_URL", Drain("METRICS_DRAIN_URL")),
                    Variable("TRACES_EXPORTER_URL", Drain("TRACES_EXPORTER_URL")),
                ),
            ),
        ),
        App(name="api", title="Voice API", health="/health"),
    ),
    drains=("LOG_DRAIN_URL", "METRICS_DRAIN_URL", "TRACES_EXPORTER_URL"),
    log_drain="LOG_DRAIN_URL",
    trace_drain="TRACES_EXPORTER_URL",
    owners=(
        Owner("platform-engineering", "Platform engineering (@ikanisa, @jeanbosco)"),
        Owner("messaging", "Messaging squad (@ikanisa, @jeanbosco)"),
        Owner("admin-experience", "Admin experience squad (@ikanisa)"),
        Owner("conversational-ai", "Conversational AI squad (@jeanbosco)"),
    ),
    flags=(),
    signals=(
        REQUESTS,
        LATENCY,
        INVOCATIONS,
        MESSAGES,
        SCORE,
        PREVIOUS_SCORE,
        AUDITED_AT,
        DRIFT,
        DRAIN_LOG,
        CRON_RUNS,
        PROBE,
    ),
    objectives=objectives,
    operations=operations,
    checklist=checklist,
    repository="ikanisa/easymo",
    assumptions=(
        Assumption("the hosts of admin router and Voice API", "the runbook names none; they stand on reserved names"),
        Assumption("the Voice API is not on Vercel", "the runbook says so of the admin router alone"),
        Assumption("the admin router is built from apps/router", "look at the repository's folders"),
        Assumption("the health paths /api/health and /health", "call them"),
        Assumption("SUPABASE_PROJECT_REF is the env key of the project reference", "vercel env ls"),
        Assumption("Kafka, which has no row in the contact matrix, belongs to platform engineering", "ask them"),
        Assumption("both owners of a row share one contact point; the repository is ikanisa/easymo", "ask them"),
    ),
)
