"""The program: settings, providers, components, exports. What is decided is decided in `runbook/model/`."""

from __future__ import annotations

import gc

gc.disable()  # the SDKs make so many objects on import that collections double its time

import pulumi  # noqa: E402

from components import memory  # noqa: E402
from components.config import own_operations, read_stack  # noqa: E402
from components.cutover import decided  # noqa: E402
from runbook.model import alerting, dashboards, serving  # noqa: E402
from runbook.model.cutover.refusals import RefusedError  # noqa: E402
from runbook.model.problems import ConfigError, PlatformError  # noqa: E402

try:  # before the SDKs are imported: a refusal takes a second, and nothing has been registered yet
    pending = memory.begin(pulumi.get_stack())
    platform, settings = stack = read_stack()
    groups = alerting.rule_groups(*stack)
    boards = dashboards.dashboards(*stack, own_operations(settings))
    cutover = decided(*stack, pending)
except (ConfigError, PlatformError, RefusedError) as error:
    raise pulumi.RunError(str(error)) from None

from components.alerting import Alerting, AlertingArgs  # noqa: E402
from components.clouds import dns_provider, other_providers, zone_id  # noqa: E402
from components.dns import Zone, ZoneArgs  # noqa: E402
from components.observing import Observing, ObservingArgs  # noqa: E402
from components.web import Drains, DrainsArgs, Flags, FlagsArgs, WebApp, WebAppArgs  # noqa: E402

dns = dns_provider(settings)
zone = cutover.zone_id or zone_id(settings.zone, dns)
steps = cutover.steps(zone)
rules = serving.cache_rules(*stack)
named = Zone("dns", ZoneArgs(zone, cutover.records(), rules, steps), pulumi.ResourceOptions(providers=[dns]))

everywhere = pulumi.ResourceOptions(providers=other_providers(settings, named.records))
flags = Flags("flags", FlagsArgs.of(settings), everywhere) if settings.flags else None
switches = flags.connection if flags else None
apps = [
    WebApp(f"web-{web.app}", WebAppArgs(web, switches if web.reads_flags else None, steps), everywhere)
    for web in serving.webs(*stack, cutover.ledger.generation_in_force)
]
Drains("drains", DrainsArgs.of(*stack, [app.project_id for app in apps]), everywhere)

observed = Observing("observing", ObservingArgs.of(*stack, boards), everywhere)
Alerting("alerts", AlertingArgs.of(*stack, groups, observed.folder_uid), everywhere)
steps.rest()

pulumi.export("hosts", serving.hosts(*stack))
pulumi.export("zoneId", zone)
pulumi.export("cutover", cutover.status())
