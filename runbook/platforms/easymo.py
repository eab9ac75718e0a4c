"""EasyMO: voice and WhatsApp commerce. Its operations runbook as data; it has no numbered sections."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from runbook.model.objectives import Alert, Objective, Panel, Query, Stack
from runbook.model.platform import App, Assumption, Drain, Fact, Owner, Platform, Variable, VercelApp
from runbook.model.queries import consecutive, lines, one_number, quantile, ratio, series
from runbook.model.signals import CRON_RUNS, PROBE, Signal, Source

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
OBJECTIVES, INCIDENTS = "#service-level-objectives", "#incident-response-workflow"

_LABELS = ("platform", "environment")
REQUESTS = Signal(
    "http_requests_total",
    Source.PROMETHEUS,
    (*_LABELS, "app", "status"),
    "requests",
    "apps/api through METRICS_DRAIN_URL",
    "the runbook names the drain, not the metrics; read what apps/api exports",
)
LATENCY = Signal(
    "http_request_duration_seconds_bucket",
    Source.PROMETHEUS,
    (*_LABELS, "app", "le"),
    "requests",
    "apps/api through METRICS_DRAIN_URL",
    "the runbook names the drain, not the metrics; read what apps/api exports",
)
INVOCATIONS = Signal(
    "supabase_function_invocations_total",
    Source.PROMETHEUS,
    (*_LABELS, "outcome"),
    "invocations",
    "Supabase functions through METRICS_DRAIN_URL",
    "the runbook names the drain, not the metrics; read what the functions export",
)
MESSAGES = Signal(
    "broker_message_latency_seconds_bucket",
    Source.PROMETHEUS,
    (*_LABELS, "le"),
    "messages",
    "the Kafka broker orchestrator through METRICS_DRAIN_URL",
    "the runbook names the objective, not the metric; read what the orchestrator exports",
)
SCORE = Signal(
    "lighthouse_performance_score",
    Source.PROMETHEUS,
    (*_LABELS, "app"),
    "0 to 1",
    "infra/ci/lighthouse-audit.yml after each run",
    "the runbook names the workflow, which uploads artifacts; it has to push this gauge",
)
PREVIOUS_SCORE = Signal(
    "lighthouse_previous_performance_score",
    Source.PROMETHEUS,
    (*_LABELS, "app"),
    "0 to 1",
    "infra/ci/lighthouse-audit.yml: the score of the deploy before",
    "the runbook compares deploys and does not say where the last score is kept",
)
AUDITED_AT = Signal(
    "lighthouse_run_timestamp_seconds",
    Source.PROMETHEUS,
    (*_LABELS, "app"),
    "Unix time",
    "infra/ci/lighthouse-audit.yml after each run",
    "a pushed gauge never goes stale, so a run that stopped shows in its time alone",
)
DRIFT = Signal(
    "supabase_drift_changes",
    Source.PROMETHEUS,
    _LABELS,
    "differences",
    "infra/ci/supabase-drift.yml after each run",
    "the runbook names the workflow, which uploads a report; it has to push this gauge",
)
DRAIN_LOG = Signal(
    "any log lines",
    Source.LOKI,
    _LABELS,
    "lines",
    "@easymo/commons through LOG_DRAIN_URL",
    "look at the labels that the drain's receiver gives each stream",
)

VOICE_BREACH = Decimal("0.005")
MEDIAN_BREACH_MS = Decimal("500")
P95_BREACH_S = Decimal("5")


def objectives(stack: Stack) -> tuple[Objective, ...]:
    """The four rows of the runbook's table."""
    return (_voice(stack), _admin_router(stack), _functions(stack), _broker(stack))


