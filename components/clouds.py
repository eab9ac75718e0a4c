"""The three providers, with the stack's own tokens: no credential is taken from the machine that runs."""

from __future__ import annotations

import pulumi
import pulumi_cloudflare as cloudflare
import pulumiverse_grafana as grafana
import pulumiverse_vercel as vercel

from components.secrets import only_secret
from runbook.model.problems import path
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


def zone_id(zone: str, clouds: list[pulumi.ProviderResource]) -> str:
    """Id of a Cloudflare zone, looked up by its name. Raises: pulumi.RunError where the token cannot see the zone: in
    preview already, and before anything is registered in it."""
    provider = next(cloud for cloud in clouds if isinstance(cloud, cloudflare.Provider))
    by_name = cloudflare.GetZoneFilterArgs(name=zone, match="all")
    try:
        found = cloudflare.get_zone(filter=by_name, opts=pulumi.InvokeOptions(provider=provider))
    except Exception as error:  # whatever the provider says; the SDK has no type for it
        raise pulumi.RunError(
            f"The zone {zone} could not be looked up at Cloudflare, which said: {error}\n"
            f"Correct {path('zone')}, or let CLOUDFLARE_API_TOKEN read that zone; nothing was changed."
        ) from None
    return str(found.id)
