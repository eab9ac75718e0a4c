"""What holds for every stack's registrations, whatever the stack file says."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from tests import stacks
from tests.components.recording import Registration, Secret

# A cutover's ledger, the kept states and people's `pulumi state` commands name resources by URN: a rename needs an
# alias, so the list of prod is held here, not in a file that a command rewrites.
PROD_URNS = """
pulumi-python:dynamic/runbook:Ledger::ledger
runbook:alerting:Alerting$grafana:alerting/contactPoint:ContactPoint::alerts-contact-on-call
runbook:alerting:Alerting$grafana:alerting/contactPoint:ContactPoint::alerts-contact-ops-alerts
runbook:alerting:Alerting$grafana:alerting/muteTiming:MuteTiming::alerts-outside-hours
runbook:alerting:Alerting$grafana:alerting/ruleGroup:RuleGroup::alerts-anomalies
runbook:alerting:Alerting$grafana:alerting/ruleGroup:RuleGroup::alerts-auth-availability
runbook:alerting:Alerting$grafana:alerting/ruleGroup:RuleGroup::alerts-error-budget
runbook:alerting:Alerting$grafana:alerting/ruleGroup:RuleGroup::alerts-log-drain
runbook:alerting:Alerting$grafana:alerting/ruleGroup:RuleGroup::alerts-payment-ingest
runbook:alerting:Alerting$grafana:alerting/ruleGroup:RuleGroup::alerts-scheduled-functions
runbook:alerting:Alerting$grafana:alerting/ruleGroup:RuleGroup::alerts-staff-console-uptime
runbook:cutover:Steps$pulumi-python:dynamic/runbook:Step::step-annotate
runbook:cutover:Steps$pulumi-python:dynamic/runbook:Step::step-announce
runbook:cutover:Steps$pulumi-python:dynamic/runbook:Step::step-auth-settings
runbook:cutover:Steps$pulumi-python:dynamic/runbook:Step::step-build-member
runbook:cutover:Steps$pulumi-python:dynamic/runbook:Step::step-build-staff
runbook:cutover:Steps$pulumi-python:dynamic/runbook:Step::step-complete
runbook:cutover:Steps$pulumi-python:dynamic/runbook:Step::step-custom-hostname
runbook:cutover:Steps$pulumi-python:dynamic/runbook:Step::step-end-sessions
runbook:cutover:Steps$pulumi-python:dynamic/runbook:Step::step-function-metrics-exporter
runbook:cutover:Steps$pulumi-python:dynamic/runbook:Step::step-gate-LOG_DRAIN_URL
runbook:cutover:Steps$pulumi-python:dynamic/runbook:Step::step-gate-build-member
runbook:cutover:Steps$pulumi-python:dynamic/runbook:Step::step-gate-build-staff
runbook:cutover:Steps$pulumi-python:dynamic/runbook:Step::step-gate-target-auth
runbook:cutover:Steps$pulumi-python:dynamic/runbook:Step::step-gate-target-member
runbook:cutover:Steps$pulumi-python:dynamic/runbook:Step::step-gate-target-staff
runbook:cutover:Steps$pulumi-python:dynamic/runbook:Step::step-gate-ttl
runbook:cutover:Steps$pulumi-python:dynamic/runbook:Step::step-lock
runbook:cutover:Steps$pulumi-python:dynamic/runbook:Step::step-page-pagerduty-on-call
runbook:cutover:Steps$pulumi-python:dynamic/runbook:Step::step-promote-member
runbook:cutover:Steps$pulumi-python:dynamic/runbook:Step::step-promote-staff
runbook:cutover:Steps$pulumi-python:dynamic/runbook:Step::step-purge
runbook:cutover:Steps$pulumi-python:dynamic/runbook:Step::step-purge-again
runbook:cutover:Steps$pulumi-python:dynamic/runbook:Step::step-remind
runbook:cutover:Steps$pulumi-python:dynamic/runbook:Step::step-verify-auth
runbook:cutover:Steps$pulumi-python:dynamic/runbook:Step::step-verify-dns
runbook:cutover:Steps$pulumi-python:dynamic/runbook:Step::step-verify-event
runbook:cutover:Steps$pulumi-python:dynamic/runbook:Step::step-verify-login
runbook:cutover:Steps$pulumi-python:dynamic/runbook:Step::step-verify-member
runbook:cutover:Steps$pulumi-python:dynamic/runbook:Step::step-verify-staff
runbook:cutover:Steps$pulumi-python:dynamic/runbook:Step::step-verify-worker-member
runbook:cutover:Steps$pulumi-python:dynamic/runbook:Step::step-verify-worker-staff
runbook:cutover:Steps$pulumi-python:dynamic/runbook:Step::step-way-back
runbook:dns:Zone$cloudflare:index/dnsRecord:DnsRecord::dns-auth.ibimina.rw
runbook:dns:Zone$cloudflare:index/dnsRecord:DnsRecord::dns-member
runbook:dns:Zone$cloudflare:index/dnsRecord:DnsRecord::dns-staff
runbook:dns:Zone$cloudflare:index/dnsRecord:DnsRecord::dns-txt-_acme-challenge.auth.ibimina.rw
runbook:dns:Zone$cloudflare:index/ruleset:Ruleset::dns-cache
runbook:observing:Observing$grafana:oss/dashboard:Dashboard::observing-checklist
runbook:observing:Observing$grafana:oss/dashboard:Dashboard::observing-objectives
runbook:observing:Observing$grafana:oss/dashboard:Dashboard::observing-operations
runbook:observing:Observing$grafana:oss/dataSource:DataSource::observing-loki
runbook:observing:Observing$grafana:oss/dataSource:DataSource::observing-postgres
runbook:observing:Observing$grafana:oss/dataSource:DataSource::observing-prometheus
runbook:observing:Observing$grafana:oss/folder:Folder::observing-folder
runbook:observing:Observing$grafana:syntheticMonitoring/check:Check::observing-check-auth
runbook:observing:Observing$grafana:syntheticMonitoring/check:Check::observing-check-member
runbook:observing:Observing$grafana:syntheticMonitoring/check:Check::observing-check-staff
runbook:web:App$vercel:index/project:Project::web-member-project
runbook:web:App$vercel:index/project:Project::web-staff-project
runbook:web:App$vercel:index/projectDeploymentRetention:ProjectDeploymentRetention::web-member-retention
runbook:web:App$vercel:index/projectDeploymentRetention:ProjectDeploymentRetention::web-staff-retention
runbook:web:App$vercel:index/projectDomain:ProjectDomain::web-member-domain
runbook:web:App$vercel:index/projectDomain:ProjectDomain::web-staff-domain
runbook:web:App$vercel:index/projectEnvironmentVariable:ProjectEnvironmentVariable::web-member-env-LOG_DRAIN_ALERT_WEBHOOK
runbook:web:App$vercel:index/projectEnvironmentVariable:ProjectEnvironmentVariable::web-member-env-LOG_DRAIN_URL
runbook:web:App$vercel:index/projectEnvironmentVariable:ProjectEnvironmentVariable::web-member-env-NEXT_PUBLIC_APP_URL
runbook:web:App$vercel:index/projectEnvironmentVariable:ProjectEnvironmentVariable::web-member-env-NEXT_PUBLIC_SUPABASE_URL
runbook:web:App$vercel:index/projectEnvironmentVariable:ProjectEnvironmentVariable::web-member-env-SUPABASE_PROJECT_REF
runbook:web:App$vercel:index/projectEnvironmentVariable:ProjectEnvironmentVariable::web-member-env-TRUSTED_COOKIE_SECRET
runbook:web:App$vercel:index/projectEnvironmentVariable:ProjectEnvironmentVariable::web-staff-env-EDGE_CONFIG
runbook:web:App$vercel:index/projectEnvironmentVariable:ProjectEnvironmentVariable::web-staff-env-LOG_DRAIN_ALERT_WEBHOOK
runbook:web:App$vercel:index/projectEnvironmentVariable:ProjectEnvironmentVariable::web-staff-env-LOG_DRAIN_URL
runbook:web:App$vercel:index/projectEnvironmentVariable:ProjectEnvironmentVariable::web-staff-env-NEXT_PUBLIC_APP_URL
runbook:web:App$vercel:index/projectEnvironmentVariable:ProjectEnvironmentVariable::web-staff-env-NEXT_PUBLIC_SUPABASE_URL
runbook:web:App$vercel:index/projectEnvironmentVariable:ProjectEnvironmentVariable::web-staff-env-SUPABASE_PROJECT_REF
runbook:web:App$vercel:index/projectEnvironmentVariable:ProjectEnvironmentVariable::web-staff-env-TRUSTED_COOKIE_SECRET
runbook:web:Drains$vercel:index/logDrain:LogDrain::drains-logs
runbook:web:Flags$vercel:index/edgeConfig:EdgeConfig::flags-store
runbook:web:Flags$vercel:index/edgeConfigItem:EdgeConfigItem::flags-trustedDevice
runbook:web:Flags$vercel:index/edgeConfigToken:EdgeConfigToken::flags-token
"""

each_stack = pytest.mark.parametrize("stack", stacks.STACKS)
Programs = dict[str, list[Registration]]


def test_the_urns_of_prod_are_kept(programs: Programs) -> None:
    urns = {each.urn.split("::", 2)[2] for each in programs["prod"] if kept(each)}
    assert urns == set(PROD_URNS.split())


def test_what_got_another_name_says_its_former_one(programs: Programs) -> None:
    assert {each.name: each.formerly for each in programs["prod"] if each.formerly} == {
        "dns-auth.ibimina.rw": ("dns-auth",)
    }


def kept(each: Registration) -> bool:
    """Whether it is more than a component or the stack: a cloud's, the ledger or a step."""
    return not each.type.startswith(("runbook:", "pulumi:"))


