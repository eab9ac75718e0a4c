"""The three providers, with the stack's own tokens: no credential is taken from the machine that runs."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi
import pulumi_cloudflare as cloudflare
import pulumiverse_grafana as grafana
import pulumiverse_vercel as vercel

from components.secrets import only_secret
from runbook.model.problems import path
from runbook.model.settings import Settings


def dns_provider(settings: Settings) -> cloudflare.Provider:
    """Cloudflare's alone: names have to go back while another cloud is down."""
    return cloudflare.Provider("cloudflare", api_token=only_secret(settings.secrets["CLOUDFLARE_API_TOKEN"]))


def other_providers(settings: Settings, after: Sequence[pulumi.Resource]) -> list[pulumi.ProviderResource]:
    """Vercel's and Grafana's, which are configured once `after`, the DNS records, are done: Vercel's looks a team up
    when it is configured, and one that fails ends the whole update (seen, 3.258)."""
    secrets, waits = settings.secrets, pulumi.ResourceOptions(depends_on=after)
    return [
        vercel.Provider(
            "vercel", api_token=only_secret(secrets["VERCEL_API_TOKEN"]), team=settings.vercel.team, opts=waits
        ),
        grafana.Provider(
            "grafana",
            url=settings.grafana.url,
            auth=only_secret(secrets["GRAFANA_AUTH"]),
            sm_url=settings.grafana.synthetic_monitoring_url,
            sm_access_token=only_secret(secrets["GRAFANA_SM_ACCESS_TOKEN"]),
            opts=waits,
        ),
    ]


def zone_id(zone: str, provider: cloudflare.Provider) -> str:
    """Id of a Cloudflare zone, looked up by its name. Raises: pulumi.RunError where the token cannot see the zone: in
    preview already, and before anything is registered in it."""
    by_name = cloudflare.GetZoneFilterArgs(name=zone, match="all")
    try:
        found = cloudflare.get_zone(filter=by_name, opts=pulumi.InvokeOptions(provider=provider))
    except Exception as error:  # whatever the provider says; the SDK has no type for it
        raise pulumi.RunError(
            f"The zone {zone} could not be looked up at Cloudflare, which said: {error}\n"
            f"Correct {path('zone')}, or let CLOUDFLARE_API_TOKEN read that zone; nothing was changed."
        ) from None
    return str(found.id)
