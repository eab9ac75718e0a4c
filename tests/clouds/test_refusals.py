"""What the stand-ins refuse, with the exact sentence: in preview what the real ones refuse there, the rest at up."""

# ruff: noqa: E501 - one case a line reads as a table

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest

from runbook.rehearsal.clouds import Clouds, cloudflare, grafana, vercel
from runbook.rehearsal.clouds.behaviours import Draft
from runbook.rehearsal.clouds.cloudflare import RECORD, RULESET
from runbook.rehearsal.clouds.grafana import (
    CHECK,
    CONTACT_POINT,
    DASHBOARD,
    DATA_SOURCE,
    FOLDER,
    MUTE_TIMING,
    RULE_GROUP,
)
from runbook.rehearsal.clouds.grafana_policies import POLICY_TREE
from runbook.rehearsal.clouds.vercel import (
    DOMAIN,
    EDGE_CONFIG,
    ITEM,
    LOG_DRAIN,
    PROJECT,
    RETENTION,
    TOKEN,
    TRACE_DRAIN,
    VARIABLE,
)
from runbook.rehearsal.clouds.wire import UNKNOWN
from tests.clouds.engine import Engine
from tests.clouds.samples import SAMPLES, ZONES, Made, create_all, inputs_of

RULE = SAMPLES[RULE_GROUP]["rules"][0]
QUERY = RULE["datas"][0]


def policy(**values: Any) -> dict[str, Any]:
    return {"policies": [values]}


def rules(**values: Any) -> dict[str, Any]:
    return {"rules": [copy.deepcopy(RULE) | values]}


def queries(**values: Any) -> dict[str, Any]:
    return rules(datas=[QUERY | values])


def settings(**values: Any) -> dict[str, Any]:
    return rules(notificationSettings=RULE["notificationSettings"] | values)


