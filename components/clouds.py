"""The three providers, with the stack's own tokens: no credential is taken from the machine that runs."""

from __future__ import annotations

import pulumi
import pulumi_cloudflare as cloudflare
import pulumiverse_grafana as grafana
import pulumiverse_vercel as vercel

from components.secrets import only_secret
from runbook.model.settings import Settings


def providers(settings: Settings) -> list[pulumi.ProviderResource]:
    secrets = settings.secrets
    return [
        cloudflare.Provider("cloudflare", api_token=only_secret(secrets["CLOUDFLARE_API_TOKEN"])),
        vercel.Provider("vercel", api_token=only_secret(secrets["VERCEL_API_TOKEN"]), team=settings.vercel.team),
        grafana.Provider(
            "grafana",
            url=settings.grafana.url,
            auth=only_secret(secrets["GRAFANA_AUTH"]),
            sm_url=settings.grafana.synthetic_monitoring_url,
            sm_access_token=only_secret(secrets["GRAFANA_SM_ACCESS_TOKEN"]),
        ),
    ]


def zone_id(zone: str, clouds: list[pulumi.ProviderResource]) -> pulumi.Output[str]:
    """Id of a Cloudflare zone, looked up by its name: a token that cannot see the zone is found out in preview."""
    found = cloudflare.get_zone_output(
        filter=cloudflare.GetZoneFilterArgs(name=zone, match="all"),
        opts=pulumi.InvokeOutputOptions(provider=clouds[0]),
    )
    return found.id