def test_staging_and_prod_declare_the_same_resources(programs: Programs) -> None:
    """They differ in their stack files alone; the extra records and sign-in's are named by the zone they stand in."""

    def names(stack: str) -> set[str]:
        found = [each for each in programs[stack] if kept(each) and "_acme" not in each.name]
        return {each.formerly[0] if each.formerly else each.name for each in found}

    assert names("staging") == names("prod")
    assert names("easymo-staging") == names("easymo-prod")


@each_stack
def test_every_resource_has_a_component_and_an_explicit_provider(stack: str, programs: Programs) -> None:
    components = {each.urn for each in programs[stack] if each.type.startswith("runbook:")}
    for each in programs[stack]:
        cloud = each.type.split(":")[0]
        if cloud in ("cloudflare", "vercel", "grafana"):
            assert each.parent in components, f"{each.name} stands outside a component"
            assert each.provider == cloud, f"{each.name} would use a default provider"


@each_stack
def test_no_urn_stands_twice(stack: str, programs: Programs) -> None:
    assert [urn for urn, count in Counter(each.urn for each in programs[stack]).items() if count > 1] == []


@each_stack
def test_what_serves_and_the_ledger_are_protected_and_nothing_else(stack: str, programs: Programs) -> None:
    hosts = {each.inputs["domain"] for each in programs[stack] if each.type.endswith(":ProjectDomain")}
    hosts |= {app.host for app in stacks.settings(stack).apps.values() if app.host}
    hosts |= {stacks.settings(stack).current.auth_host}
    for each in programs[stack]:
        serves = each.type.endswith((":Project", ":ProjectDomain", ":Ledger")) or (
            each.type.endswith(":DnsRecord") and each.inputs["name"] in hosts
        )
        assert each.protect == serves, each.name