IN_PREVIEW: list[tuple[str, dict[str, Any], str, str]] = [
    (RECORD, {"type": "ALIAS"}, "type", "type value must be one of: A, AAAA, CAA, CERT, CNAME, DNSKEY, DS, HTTPS, LOC, MX, NAPTR, NS, OPENPGPKEY, PTR, SMIMEA, SRV, SSHFP, SVCB, TLSA, TXT, URI, got: ALIAS."),
    (RULESET, {"zoneId": "ibimina.rw"}, "zoneId", "zoneId must be 32 hexadecimal digits."),
    (RULESET, {"kind": "cache"}, "kind", "kind value must be one of: managed, custom, root, zone, got: cache."),
    (RULESET, {"phase": "cache"}, "phase", "phase value must be one of: ddos_l4,"),
    (RULESET, {"rules": [{"expression": "true", "action": "keep"}]}, "rules", "rules action value must be one of: block,"),
    (RULESET, {"rules": [{"expression": "true", "action": "redirect", "actionParameters": {"fromValue": {"statusCode": 200, "targetUrl": {"value": "https://x.example"}}}}]}, "rules", "rules statusCode value must be one of: 301, 302, 303, 307, 308, got: 200."),
    (PROJECT, {"framework": "next"}, "framework", "framework value must be one of: angular,"),
    (PROJECT, {"gitRepository": {"type": "svn", "repo": "a/b"}}, "gitRepository", "gitRepository.type value must be one of: github, gitlab, bitbucket, got: svn."),
    (PROJECT, {"name": "Ibimina Admin"}, "name", "The name of a Project can only contain up to 100 alphanumeric lowercase characters and hyphens."),
    (PROJECT, {"name": None}, "name", "name is not given: the provider would make up a new one each time."),
    (DOMAIN, {"redirectStatusCode": 303}, "redirectStatusCode", "redirectStatusCode value must be one of: 301, 302, 307, 308, got: 303."),
    (VARIABLE, {"targets": ["staging"]}, "targets", "targets value must be one of: production, preview, development, got: staging."),
    (VARIABLE, {"targets": []}, "targets", "At least one of target or custom_environment_ids must be set."),
    (VARIABLE, {"targets": ["production", "development"]}, "sensitive", "Sensitive environment variables cannot be created in the Development environment."),
    (VARIABLE, {"value": None}, "value", "Exactly one of value and valueWo must be set, got 0."),
    (VARIABLE, {"visibility": "public"}, "visibility", "visibility value must be one of: config, secret, got: public."),
    (RETENTION, {"expirationProduction": "5y"}, "expirationProduction", "expirationProduction value must be one of: 1d, 1w, 1m, 2m, 3m, 6m, 1y, unlimited, got: 5y."),
    (RETENTION, {"expirationPreview": ""}, "expirationPreview", "expirationPreview value must be one of: 1d, 1w, 1m, 2m, 3m, 6m, 1y, unlimited, got: ."),
    (RETENTION, {"expirationCanceled": "x"}, "expirationCanceled", "expirationCanceled value must be one of: 1d, 1w, 1m, 2m, 3m, 6m, 1y, unlimited, got: x."),
    (RETENTION, {"expirationErrored": "x"}, "expirationErrored", "expirationErrored value must be one of: 1d, 1w, 1m, 2m, 3m, 6m, 1y, unlimited, got: x."),
    (LOG_DRAIN, {"deliveryFormat": "xml"}, "deliveryFormat", "deliveryFormat value must be one of: json, ndjson, got: xml."),
    (LOG_DRAIN, {"environments": ["development"]}, "environments", "environments value must be one of: production, preview, got: development."),
    (LOG_DRAIN, {"environments": []}, "environments", "environments must contain at least 1 element, got: 0."),
    (LOG_DRAIN, {"sources": []}, "sources", "sources must contain at least 1 element, got: 0."),
    (LOG_DRAIN, {"sources": ["cron"]}, "sources", "sources value must be one of: static, edge, external, build, lambda, firewall, redirect, got: cron."),
    (LOG_DRAIN, {"samplingRate": 50}, "samplingRate", "samplingRate must be between 0 and 1, got: 50."),
    (LOG_DRAIN, {"secret": "short"}, "secret", "secret string length must be at least 32."),
    (LOG_DRAIN, {"name": None}, "name", "name is not given: the provider would make up a new one each time."),
    (TRACE_DRAIN, {"deliveryFormat": "ndjson"}, "deliveryFormat", "deliveryFormat value must be one of: json, proto, got: ndjson."),
    (TRACE_DRAIN, {"samplingRules": [{"rate": 2}]}, "samplingRules", "samplingRules rate must be between 0 and 1, got: 2."),
    (TRACE_DRAIN, {"samplingRules": [{"rate": 1, "environment": "dev"}]}, "samplingRules", "samplingRules environment must be one of: production, preview, got: dev."),
    (TRACE_DRAIN, {"secret": "short"}, "secret", "secret string length must be at least 32."),
    (TRACE_DRAIN, {"name": None}, "name", "name is not given: the provider would make up a new one each time."),
    (EDGE_CONFIG, {"name": "Switches!"}, "name", "The name of an Edge Config can only contain up to 32 alphanumeric lowercase characters, hyphens and underscores."),
    (EDGE_CONFIG, {"name": None}, "name", "name is not given: the provider would make up a new one each time."),
    (ITEM, {"key": "trusted device"}, "key", "Key must be 1-256 chars: letters, numbers, '_' or '-'"),
    (ITEM, {"valueJson": True}, "value", "Exactly one of value and valueJson must be set, got 2."),
    (TOKEN, {"label": ""}, "label", "label string length must be between 1 and 52."),
    (FOLDER, {"uid": "Ibimina alerts"}, "uid", "folder UIDs can only be alphanumeric, dashes, or underscores"),
    (DASHBOARD, {"configJson": "{"}, "configJson", "configJson contains an invalid JSON."),
    (DATA_SOURCE, {"jsonDataEncoded": "{"}, "jsonDataEncoded", "jsonDataEncoded contains an invalid JSON."),
    (DATA_SOURCE, {"secureJsonDataEncoded": "{"}, "secureJsonDataEncoded", "secureJsonDataEncoded contains an invalid JSON."),
    (DATA_SOURCE, {"jsonDataEncoded": '{"httpHeaderName1":"a"}'}, "jsonDataEncoded", "httpHeaderName is a reserved key and cannot be used in JSON data."),
    (DATA_SOURCE, {"name": None}, "name", "name is not given: the provider would make up a new one each time."),
    (RULE_GROUP, queries(model="{"), "rules", "rules[0].datas[0].model contains an invalid JSON."),
    (RULE_GROUP, queries(model="{", datasourceUid=UNKNOWN), "rules", "rules[0].datas[0].model contains an invalid JSON."),
    (RULE_GROUP, rules(**{"for": "five minutes"}), "rules", "rule login: for is not a valid duration: five minutes."),
    (RULE_GROUP, {"rules": []}, "rules", "rules must contain at least 1 element, got: 0."),
    (RULE_GROUP, {"name": None}, "name", "name is not given: the provider would make up a new one each time."),
    (CONTACT_POINT, {"slacks": None, "pagerduties": None, "webhooks": None, "emails": None}, "emails", "one of `alertmanagers,dingdings,discords,emails,googlechats,jiras,kafkas,lines,oncalls,opsgenies,pagerduties,pushovers,sensugos,slacks,sns,teams,telegrams,threemas,victorops,webexes,webhooks,wecoms` must be specified"),
    (CONTACT_POINT, {"name": None}, "name", "name is not given: the provider would make up a new one each time."),
    (MUTE_TIMING, {"name": None}, "name", "name is not given: the provider would make up a new one each time."),
    (POLICY_TREE, policy(matchers=[{"label": "a", "match": "==", "value": "b"}]), "policies", "match must be one of: =, !=, =~, !~, got: ==."),
    (POLICY_TREE, policy(policies=[{"matchers": [{"label": "a", "match": "is", "value": "b"}]}]), "policies", "match must be one of: =, !=, =~, !~, got: is."),
    (POLICY_TREE, {"groupBies": ["alertname", ""]}, "groupBies", "groupBies must not hold an empty string."),
    (CHECK, {"settings": {"http": {}, "ping": {}}}, "settings", "settings should contain exactly one nested block, got 2."),
]  # fmt: skip

