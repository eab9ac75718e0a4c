"""Where Grafana reads from: the stack's three data sources as data."""

from __future__ import annotations

import json
from dataclasses import dataclass

from runbook.model.alerting import base_name, source_uid
from runbook.model.settings import Settings
from runbook.model.signals import Source


@dataclass(frozen=True)
class DataSource:
    """One data source. `secret` names the Pulumi secret that goes into its encrypted field `secret_field`."""

    source: Source
    name: str
    uid: str
    url: str
    user: str
    basic_auth: bool
    options: str
    secret_field: str
    secret: str


def data_sources(settings: Settings) -> tuple[DataSource, ...]:
    grafana = settings.grafana
    postgres = grafana.postgres
    return (
        _http(settings, Source.PROMETHEUS, grafana.prometheus.url, grafana.prometheus.user, {"httpMethod": "POST"}),
        _http(settings, Source.LOKI, grafana.loki.url, grafana.loki.user, {"derivedFields": [_trace_id(settings)]}),
        DataSource(
            source=Source.POSTGRES,
            name=f"{base_name(settings)} Supabase",
            uid=source_uid(settings, Source.POSTGRES),
            url=f"{postgres.host}:{postgres.port}",
            user=postgres.user,
            basic_auth=False,
            options=_text({"database": postgres.database, "sslmode": "require", "postgresVersion": 1500}),
            secret_field="password",
            secret="POSTGRES_PASSWORD",
        ),
    )


def _http(settings: Settings, source: Source, url: str, user: str, options: dict[str, object]) -> DataSource:
    return DataSource(
        source=source,
        name=f"{base_name(settings)} {source.name.capitalize()}",
        uid=source_uid(settings, source),
        url=url,
        user=user,
        basic_auth=True,
        options=_text(options),
        secret_field="basicAuthPassword",
        secret=f"{source.name}_TOKEN",
    )


def _trace_id(settings: Settings) -> dict[str, str]:
    """Both runbooks triage by trace_id: a click on it finds every line of the same trace."""
    return {
        "name": "trace_id",
        "matcherType": "regex",
        "matcherRegex": r'"trace_id"\s*:\s*"([0-9a-f-]+)"',
        "url": f'{{platform="{settings.platform}"}} | json | trace_id="${{__value.raw}}"',
        "urlDisplayLabel": "All lines of this trace",
        "datasourceUid": source_uid(settings, Source.LOKI),
    }


def _text(options: dict[str, object]) -> str:
    return json.dumps(options, sort_keys=True)