@each_stack
def test_no_secret_is_registered_in_the_clear(stack: str, programs: Programs) -> None:
    values = list(stacks.secrets(stack).values())
    for each in programs[stack]:
        for text in _clear_texts(each.inputs):
            assert not [value for value in values if value in text], f"{each.name} carries a secret in the clear"


@each_stack
def test_every_secret_reaches_a_resource(stack: str, programs: Programs) -> None:
    """A secret that people are asked for and nothing uses would be a burden for nobody's sake."""
    held = " ".join(itertools.chain.from_iterable(_secret_texts(each.inputs) for each in programs[stack]))
    assert [name for name, value in stacks.secrets(stack).items() if value not in held] == []


@each_stack
def test_names_in_other_resources_are_names_that_exist(stack: str, programs: Programs) -> None:
    """A rule that names an unknown contact point, mute timing or data source is refused by Grafana only in up."""
    of = {kind: [e for e in programs[stack] if e.type.endswith(f":{kind}")] for kind in ("RuleGroup", "DataSource")}
    named = {
        kind: {each.inputs["name"] for each in programs[stack] if each.type.endswith(f":{kind}")}
        for kind in ("ContactPoint", "MuteTiming")
    }
    uids = {each.inputs["uid"] for each in of["DataSource"]} | {"__expr__"}
    rules = [rule for group in of["RuleGroup"] for rule in group.inputs["rules"]]
    assert rules
    for rule in rules:
        settings = rule["notificationSettings"]
        assert settings["contactPoint"] in named["ContactPoint"]
        assert set(settings.get("muteTimings", [])) <= named["MuteTiming"]
        assert {data["datasourceUid"] for data in rule["datas"]} <= uids


def _clear_texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from itertools.chain.from_iterable(map(_clear_texts, value.values()))
    elif isinstance(value, list):
        yield from itertools.chain.from_iterable(map(_clear_texts, value))
    elif not isinstance(value, Secret):
        yield str(value)


def _secret_texts(value: Any) -> Iterator[str]:
    if isinstance(value, Secret):
        yield str(value.value)
    elif isinstance(value, dict):
        yield from itertools.chain.from_iterable(map(_secret_texts, value.values()))
    elif isinstance(value, list):
        yield from itertools.chain.from_iterable(map(_secret_texts, value))