NEW_GROUP = {"name": "b"} | rules(uid="b", name="b")

AT_UP: list[tuple[str, dict[str, Any], str]] = [
    (RECORD, {"ttl": 300, "name": "a.ibimina.rw"}, "ttl must be set to 1 when proxied is true: When a DNS record is marked as `proxied` the TTL must be 1 as Cloudflare will control the TTL internally."),
    (RECORD, {"proxied": False, "ttl": 5, "name": "a.ibimina.rw"}, "9021: TTL must be between 60 and 86400 seconds, or 1 for Automatic."),
    (RECORD, {"proxied": False, "ttl": 86401, "name": "a.ibimina.rw"}, "9021: TTL must be between 60 and 86400 seconds, or 1 for Automatic."),
    (RECORD, {"type": "MX", "proxied": False, "priority": None, "name": "m.ibimina.rw"}, "1004: DNS Validation Error: priority is required for MX records."),
    (RECORD, {"type": "TXT", "name": "t.ibimina.rw"}, "9004: This record type cannot be proxied."),
    (RECORD, {"type": "A", "name": "a.ibimina.rw"}, "9005: Content for A record must be a valid IPv4 address."),
    (RECORD, {"type": "AAAA", "name": "a.ibimina.rw"}, "9006: Content for AAAA record must be a valid IPv6 address."),
    (RECORD, {"content": "https://target.example/", "name": "a.ibimina.rw"}, "9007: Content for CNAME record is invalid."),
    (RECORD, {"zoneId": "0" * 32}, f"7003: Could not route to /zones/{'0' * 32}, perhaps your object identifier is invalid?"),
    (RECORD, {"name": "admin.easymo.example"}, "admin.easymo.example is not in the zone ibimina.rw: Cloudflare would serve it as admin.easymo.example.ibimina.rw."),
    (RECORD, {}, "81058: An identical record already exists.\n81053: An A, AAAA, or CNAME record with that host already exists."),
    (RECORD, {"content": "b.example", "proxied": False, "ttl": 300}, "The CNAME records of admin.ibimina.rw share one TTL, which is 1 (RFC 2181, 5.2).\n81053: An A, AAAA, or CNAME record with that host already exists."),
    (RECORD, {"content": "b.example"}, "81053: An A, AAAA, or CNAME record with that host already exists."),
    (RECORD, {"name": "admin", "type": "A", "content": "192.0.2.1"}, "81054: A CNAME record with that host already exists."),
    (RECORD, {"type": "TXT", "proxied": False}, "admin.ibimina.rw holds a CNAME record, beside which no other record may stand (RFC 1034, 3.6.2)."),
    (RULESET, {"zoneId": "0" * 32}, f"7003: Could not route to /zones/{'0' * 32}, perhaps your object identifier is invalid?"),
    (RULESET, {}, "20217: exceeded maximum number of rulesets for the phase http_request_cache_settings of this zone, which is 1."),
    (RULESET, {"kind": "custom", "rules": [{"ref": "a", "expression": "x", "action": "block"}] * 2}, "20120: the rule ref a is used more than once in one ruleset."),
    (RULESET, {"kind": "custom", "rules": [{"ref": "a", "expression": 'ip.src eq "192.0.2.1"', "action": "set_cache_settings"}]}, """The stand-in cannot tell what the cache rule a is for: the expression 'ip.src eq "192.0.2.1"' is not read here."""),
    (PROJECT, {}, "conflict - ibimina-admin already exists, please use a new name. (409)"),
    (DOMAIN, {"domain": "https://admin.ibimina.rw/"}, "bad_request - The domain name is not valid: give the name alone, without https:// and path."),
    (DOMAIN, {}, "Cannot add admin.ibimina.rw since it's already assigned to the project. (400)"),
    (DOMAIN, {"projectId": "other"}, "Cannot add admin.ibimina.rw since it's already assigned to another project. (400)"),
    (DOMAIN, {"projectId": "prj_none", "domain": "a.ibimina.rw"}, "Could not find project, please make sure both the project_id and team_id match the project and team you wish to deploy to."),
    (VARIABLE, {"targets": ["preview"]}, "ENV_ALREADY_EXISTS - Another Environment Variable with the same Name and Environment exists in your project. Remove it or choose a different Name or Environment."),
    (VARIABLE, {"projectId": "prj_none"}, "Could not find project, please make sure both the project_id and team_id match the project and team you wish to deploy to."),
    (RETENTION, {"projectId": "prj_none"}, "Could not find project, please make sure both the project_id and team_id match the project and team you wish to deploy to."),
    (LOG_DRAIN, {"projectIds": ["prj_none"]}, "not_found - There is no project for prj_none."),
    (LOG_DRAIN, {"endpoint": "logs.example"}, "endpoint must be the whole URL that is sent to, starting with https://."),
    (TRACE_DRAIN, {"projectIds": ["prj_none"]}, "not_found - There is no project for prj_none."),
    (TRACE_DRAIN, {"endpoint": "t.example"}, "endpoint must be the whole URL that is sent to, starting with https://."),
    (EDGE_CONFIG, {}, "conflict - switches already exists, please use a new name. (409)"),
    (ITEM, {}, "conflict - The edge config holds an item trustedDevice already."),
    (ITEM, {"edgeConfigId": "ecfg_none"}, "not_found - There is no edge config ecfg_none."),
    (TOKEN, {"edgeConfigId": "ecfg_none"}, "not_found - There is no edge config ecfg_none."),
    (FOLDER, {}, "409: a folder with the uid ibimina already exists."),
    (FOLDER, {"uid": "b", "parentFolderUid": "none"}, "404: folder not found: none."),
    (DASHBOARD, {}, "412: A dashboard with the same uid already exists: slo."),
    (DASHBOARD, {"configJson": '{"title":"x"}', "folder": "none"}, "404: folder not found: none."),
    (DASHBOARD, {"configJson": "{}"}, "400: Dashboard title cannot be empty."),
    (DATA_SOURCE, {"uid": "b"}, "409: a data source with the name prometheus already exists."),
    (DATA_SOURCE, {"name": "b"}, "409: a data source with the uid prom already exists."),
    (RULE_GROUP, {"name": "b"}, "409: two alert rules have the same uid: login-slo."),
    (RULE_GROUP, {"name": "b"} | rules(uid="b"), "409: two alert rules have the same title in one folder: login."),
    (RULE_GROUP, rules(uid="b", name="b"), "409: a rule group with the name slo and the folderUid ibimina already exists."),
    (RULE_GROUP, {"name": "b", "folderUid": "none"} | rules(uid="b"), "404: folder not found: none."),
    (RULE_GROUP, {"name": "b"} | queries(datasourceUid="loki") | {}, "404: data source not found: loki (rules[0].datas[0]).\n409: two alert rules have the same uid: login-slo.\n400: condition C does not exist, must be one of ['A'] (rule login)."),
    (RULE_GROUP, {"name": "b"} | settings(contactPoint="on-call"), "400: receiver on-call does not exist (rule login).\n409: two alert rules have the same uid: login-slo."),
    (RULE_GROUP, {"name": "b"} | settings(muteTimings=["day"]), "400: time interval day does not exist (rule login).\n409: two alert rules have the same uid: login-slo."),
    (RULE_GROUP, NEW_GROUP | {"intervalSeconds": 25}, "400: interval (25s) should be non-zero and divided exactly by scheduler interval: 10s"),
    (RULE_GROUP, {"name": "b"} | rules(uid="b", name="b", condition="Z"), "400: condition Z does not exist, must be one of ['A', 'C'] (rule b)."),
    (RULE_GROUP, {"name": "b"} | rules(uid="b", name="b", noDataState="Maybe"), "400: unknown noDataState Maybe (rule b)."),
    (RULE_GROUP, {"name": "b"} | rules(uid="b", name="b", execErrState="NoData"), "400: unknown execErrState NoData (rule b)."),
    (RULE_GROUP, {"name": "b"} | rules(uid="b", name="b", notificationSettings={"contactPoint": "ops", "groupBies": ["owner"]}), "400: group by override must contain the labels alertname and grafana_folder (rule b)."),
    (RULE_GROUP, {"name": "b"} | rules(uid="b", name="b", notificationSettings={"contactPoint": "ops", "groupWait": "a while"}), "400: groupWait is not a valid duration: a while (rule b)."),
    (CONTACT_POINT, {}, "409: a contact point with the name ops already exists."),
    (CONTACT_POINT, {"name": "b", "slacks": [{"recipient": "#x"}]}, "400: invalid object specification: token must be specified when using the Slack chat API"),
    (CONTACT_POINT, {"name": "b", "slacks": [{"token": "x"}]}, "400: invalid object specification: recipient must be specified when using the Slack chat API"),
    (CONTACT_POINT, {"name": "b", "emails": [{"addresses": []}]}, "400: invalid object specification: could not find addresses in settings"),
    (MUTE_TIMING, {}, "409: a mute timing with the name night already exists."),
    (MUTE_TIMING, {"name": "b", "intervals": [{"times": [{"start": "25:99", "end": "26:00"}]}]}, "400: couldn't parse timestamp 25:99, invalid format"),
    (MUTE_TIMING, {"name": "b", "intervals": [{"weekdays": ["monday:someday"]}]}, "400: monday:someday is not a valid weekday"),
    (POLICY_TREE, {"contactPoint": "on-call"}, "400: receiver 'on-call' does not exist."),
    (POLICY_TREE, policy(policies=[{"contactPoint": "on-call"}]), "400: receiver 'on-call' does not exist."),
    (POLICY_TREE, policy(muteTimings=["day"]), "400: mute time interval 'day' does not exist."),
    (CHECK, {}, "409: a check with the job admin and the target https://admin.ibimina.rw/api/healthz already exists."),
    (CHECK, {"job": "b", "probes": [99]}, "400: invalid probes: [99]; known are [1, 2, 3, 4, 5, 6]."),
    (CHECK, {"job": "b", "target": "admin.ibimina.rw"}, "400: invalid HTTP target, it must be a URL: admin.ibimina.rw."),
    (CHECK, {"job": "b", "folderUid": "none"}, "404: folder not found: none."),
    (CHECK, {"job": "b", "frequency": 500}, "frequency must be between 1000 and 3600000, got: 500."),
    (CHECK, {"job": "b", "timeout": 200000}, "timeout must be between 1000 and 180000, got: 200000."),
]  # fmt: skip

