"""Inputs are checked against the types of the installed SDKs."""

# ruff: noqa: E501 - one case a line reads as a table

from __future__ import annotations

from typing import Any

import pytest

from runbook.rehearsal.clouds.cloudflare import RECORD
from runbook.rehearsal.clouds.grafana import CHECK, CONTACT_POINT, RULE_GROUP
from runbook.rehearsal.clouds.vercel import ITEM, PROJECT, VARIABLE
from runbook.rehearsal.clouds.wire import UNKNOWN
from tests.clouds.engine import Engine
from tests.clouds.samples import SAMPLES

RULE = SAMPLES[RULE_GROUP]["rules"][0]
ASSET = {"4dabf18193072939515e22adb298388d": "c44067f5952c0a294b673a41bacd8c17", "text": "x"}

WRONG = [
    (RECORD, {"proxyed": True}, "proxyed", "proxyed is not a property of DnsRecord; did you mean proxied?"),
    (RECORD, {"settings": {"zz": 1}}, "settings.zz", "settings.zz is not a property of DnsRecordSettings; it has flattenCname, ipv4Only, ipv6Only."),
    (RULE_GROUP, {"rules": [RULE | {"lables": {}}]}, "rules[0].lables", "rules[0].lables is not a property of RuleGroupRule; did you mean labels?"),
    (RULE_GROUP, {"rules": [RULE | {"for_": "5m"}]}, "rules[0].for_", "rules[0].for_ is not a property of RuleGroupRule; did you mean for?"),
    (CHECK, {"settings": {"http": {"methode": "GET"}}}, "settings.http.methode", "settings.http.methode is not a property of CheckSettingsHttp; did you mean method?"),
    (RECORD, {"ttl": "300"}, "ttl", "ttl must be a number, got a string."),
    (RECORD, {"proxied": "yes"}, "proxied", "proxied must be true or false, got a string."),
    (RECORD, {"comment": 5}, "comment", "comment must be a string, got a whole number."),
    (RECORD, {"comment": True}, "comment", "comment must be a string, got true or false."),
    (RECORD, {"comment": ASSET}, "comment", "comment must be a string, got asset."),
    (RECORD, {"tags": "a"}, "tags", "tags must be a list, got a string."),
    (RECORD, {"tags": ["a", 5]}, "tags[1]", "tags[1] must be a string, got a whole number."),
    (RULE_GROUP, {"intervalSeconds": 1.5}, "intervalSeconds", "intervalSeconds must be a whole number, got a number."),
    (RULE_GROUP, {"rules": [RULE | {"labels": ["a"]}]}, "rules[0].labels", "rules[0].labels must be a map, got a list."),
    (RULE_GROUP, {"rules": [RULE | {"labels": {"a": 1}}]}, "rules[0].labels.a", "rules[0].labels.a must be a string, got a whole number."),
    (PROJECT, {"gitRepository": "a/b"}, "gitRepository", "gitRepository must be ProjectGitRepository, got a string."),
    (PROJECT, {"gitRepository": {"repo": "a/b"}}, "gitRepository.type", "gitRepository.type is required by ProjectGitRepository and is missing."),
    (VARIABLE, {"sensitive": None}, "sensitive", "sensitive is required by ProjectEnvironmentVariable and is missing."),
    (CONTACT_POINT, {"webhooks": [{}]}, "webhooks[0].url", "webhooks[0].url is required by ContactPointWebhook and is missing."),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "change", "path", "sentence"), WRONG)
def test_a_wrong_input_is_refused_with_its_path(
    still: Engine, kind: str, change: dict[str, Any], path: str, sentence: str
) -> None:
    assert still.check(kind, SAMPLES[kind] | change) == {path: sentence}


def test_all_problems_come_at_once(still: Engine) -> None:
    assert set(still.check(RECORD, {"nam": "x", "ttl": "5", "type": UNKNOWN})) == {"nam", "name", "ttl", "zoneId"}


@pytest.mark.parametrize("value", [True, 5, "x", [1, "a"], {"a": None}])
def test_what_the_sdk_leaves_open_takes_any_value(still: Engine, value: Any) -> None:
    assert still.check(ITEM, {"edgeConfigId": "x", "key": "k", "valueJson": value}) == {}
