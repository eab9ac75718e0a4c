"""The program: settings, providers, components, exports. What is decided is decided in `runbook/model/`."""

from __future__ import annotations

import gc

gc.disable()  # the SDKs make so many objects on import that collections double its time

import pulumi  # noqa: E402

from components.config import own_operations, read_stack  # noqa: E402
from runbook.model import alerting, dashboards, observing, policies, serving  # noqa: E402
from runbook.model.problems import ConfigError, PlatformError  # noqa: E402

try:  # before the SDKs are imported: a refusal takes a second, and nothing has been registered yet
    platform, settings = read_stack()
    groups = alerting.rule_groups(platform, settings)
    boards = dashboards.dashboards(platform, settings, own_operations(settings))
except (ConfigError, PlatformError) as error:
    raise pulumi.RunError(str(error)) from None

from components.alerting import Alerting, AlertingArgs  # noqa: E402
from components.clouds import providers, zone_id  # noqa: E402
from components.dns import Zone, ZoneArgs  # noqa: E402
from components.observing import Observing, ObservingArgs  # noqa: E402
from components.web import Drains, DrainsArgs, Flags, FlagsArgs, WebApp, WebAppArgs  # noqa: E402

clouds = providers(settings)
everywhere = pulumi.ResourceOptions(providers=clouds)

zone = zone_id(settings.zone, clouds)
Zone(
    "dns",
    ZoneArgs(zone, serving.records(platform, settings), serving.cache_rules(platform, settings)),
    everywhere,
)

store = f"{alerting.base_name(settings)}-flags"
flags = Flags("flags", FlagsArgs(store, settings.flags), everywhere) if settings.flags else None
apps = [
    WebApp(f"web-{web.app}", WebAppArgs(web, flags.connection if flags and web.reads_flags else None), everywhere)
    for web in serving.webs(platform, settings)
]
Drains(
    "drains",
    DrainsArgs(
        logs=serving.log_drain(platform, settings),
        traces=serving.trace_drain(platform, settings),
        secret=settings.secrets["LOG_DRAIN_SECRET"],
        project_ids=[app.project_id for app in apps],
    ),
    everywhere,
)

observed = Observing(
    "observing",
    ObservingArgs(
        uid=alerting.base_name(settings),
        title=f"{platform.title} {settings.environment}",
        sources=observing.data_sources(settings),
        secrets=settings.secrets,
        dashboards=boards,
        checks=serving.uptime_checks(platform, settings),
        probes=settings.grafana.probes,
    ),
    everywhere,
)
Alerting(
    "alerts",
    AlertingArgs(
        folder_uid=observed.folder_uid,
        contact_points=alerting.contact_points(platform, settings),
        mute_timing=alerting.mute_timing(settings),
        groups=groups,
        notifications=settings.notifications,
        tree=policies.policy_tree(platform, settings),
        secrets=settings.secrets,
    ),
    everywhere,
)

pulumi.export("hosts", serving.hosts(platform, settings))
pulumi.export("zoneId", zone)