# Wrong all the same, but the real ones say nothing in preview and the model refuses it: FACTS of the providers.
ACCEPTED = [
    (MUTE_TIMING, {"intervals": [{"times": [{"start": "25:99", "end": "26:00"}], "weekdays": ["someday"]}]}),
    (RULE_GROUP, {"intervalSeconds": 25}),
    (RULE_GROUP, rules(condition="Z")),
    (RULE_GROUP, rules(noDataState="Maybe")),
    (RULE_GROUP, settings(groupWait="a while", groupBies=["owner"])),
    (RULE_GROUP, {"rules": [RULE, RULE]}),
    (RECORD, {"ttl": 5, "proxied": False}),
    (RECORD, {"ttl": 300, "proxied": True}),
    (RECORD, {"type": "TXT", "content": "unquoted", "proxied": False}),
    (RECORD, {"type": "MX", "priority": None, "proxied": False}),
    (DOMAIN, {"domain": "https://admin.ibimina.rw/"}),
]


Full = tuple[Engine, Made, str]


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Full]:
    """Clouds that hold one of each sample, and another project. No test changes them: each is refused."""
    with Clouds(tmp_path_factory.mktemp("full") / "store.db", ZONES) as clouds:
        engine = Engine(clouds)
        made = create_all(engine)
        yield engine, made, engine.create(PROJECT, {"name": "other"})[0]
        engine.close()


