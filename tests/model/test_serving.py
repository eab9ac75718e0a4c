"""What serves, as plain data: exact for a few, invariants for every committed stack."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest
from pydantic import SecretStr

from runbook.model import serving
from runbook.model.reading import read
from runbook.model.serving import EnvVar, Record, UptimeCheck, Web
from tests.model.cases import whole
from tests.stacks import STACKS, platform, settings

every_stack = pytest.mark.parametrize("stack", STACKS)
# Section 3a of Ibimina's runbook names the first three and TRUSTED_COOKIE_SECRET, section 4 the webhook; EasyMO's
# names the drains.
NAMED = {
    "ibimina": {
        "NEXT_PUBLIC_SUPABASE_URL",
        "NEXT_PUBLIC_APP_URL",
        "SUPABASE_PROJECT_REF",
        "TRUSTED_COOKIE_SECRET",
        "LOG_DRAIN_URL",
        "LOG_DRAIN_ALERT_WEBHOOK",
    },
    "easymo": {"LOG_DRAIN_URL", "METRICS_DRAIN_URL", "TRACES_EXPORTER_URL"},
}


def records(stack: str) -> dict[str, Record]:
    return {record.key: record for record in serving.records(platform(stack), settings(stack))}


def webs(stack: str) -> dict[str, Web]:
    return {web.app: web for web in serving.webs(platform(stack), settings(stack))}


def env(stack: str, app: str) -> dict[str, EnvVar]:
    return {variable.key: variable for variable in webs(stack)[app].env}


# DNS


def test_records_of_ibimina_in_production() -> None:
    assert list(records("prod").values()) == [
        Record(
            "staff", "staff.ibimina.rw", "CNAME", "cname.vercel-dns.com", ttl=1, proxied=True,
            comment="ibimina prod: Staff console", serves=True, in_use=True,
        ),
        Record(
            "member", "app.ibimina.rw", "CNAME", "cname.vercel-dns.com", ttl=1, proxied=True,
            comment="ibimina prod: Member app", serves=True, in_use=True,
        ),
        Record(
            "auth.ibimina.rw", "auth.ibimina.rw", "CNAME", "ibiminaprodplacehold.supabase.co", ttl=3600,
            comment="ibimina prod: Auth", serves=True, formerly="auth", in_use=True,
        ),
        Record(
            "txt-_acme-challenge.auth.ibimina.rw", "_acme-challenge.auth.ibimina.rw", "TXT",
            '"placeholder-from-supabase"', ttl=3600,
        ),
    ]  # fmt: skip


def test_target_that_is_an_address_gives_an_address_record() -> None:
    assert (records("easymo-prod")["api"].type, records("easymo-prod")["api"].content) == ("A", "192.0.2.10")
    changed = deepcopy(whole("easymo-prod"))
    changed["current"]["targets"]["api"] = "2001:db8::10"
    [_, api] = serving.records(platform("easymo-prod"), read("easymo-prod", changed, platform("easymo-prod")))
    assert (api.type, api.content) == ("AAAA", "2001:db8::10")


@every_stack
def test_every_app_has_one_record_that_serves(stack: str) -> None:
    names = [record.name for record in records(stack).values() if record.serves]
    assert names == list(serving.hosts(platform(stack), settings(stack)).values())
    assert len(names) == len(set(names)) == len(platform(stack).apps)


@every_stack
def test_ttls_are_what_cloudflare_and_resolvers_take(stack: str) -> None:
    for record in records(stack).values():
        assert record.ttl == 1 or 60 <= record.ttl <= 86_400
        assert record.ttl == 1 or not record.proxied
        assert record.name == settings(stack).zone or record.name.endswith("." + settings(stack).zone)
    ttls: dict[tuple[str, str], set[int]] = {}
    for record in records(stack).values():
        ttls.setdefault((record.name, record.type), set()).add(record.ttl)
    assert all(len(each) == 1 for each in ttls.values()), "RFC 2181: one TTL for each set of records"


@every_stack
def test_record_keys_are_unique_and_carry_no_target(stack: str) -> None:
    found = serving.records(platform(stack), settings(stack))
    assert len({record.key for record in found}) == len(found)
    for record in found:
        assert record.content not in record.key, "a flip changes the target, never a resource's name"


def test_second_record_of_a_name_takes_no_key_from_the_first() -> None:
    changed = deepcopy(whole("prod"))
    mail = {"name": "ibimina.rw", "type": "MX", "ttl": 3600}
    changed["records"] += [
        mail | {"content": "mail.ibimina.rw", "priority": 10},
        mail | {"content": "mail2.ibimina.rw", "priority": 20},
    ]
    found = serving.records(platform("prod"), read("prod", changed, platform("prod")))
    assert [record.key for record in found[3:]] == [
        "txt-_acme-challenge.auth.ibimina.rw",
        "mx-ibimina.rw",
        "mx-ibimina.rw-2",
    ]
    assert [record.priority for record in found[3:]] == [None, 10, 20]


# The edge


def test_cache_rules_of_ibimina_in_production() -> None:
    rules = serving.cache_rules(platform("prod"), settings("prod"))
    assert [(rule.ref, rule.cache) for rule in rules] == [
        ("staff-static", True),
        ("staff-never", False),
        ("member-static", True),
        ("member-never", False),
        ("auth-host", False),
    ]
    assert rules[1].expression == (
        'http.host eq "staff.ibimina.rw" and (starts_with(http.request.uri.path, "/api/") '
        'or http.request.uri.path eq "/api/healthz" or http.request.uri.path eq "/sw.js")'
    )
    assert rules[4].expression == 'http.host eq "auth.ibimina.rw"'


@every_stack
def test_every_host_has_cache_rules_and_none_is_cached_after_never(stack: str) -> None:
    rules = serving.cache_rules(platform(stack), settings(stack))
    assert len({rule.ref for rule in rules}) == len(rules)
    for app, host in serving.hosts(platform(stack), settings(stack)).items():
        mine = [rule.cache for rule in rules if f'http.host eq "{host}"' in rule.expression]
        assert mine, app
        assert mine == sorted(mine, reverse=True), "the last matching rule wins: what is never cached comes last"


@every_stack
def test_health_and_service_workers_are_never_cached(stack: str) -> None:
    rules = {rule.ref: rule for rule in serving.cache_rules(platform(stack), settings(stack))}
    for app in platform(stack).apps:
        if app.auth:
            continue
        never = rules[f"{app.name}-never"].expression
        for path in filter(None, (app.health, app.service_worker)):
            assert f'http.request.uri.path eq "{path}"' in never


@every_stack
def test_only_the_auth_rule_names_the_auth_host(stack: str) -> None:
    host = settings(stack).current.auth_host
    naming = [
        rule.ref for rule in serving.cache_rules(platform(stack), settings(stack)) if f'"{host}"' in rule.expression
    ]
    assert naming == (["auth-host"] if host else [])


# Web apps


def test_env_of_the_staff_console_in_production() -> None:
    values = {key: variable.value for key, variable in env("prod", "staff").items()}
    secret = settings("prod").secrets
    assert values == {
        "NEXT_PUBLIC_SUPABASE_URL": "https://auth.ibimina.rw",
        "NEXT_PUBLIC_APP_URL": "https://staff.ibimina.rw",
        "SUPABASE_PROJECT_REF": "ibiminaprodplacehold",
        "TRUSTED_COOKIE_SECRET": secret["TRUSTED_COOKIE_SECRET"],
        "LOG_DRAIN_URL": "https://logs.ibimina.rw/drain",
        "LOG_DRAIN_ALERT_WEBHOOK": secret["LOG_DRAIN_ALERT_WEBHOOK"],
    }
    assert env("prod", "member")["NEXT_PUBLIC_APP_URL"].value == "https://app.ibimina.rw"


def test_without_an_auth_host_apps_talk_to_the_supabase_project() -> None:
    assert env("easymo-prod", "admin")["NEXT_PUBLIC_SUPABASE_URL"].value == "https://easymoprodplaceholde.supabase.co"


@every_stack
def test_every_env_key_that_the_runbook_names_is_there(stack: str) -> None:
    for app in webs(stack):
        assert env(stack, app).keys() >= NAMED[settings(stack).platform]


@every_stack
def test_secrets_are_sensitive_and_nothing_else_is(stack: str) -> None:
    for web in webs(stack).values():
        for variable in web.env:
            assert variable.sensitive == isinstance(variable.value, SecretStr)
            assert not (variable.sensitive and variable.key.startswith("NEXT_PUBLIC_")), "baked into public files"


@every_stack
def test_no_key_and_target_twice(stack: str) -> None:
    for web in webs(stack).values():
        pairs = [(variable.key, target) for variable in web.env for target in variable.targets]
        assert len(pairs) == len(set(pairs))
        assert {variable.targets for variable in web.env} == {tuple(settings(stack).vercel.targets)}


def test_further_env_values_of_a_side_follow_the_platforms_own() -> None:
    changed: dict[str, Any] = deepcopy(whole("prod"))
    changed["current"]["env"] = {"staff": {"B_KEY": "2", "A_KEY": "1"}}
    staff, member = serving.webs(platform("prod"), read("prod", changed, platform("prod")))
    targets = ("production",)
    assert staff.env[-2:] == (EnvVar("A_KEY", "1", targets, False), EnvVar("B_KEY", "2", targets, False))
    assert len(member.env) == 6


@every_stack
def test_projects_are_named_by_stack_and_kept_to_go_back_to(stack: str) -> None:
    found = settings(stack)
    assert list(webs(stack)) == [app.name for app in platform(stack).apps if app.vercel]
    for web in webs(stack).values():
        assert web.project == f"{found.platform}-{web.app}-{found.environment}"
        assert web.retention == found.vercel.retention
        assert web.host == serving.hosts(platform(stack), found)[web.app]


def test_only_the_staff_console_reads_switches() -> None:
    reading = {(stack, web.app) for stack in STACKS for web in webs(stack).values() if web.reads_flags}
    assert reading == {("prod", "staff"), ("staging", "staff")}


# Drains and checks


def test_drains() -> None:
    logs = serving.log_drain(platform("easymo-staging"), settings("easymo-staging"))
    assert (logs.name, logs.endpoint) == ("easymo-staging-logs", "https://logs.easymo-staging.example/drain")
    assert logs.environments == ("production", "preview")
    traces = serving.trace_drain(platform("easymo-staging"), settings("easymo-staging"))
    assert traces is not None
    assert (traces.name, traces.endpoint) == (
        "easymo-staging-traces",
        "https://traces.easymo-staging.example/v1/traces",
    )
    assert serving.trace_drain(platform("prod"), settings("prod")) is None, "the runbook names no traces drain"


def test_drains_leave_development_out() -> None:
    changed = deepcopy(whole("easymo-prod"))
    changed["vercel"]["targets"] = ["production", "development"]
    logs = serving.log_drain(platform("easymo-prod"), read("easymo-prod", changed, platform("easymo-prod")))
    assert logs.environments == ("production",)


def test_uptime_checks_of_ibimina_in_production() -> None:
    labels = {"platform": "ibimina", "environment": "prod"}
    assert serving.uptime_checks(platform("prod"), settings("prod")) == (
        UptimeCheck("staff", "ibimina-prod-staff", "https://staff.ibimina.rw/api/healthz", labels | {"app": "staff"}),
        UptimeCheck("member", "ibimina-prod-member", "https://app.ibimina.rw/api/health", labels | {"app": "member"}),
        UptimeCheck(
            "auth",
            "ibimina-prod-auth",
            "https://auth.ibimina.rw/auth/v1/.well-known/jwks.json",
            labels | {"app": "auth"},
        ),
    )


def test_every_app_of_every_stack_is_checked_under_a_job_of_its_own() -> None:
    checks = [check for stack in STACKS for check in serving.uptime_checks(platform(stack), settings(stack))]
    assert len({check.job for check in checks}) == len(checks) == sum(len(platform(stack).apps) for stack in STACKS)
    assert all(check.url.startswith("https://") for check in checks)


@every_stack
def test_a_way_back_writes_every_name_again(stack: str) -> None:
    """An update that was killed may have changed a record and not noted it: the engine would see no difference."""
    plain = serving.records(platform(stack), settings(stack))
    back = serving.records(platform(stack), settings(stack), put_back="2-back")
    apps = [each for each in back if each.in_use]
    assert len(apps) == len(platform(stack).apps)
    assert all(each.comment.endswith(", put back by 2-back") and len(each.comment) <= 100 for each in apps)
    assert [replace(each, comment="") for each in back] == [replace(each, comment="") for each in plain]
