"""Grafana's contact points, mute timing and alert rules of one stack.

Rules carry their owner's contact point themselves, unless the stack takes over the whole policy tree: others may use
the same Grafana, and a NotificationPolicy overwrites all of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
from pulumiverse_grafana import alerting
from pydantic import SecretStr

from components.secrets import only_secret
from runbook.model.alerting import (
    EXPRESSION,
    GROUPING,
    ContactPoint,
    MuteTiming,
    Rule,
    RuleGroup,
    contact_points,
    mute_timing,
)
from runbook.model.fields import duration_text
from runbook.model.platform import Platform
from runbook.model.policies import UID_LABEL, Policy, PolicyTree, policy_tree
from runbook.model.settings import (
    EmailContact,
    Notifications,
    PagerDutyContact,
    Settings,
    SlackContact,
    WebhookContact,
)


@dataclass(frozen=True)
class AlertingArgs:
    folder_uid: pulumi.Input[str]
    contact_points: Sequence[ContactPoint]
    mute_timing: MuteTiming | None
    groups: Sequence[RuleGroup]
    notifications: Notifications
    tree: PolicyTree | None
    secrets: Mapping[str, SecretStr]

    @classmethod
    def of(
        cls, platform: Platform, settings: Settings, groups: Sequence[RuleGroup], folder_uid: pulumi.Input[str]
    ) -> AlertingArgs:
        """What a stack alerts on. `groups` are made before anything is registered, since they can be refused."""
        return cls(
            folder_uid=folder_uid,
            contact_points=contact_points(platform, settings),
            mute_timing=mute_timing(settings),
            groups=groups,
            notifications=settings.notifications,
            tree=policy_tree(platform, settings),
            secrets=settings.secrets,
        )


class Alerting(pulumi.ComponentResource):
    """All rules of a stack, each with its owner."""

    def __init__(self, name: str, args: AlertingArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("runbook:alerting:Alerting", name, None, opts)
        mine = pulumi.ResourceOptions(parent=self)
        points = {point.owner: _contact_point(name, point, args.secrets, mine) for point in args.contact_points}
        mute = _mute_timing(name, args.mute_timing, mine) if args.mute_timing else None
        for group in args.groups:
            alerting.RuleGroup(
                f"{name}-{group.objective}",
                name=group.name,
                folder_uid=args.folder_uid,
                interval_seconds=group.interval_seconds,
                rules=[
                    _rule(rule, None if args.tree else _sent(rule, args.notifications, points[rule.owner], mute))
                    for rule in group.rules
                ],
                opts=mine,
            )
        if args.tree:
            _policy_tree(name, args.tree, args.notifications, points, mute, mine)
        self.register_outputs({})


def _contact_point(
    name: str, point: ContactPoint, secrets: Mapping[str, SecretStr], opts: pulumi.ResourceOptions
) -> alerting.ContactPoint:
    """Nested secrets are not marked secret by the SDK, so each is given as a secret Output."""
    return alerting.ContactPoint(
        f"{name}-contact-{point.owner}",
        name=point.name,
        slacks=[
            alerting.ContactPointSlackArgs(url=only_secret(secrets[contact.secret]), recipient=contact.channel)
            for contact in point.contacts
            if isinstance(contact, SlackContact)
        ],
        pagerduties=[
            alerting.ContactPointPagerdutyArgs(integration_key=only_secret(secrets[contact.secret]))
            for contact in point.contacts
            if isinstance(contact, PagerDutyContact)
        ],
        webhooks=[
            alerting.ContactPointWebhookArgs(url=only_secret(secrets[contact.secret]))
            for contact in point.contacts
            if isinstance(contact, WebhookContact)
        ],
        emails=[
            alerting.ContactPointEmailArgs(addresses=contact.addresses)
            for contact in point.contacts
            if isinstance(contact, EmailContact)
        ],
        opts=opts,
    )


def _mute_timing(name: str, timing: MuteTiming, opts: pulumi.ResourceOptions) -> alerting.MuteTiming:
    return alerting.MuteTiming(
        f"{name}-outside-hours",
        name=timing.name,
        intervals=[
            alerting.MuteTimingIntervalArgs(
                weekdays=list(days),
                times=[alerting.MuteTimingIntervalTimeArgs(start=start, end=end) for start, end in times],
                location=timing.location,
            )
            for days, times in timing.intervals
        ],
        opts=opts,
    )


def _sent(
    rule: Rule, notifications: Notifications, point: alerting.ContactPoint, mute: alerting.MuteTiming | None
) -> alerting.RuleGroupRuleNotificationSettingsArgs:
    """Where a rule that carries its own settings sends."""
    return alerting.RuleGroupRuleNotificationSettingsArgs(
        contact_point=point.name,
        group_bies=list(rule.group_by),
        group_wait=duration_text(notifications.group_wait),
        group_interval=duration_text(notifications.group_interval),
        repeat_interval=duration_text(notifications.repeat_interval),
        mute_timings=[mute.name] if mute is not None and rule.muted_outside_hours else [],
    )


def _rule(rule: Rule, sent: alerting.RuleGroupRuleNotificationSettingsArgs | None) -> alerting.RuleGroupRuleArgs:
    return alerting.RuleGroupRuleArgs(
        name=rule.name,
        uid=rule.uid,
        for_=rule.for_,
        no_data_state=rule.no_data_state,
        exec_err_state=rule.exec_err_state,
        condition=rule.condition,
        datas=[_data(rule, ref, model) for ref, model in rule.models],
        labels=rule.labels,
        annotations=rule.annotations,
        is_paused=False,
        notification_settings=sent,
    )


def _policy_tree(
    name: str,
    tree: PolicyTree,
    notifications: Notifications,
    points: Mapping[str, alerting.ContactPoint],
    mute: alerting.MuteTiming | None,
    opts: pulumi.ResourceOptions,
) -> None:
    alerting.NotificationPolicy(
        f"{name}-tree",
        contact_point=points[tree.default].name,
        group_bies=list(GROUPING),
        group_wait=duration_text(notifications.group_wait),
        group_interval=duration_text(notifications.group_interval),
        repeat_interval=duration_text(notifications.repeat_interval),
        policies=[_policy(policy, points[policy.owner], mute) for policy in tree.policies],
        opts=opts,
    )


def _policy(
    policy: Policy, point: alerting.ContactPoint, mute: alerting.MuteTiming | None
) -> alerting.NotificationPolicyPolicyArgs:
    """Grouping and times are the tree's own: a policy without them has its parent's."""
    return alerting.NotificationPolicyPolicyArgs(
        contact_point=point.name,
        matchers=[
            alerting.NotificationPolicyPolicyMatcherArgs(label=label, match="=", value=value)
            for label, value in policy.labels.items()
        ],
        policies=[
            alerting.NotificationPolicyPolicyPolicyArgs(
                contact_point=point.name,
                matchers=[alerting.NotificationPolicyPolicyPolicyMatcherArgs(label=UID_LABEL, match="=", value=uid)],
                mute_timings=[mute.name],
            )
            for uid in policy.muted
            if mute is not None
        ],
    )


def _data(rule: Rule, ref: str, model: str) -> alerting.RuleGroupRuleDataArgs:
    reads = ref == "A"  # B and C only compute
    return alerting.RuleGroupRuleDataArgs(
        ref_id=ref,
        datasource_uid=rule.datasource_uid if reads else EXPRESSION,
        model=model,
        relative_time_range=alerting.RuleGroupRuleDataRelativeTimeRangeArgs(
            from_=int(rule.span.total_seconds()) if reads else 0, to=0
        ),
    )