@pytest.mark.parametrize(("kind", "change", "property", "sentence"), IN_PREVIEW)
def test_refused_in_preview(still: Engine, kind: str, change: dict[str, Any], property: str, sentence: str) -> None:
    found = still.check(kind, SAMPLES[kind] | change)
    assert set(found) == {property}
    assert found[property] == sentence or (sentence.endswith(",") and found[property].startswith(sentence))


@pytest.mark.parametrize("kind", SAMPLES)
def test_the_samples_are_refused_nowhere(still: Engine, kind: str) -> None:
    assert still.check(kind, SAMPLES[kind]) == {}


@pytest.mark.parametrize("kind", SAMPLES)
def test_what_is_not_known_yet_is_refused_nowhere_in_preview(still: Engine, kind: str) -> None:
    assert still.check(kind, dict.fromkeys(SAMPLES[kind], UNKNOWN)) == {}


@pytest.mark.parametrize(("kind", "change"), ACCEPTED)
def test_accepted_in_preview_as_the_real_ones_do(still: Engine, kind: str, change: dict[str, Any]) -> None:
    assert still.check(kind, SAMPLES[kind] | change) == {}


@pytest.mark.parametrize(("kind", "change", "sentence"), AT_UP)
def test_refused_at_up_only(full: Full, kind: str, change: dict[str, Any], sentence: str) -> None:
    engine, made, other = full
    inputs = inputs_of(kind, made) | {key: other if value == "other" else value for key, value in change.items()}
    assert engine.check(kind, inputs) == {}
    engine.create(kind, inputs, preview=True)
    before = engine.clouds.store.objects()
    assert engine.refusal(kind, inputs) == sentence
    assert engine.clouds.store.objects() == before


