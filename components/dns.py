"""DNS records and cache rules in the stack's Cloudflare zone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_cloudflare as cloudflare

from components.steps import Steps
from runbook.model.cutover.step import Group
from runbook.model.serving import CacheRule, Record


@dataclass(frozen=True)
class ZoneArgs:
    """`steps`: what cache rules and records wait for in a cutover, and what waits for them."""

    zone_id: pulumi.Input[str]
    records: Sequence[Record]
    cache_rules: Sequence[CacheRule]
    steps: Steps


class Zone(pulumi.ComponentResource):
    """Every record of the stack, and the zone's one set of cache rules. Records that serve are protected: a name in
    use is never deleted, since a missing name is remembered for up to half an hour (RFC 2308)."""

    records: list[cloudflare.DnsRecord]

    def __init__(self, name: str, args: ZoneArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("runbook:dns:Zone", name, None, opts)
        rules = cloudflare.Ruleset(
            f"{name}-cache",
            zone_id=args.zone_id,
            name="Cache rules of the runbook",
            description="One ruleset holds all cache rules of a zone; a rule added by hand is removed by the next up",
            kind="zone",
            phase="http_request_cache_settings",
            rules=[
                cloudflare.RulesetRuleArgs(
                    ref=rule.ref,
                    description=rule.description,
                    expression=rule.expression,
                    action="set_cache_settings",
                    action_parameters=cloudflare.RulesetRuleActionParametersArgs(cache=rule.cache),
                    enabled=True,
                )
                for rule in args.cache_rules
            ],
            opts=pulumi.ResourceOptions(parent=self, depends_on=args.steps.until(Group.CACHE_RULES)),
        )
        args.steps.met(Group.CACHE_RULES, [rules])
        waits = args.steps.until(Group.RECORDS)
        self.records = [
            cloudflare.DnsRecord(
                f"{name}-{record.key}",
                zone_id=args.zone_id,
                name=record.name,
                type=record.type,
                content=record.content,
                ttl=record.ttl,
                proxied=record.proxied,
                priority=record.priority,
                comment=record.comment or None,
                opts=pulumi.ResourceOptions(
                    parent=self,
                    depends_on=waits if record.in_use else None,
                    protect=record.serves,
                    aliases=[pulumi.Alias(name=f"{name}-{record.formerly}")] if record.formerly else None,
                ),
            )
            for record in args.records
        ]
        args.steps.met(Group.RECORDS, self.records)
        self.register_outputs({"zoneId": args.zone_id})
