"""Grafana's folder, data sources, dashboards and outside checks of one stack."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
from pulumiverse_grafana import oss, syntheticmonitoring
from pydantic import SecretStr

from components.secrets import secret_json
from runbook.model.alerting import base_name
from runbook.model.dashboards import Dashboard
from runbook.model.observing import DataSource, data_sources
from runbook.model.platform import Platform
from runbook.model.serving import UptimeCheck, uptime_checks
from runbook.model.settings import Settings

EVERY_MINUTE_MS, TIMEOUT_MS = 60_000, 10_000


@dataclass(frozen=True)
class ObservingArgs:
    uid: str
    title: str
    sources: Sequence[DataSource]
    secrets: Mapping[str, SecretStr]
    dashboards: Sequence[Dashboard]
    checks: Sequence[UptimeCheck]
    probes: Sequence[int]

    @classmethod
    def of(cls, platform: Platform, settings: Settings, dashboards: Sequence[Dashboard]) -> ObservingArgs:
        """What a stack looks at. `dashboards` are made before anything is registered, since they can be refused."""
        return cls(
            uid=base_name(settings),
            title=f"{platform.title} {settings.environment}",
            sources=data_sources(settings),
            secrets=settings.secrets,
            dashboards=dashboards,
            checks=uptime_checks(platform, settings),
            probes=settings.grafana.probes,
        )


class Observing(pulumi.ComponentResource):
    """What people look at, and who looks at the apps from outside."""

    folder_uid: pulumi.Output[str]

    def __init__(self, name: str, args: ObservingArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("runbook:observing:Observing", name, None, opts)
        mine = pulumi.ResourceOptions(parent=self)
        folder = oss.Folder(f"{name}-folder", uid=args.uid, title=args.title, opts=mine)
        self.folder_uid = folder.uid
        sources = [_data_source(name, source, args.secrets[source.secret], mine) for source in args.sources]
        for dashboard in args.dashboards:
            oss.Dashboard(
                f"{name}-{dashboard.kind}",
                folder=folder.uid,
                config_json=dashboard.config_json,
                opts=pulumi.ResourceOptions(parent=self, depends_on=sources),
            )
        for check in args.checks:
            syntheticmonitoring.Check(
                f"{name}-check-{check.app}",
                job=check.job,
                target=check.url,
                labels=check.labels,
                probes=args.probes,
                enabled=True,
                frequency=EVERY_MINUTE_MS,
                timeout=TIMEOUT_MS,
                settings=syntheticmonitoring.CheckSettingsArgs(
                    http=syntheticmonitoring.CheckSettingsHttpArgs(
                        method="GET", ip_version="V4", fail_if_not_ssl=True, valid_status_codes=[200]
                    )
                ),
                opts=mine,
            )
        self.register_outputs({"folderUid": self.folder_uid})


def _data_source(name: str, source: DataSource, secret: SecretStr, opts: pulumi.ResourceOptions) -> oss.DataSource:
    return oss.DataSource(
        f"{name}-{source.source.name.lower()}",
        name=source.name,
        uid=source.uid,
        type=source.source.value,
        url=source.url,
        username=None if source.basic_auth else source.user,
        basic_auth_enabled=source.basic_auth,
        basic_auth_username=source.user if source.basic_auth else None,
        json_data_encoded=source.options,
        secure_json_data_encoded=secret_json(source.secret_field, secret),
        opts=opts,
    )