def test_every_row_that_refuses_is_shown_by_a_case(full: Full) -> None:
    engine, made, _ = full
    cases: dict[str, list[tuple[str, dict[str, Any]]]] = {
        "check": [(kind, change) for kind, change, _, _ in IN_PREVIEW],
        "apply": [(kind, change) for kind, change, _ in AT_UP],
    }
    for row in [*cloudflare.ROWS, *vercel.ROWS, *grafana.ROWS]:
        drafts = [
            Draft(engine.clouds.store, kind.partition(":")[0], kind, "", inputs_of(kind, made) | change)
            for kind, change in cases.get(row.aspect, [])
            if kind == row.kind
        ]
        assert row.aspect not in cases or any(row.act(draft) for draft in drafts), row


def test_the_records_of_a_name_share_one_ttl(engine: Engine) -> None:
    record = {"zoneId": SAMPLES[RECORD]["zoneId"], "name": "a.ibimina.rw", "type": "A", "ttl": 300}
    engine.create(RECORD, record | {"content": "192.0.2.1"})
    other = record | {"content": "192.0.2.2"}
    sentence = "The A records of a.ibimina.rw share one TTL, which is 300 (RFC 2181, 5.2)."
    assert engine.refusal(RECORD, other | {"ttl": 60}) == sentence
    assert engine.create(RECORD, other)[0]