def _voice(stack: Stack) -> Objective:
    api = stack.labels | {"app": "voice-api"}
    failed, every = (REQUESTS, api | {"status": "~5.."}), (REQUESTS, api)

    def errors(offset: timedelta = timedelta()) -> str:
        return ratio(failed, every, HOUR, offset)

    def median(offset: timedelta = timedelta()) -> str:
        return f"{quantile('0.5', (LATENCY, api), HOUR, offset)} * 1000"

    hours = [timedelta(), HOUR, 2 * HOUR]
    error_rate = Alert(
        name="voice-error-rate",
        title="Voice API errors above 0.5 % for 3 consecutive hours",
        summary="In each of the last three hours more than 0.5 % of the Voice API's responses were errors.",
        query=Query(
            Source.PROMETHEUS,
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
    slow = Alert(
        name="voice-median-latency",
        title="Voice API median above 500 ms for 3 consecutive hours",
        summary="In each of the last three hours the Voice API's median response took more than 500 ms.",
        query=Query(
            Source.PROMETHEUS,
            consecutive([median(back) for back in hours], f"> {MEDIAN_BREACH_MS}"),
            3 * HOUR,
            "ms",
        ),
        comparator="gt",
        threshold=MEDIAN_BREACH_MS,
        owner="conversational-ai",
        severity="page",
        section=INCIDENTS,
        mitigation="Roll back as docs/rollout.md#rollback-plan says.",
        no_data="Alerting",
    )
    return Objective(
        name="voice-api",
        title="Voice API",
        statement="99.5% successful responses (<500 ms median)",
        indicator=Query(Source.PROMETHEUS, f"1 - {ratio(failed, every, HOUR)}", HOUR, "percentunit"),
        target=Decimal("0.995"),
        target_is="least",
        period=30 * DAY,
        alerts=(error_rate, slow),
    )


def _admin_router(stack: Stack) -> Objective:
    router = stack.labels | {"app": "admin-router"}
    score, before = series(SCORE, router), series(PREVIOUS_SCORE, router)
    indicator = Query(Source.PROMETHEUS, f"min({score})", 26 * HOUR, "percentunit")
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
    worse = Alert(
        name="lighthouse-regression",
        title="Lighthouse performance more than 10 % worse than the deploy before",
        summary="The admin router's Lighthouse score fell by more than a tenth between two deploys.",
        # Rounded, or 0.72 after 0.80 would be 9.999… % on one machine and 10.000…1 % on another.
        query=Query(Source.PROMETHEUS, f"round(1 - min({score}) / min({before}), 0.0001)", 26 * HOUR, "percentunit"),
        comparator="gt",
        threshold=Decimal("0.1"),
        owner="admin-experience",
        severity="ticket",
        section=OBJECTIVES,
        mitigation="npx @lhci/cli autorun",
        no_data="NoData",
    )
    missing = Alert(
        name="lighthouse-no-run",
        title="No Lighthouse run in 26 h",
        summary="The daily Lighthouse run did not report; its score is no longer known.",
        query=Query(Source.PROMETHEUS, f"time() - max({series(AUDITED_AT, router)})", 26 * HOUR, "s"),
        comparator="gt",
        threshold=Decimal("93600"),  # a day and two hours: a cron of CI may start late
        owner="admin-experience",
        severity="ticket",
        section=OBJECTIVES,
        mitigation="npx @lhci/cli autorun",
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
    failed = (INVOCATIONS, stack.labels | {"outcome": "failure"})
    every = (INVOCATIONS, stack.labels)
    alert = Alert(
        name="function-failures",
        title="Supabase Functions fail above 1 % for 30 min",
        summary="More than 1 % of invocations failed, without a break, for 30 minutes.",
        query=Query(Source.PROMETHEUS, ratio(failed, every, 5 * MINUTE), 5 * MINUTE, "percentunit"),
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
        indicator=Query(Source.PROMETHEUS, f"1 - {ratio(failed, every, HOUR)}", HOUR, "percentunit"),
        target=Decimal("0.99"),
        target_is="least",
        period=30 * DAY,
        alerts=(alert,),
    )


def _broker(stack: Stack) -> Objective:
    def p95(offset: timedelta = timedelta()) -> str:
        return quantile("0.95", (MESSAGES, stack.labels), HOUR, offset)

    alert = Alert(
        name="broker-latency",
        title="Kafka message latency above 5 s in two consecutive windows",
        summary="The p95 latency of messages was above 5 seconds in each of the last two hours.",
        query=Query(Source.PROMETHEUS, consecutive([p95(), p95(HOUR)], f"> {P95_BREACH_S}"), 2 * HOUR, "s"),
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
        indicator=Query(Source.PROMETHEUS, p95(), HOUR, "s"),
        target=P95_BREACH_S,
        target_is="most",
        period=7 * DAY,
        alerts=(alert,),
    )


def operations(stack: Stack) -> tuple[Panel, ...]:
    """What passes through the platform: voice requests, function invocations, log lines, and drift."""
    return (
        Panel(
            title="Voice API requests per second",
            description="All responses of apps/api.",
            query=Query(
                Source.PROMETHEUS,
                f"sum(rate({series(REQUESTS, stack.labels | {'app': 'voice-api'}, 5 * MINUTE)}))",
                5 * MINUTE,
                "short",
            ),
        ),
        Panel(
            title="Function invocations per second",
            description="All invocations of Supabase Functions.",
            query=Query(
                Source.PROMETHEUS,
                f"sum(rate({series(INVOCATIONS, stack.labels, 5 * MINUTE)}))",
                5 * MINUTE,
                "short",
            ),
        ),
        Panel(
            title="Supabase drift",
            description="Differences between the managed database and the committed migrations; must stay empty.",
            query=Query(Source.PROMETHEUS, f"max({series(DRIFT, stack.labels)})", DAY, "short"),
            red=Decimal("1"),
        ),
    )


def checklist(stack: Stack) -> tuple[Panel, ...]:
    """The routine tasks, as far as a dashboard can answer them."""
    lagging = "coalesce(extract(epoch FROM now() - max(start_time)) / 60, 1440)"
    drained = lines(DRAIN_LOG, stack.labels, {}, 5 * MINUTE)
    return (
        Panel(
            title="Apps that answer from outside",
            description="Uptime checks that see their app up.",
            query=Query(
                Source.PROMETHEUS,
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
            query=Query(Source.POSTGRES, one_number(CRON_RUNS, lagging, "status = 'succeeded'"), HOUR, "m"),
            red=Decimal("60"),
        ),
        Panel(
            title="Log lines in the last 5 min",
            description="What the log drain delivered; nothing means that the drain is silent.",
            query=Query(Source.LOKI, drained, 5 * MINUTE, "short"),
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
    assumptions=(
        Assumption("the hosts of admin router and Voice API", "the runbook names none; they stand on reserved names"),
        Assumption("the Voice API is not on Vercel", "the runbook says so of the admin router alone"),
        Assumption("the admin router is built from apps/router", "look at the repository's folders"),
        Assumption("the health paths /api/health and /health", "call them"),
        Assumption("SUPABASE_PROJECT_REF is the env key of the project reference", "vercel env ls"),
        Assumption("Kafka, which has no row in the contact matrix, belongs to platform engineering", "ask them"),
        Assumption("both owners of a row share one contact point", "ask them"),
    ),
)