def test_a_contact_point_in_use_cannot_be_deleted(engine: Engine) -> None:
    made = create_all(engine)
    by_tree = "409: contact point ops is currently used by a notification policy."
    by_rule = "400: receiver [Name: ops] is used by rule login."
    for said, freed in ((f"{by_rule}\n{by_tree}", RULE_GROUP), (by_tree, POLICY_TREE)):
        with pytest.raises(Exception, match="used by") as caught:
            engine.delete(CONTACT_POINT, made[CONTACT_POINT][0])
        assert caught.value.details() == said  # type: ignore[attr-defined]
        engine.delete(freed, made[freed][0])
    engine.delete(CONTACT_POINT, made[CONTACT_POINT][0])
    assert engine.held(CONTACT_POINT) == []


def test_a_type_or_lookup_outside_the_table_is_refused_with_a_sentence(still: Engine) -> None:
    with pytest.raises(Exception, match="The stand-in for vercel knows no resource type vercel:index/alias:Alias"):
        still.check("vercel:index/alias:Alias", {})
    with pytest.raises(Exception, match="The stand-in for grafana knows no lookup grafana:oss/getFolder:getFolder"):
        still.invoke("grafana:oss/getFolder:getFolder", {})


@pytest.mark.parametrize(
    ("cloud", "config", "property", "sentence"),
    [
        ("cloudflare", {}, "apiToken", "must provide one of `api_key`, `api_token`, `api_user_service_key`."),
        (
            "cloudflare",
            {"apiToken": "short"},
            "apiToken",
            "API tokens must be 40 characters long and only contain characters a-z, A-Z, 0-9, hyphens and underscores",
        ),
        ("vercel", {"apiToken": ""}, "apiToken", "Unable to find api_token: api_token cannot be an empty string"),
        (
            "vercel",
            {"apiToken": "short"},
            "apiToken",
            "api_token (VERCEL_API_TOKEN) must be 24 characters and only contain characters 0-9 and a-f "
            "(all lowercased)",
        ),
        (
            "grafana",
            {"auth": "x"},
            "url",
            "the Grafana client is required for these resources: set the url of the provider.",
        ),
        (
            "grafana",
            {"url": "https://g.example"},
            "auth",
            "the Grafana client is required for these resources: set the auth of the provider.",
        ),
        (
            "vercel",
            {"apiToken": "x" * 24, "teem": "t"},
            "teem",
            "teem is not a property of Provider; did you mean team?",
        ),
    ],
)
def test_a_provider_without_what_it_needs_is_refused(
    still: Engine, cloud: str, config: dict[str, Any], property: str, sentence: str
) -> None:
    assert still.check_config(cloud, config) == [f"{property}: {sentence}"]


def test_a_secret_that_is_refused_is_not_named_since_the_engine_would_print_it(still: Engine) -> None:
    slack = frozenset({("slacks", 0, "url")})
    found = still.check(CONTACT_POINT, SAMPLES[CONTACT_POINT] | {"slacks": [{"url": 5}]}, secrets=slack)
    assert found == {"": "slacks[0].url must be a string, got a whole number."}
    visibility = frozenset({("visibility",)})
    found = still.check(VARIABLE, SAMPLES[VARIABLE] | {"visibility": "hunter2"}, secrets=visibility)
    assert found == {"": "visibility value must be one of: config, secret"}
    assert "hunter2" not in str(still.check_config("vercel", {"apiToken": "hunter2"}))


def test_a_provider_with_what_it_needs_is_taken(still: Engine) -> None:
    assert still.check_config("cloudflare", {"apiToken": "x" * 40, "version": "6.23.1"}) == []
    assert still.check_config("vercel", {"apiToken": UNKNOWN}) == []
    assert still.check_config("grafana", {"url": "https://g.example", "auth": "x", "smAccessToken": "y"}) == []
