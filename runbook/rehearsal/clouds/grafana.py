"""What Grafana and its provider do, row by row.

Where a source reads "provider source", the file is in github.com/grafana/terraform-provider-grafana, folder
internal/resources/grafana (checks: internal/resources/syntheticmonitoring).
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from runbook.rehearsal.clouds.behaviours import API, OWN, SEEN, UNVERIFIED, Draft, Row, rows
from runbook.rehearsal.clouds.grafana_mistakes import mistake_rows
from runbook.rehearsal.clouds.grafana_policies import DEFAULTS, POLICY_TREE, policy_tree_rows
from runbook.rehearsal.clouds.refusals import (
    Refusal,
    absent,
    between,
    matches,
    named,
    not_empty,
    parsed,
    taken,
    valid_json,
)
from runbook.rehearsal.clouds.store import Store

FOLDER = "grafana:oss/folder:Folder"
DASHBOARD = "grafana:oss/dashboard:Dashboard"
DATA_SOURCE = "grafana:oss/dataSource:DataSource"
RULE_GROUP = "grafana:alerting/ruleGroup:RuleGroup"
CONTACT_POINT = "grafana:alerting/contactPoint:ContactPoint"
MUTE_TIMING = "grafana:alerting/muteTiming:MuteTiming"
CHECK = "grafana:syntheticMonitoring/check:Check"
PROBES = {"Atlanta": 1, "Frankfurt": 2, "London": 3, "Mumbai": 4, "Cape Town": 5, "Singapore": 6}
_SOURCE = "provider source: resource_{}.go"
_FOLDERS, _DASHBOARDS = _SOURCE.format("folder"), _SOURCE.format("dashboard")
_DATA, _GROUPS = _SOURCE.format("data_source"), _SOURCE.format("alerting_rule_group")
_POINTS, _TIMINGS = _SOURCE.format("alerting_contact_point"), _SOURCE.format("alerting_mute_timing")
_CHECKS = _SOURCE.format("check")
_ORG = "provider source: oss_org_id.go"
_SDK = "SDK: additional_secret_outputs"
_IN_USE = "https://github.com/grafana/grafana/pull/87070"
_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_RESERVED = ("httpHeaderName", "teamHttpHeaders", "enableSecureSocksProxy", "secureSocksProxyUsername")
_NOTIFIERS = """alertmanagers dingdings discords emails googlechats jiras kafkas lines oncalls opsgenies pagerduties
pushovers sensugos slacks sns teams telegrams threemas victorops webexes webhooks wecoms"""
_HIDDEN = """slacks[].url slacks[].token pagerduties[].integrationKey webhooks[].basicAuthPassword
webhooks[].authorizationCredentials"""


def _org_id(*names: str) -> Callable[[Draft], str]:
    return lambda draft: ":".join(["1", *(str(draft[name]) for name in names)])


def _made_up(*parts: str) -> str:
    """The same for the same parts; the real one makes up another each time."""
    return uuid.uuid5(uuid.NAMESPACE_OID, "/".join(parts)).hex[:14]


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def _held_json(_draft: Draft, text: str) -> str:
    return text if parsed(text) is None else _text(parsed(text))


def _held_dashboard(_draft: Draft, text: str) -> str:
    board = parsed(text)
    if not isinstance(board, dict):
        return text
    return _text({key: value for key, value in board.items() if key not in ("id", "version")})


def _seconds(text: Any) -> float | None:
    """A duration such as 1h30m, 5m or 0; None when it is not one."""
    parts = re.findall(r"(\d+(?:\.\d+)?)(ms|s|m|h|d|w)", str(text))
    whole = "".join(number + unit for number, unit in parts)
    if str(text) == "0":
        return 0.0
    return sum(float(number) * _SECONDS[unit] for number, unit in parts) if parts and whole == text else None


def _held_duration(text: Any) -> Any:
    seconds = _seconds(text)
    return text if seconds is None else f"{seconds:g}s"


def _durations(values: dict[str, Any], *names: str) -> dict[str, Any]:
    return values | {name: _held_duration(values[name]) for name in names if name in values}


def _held_rules(_draft: Draft, rules: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [_held_rule(rule) for rule in rules]


def _held_rule(rule: dict[str, Any]) -> dict[str, Any]:
    added = {"for": "0s", "noDataState": "NoData", "execErrState": "Alerting", "isPaused": False}
    held = _durations(added | {"labels": {}, "annotations": {}} | rule, "for", "keepFiringFor")
    held["datas"] = [_held_query(query) for query in rule.get("datas", [])]
    if "notificationSettings" in held:
        waits = ("groupWait", "groupInterval", "repeatInterval")
        held["notificationSettings"] = _durations(held["notificationSettings"], *waits)
    return held


def _held_query(query: dict[str, Any]) -> dict[str, Any]:
    model = parsed(query.get("model"))
    if isinstance(model, dict):
        usual = {"intervalMs": 1000, "maxDataPoints": 43200}
        query = query | {"model": _text({k: v for k, v in model.items() if usual.get(k) != v})}
    return {"queryType": ""} | query


def _held_points(_draft: Draft, points: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"disableResolveMessage": False} | point for point in points]


def _held_check_settings(_draft: Draft, settings: dict[str, Any]) -> dict[str, Any]:
    if "http" not in settings:
        return settings
    off: dict[str, Any] = dict.fromkeys(("noFollowRedirects", "failIfSsl", "failIfNotSsl"), False)
    added = off | {"ipVersion": "V4", "method": "GET"}
    http = {k: sorted(v) if k in ("validStatusCodes", "headers") else v for k, v in settings["http"].items()}
    return settings | {"http": added | http}


def _sorted(_draft: Draft, value: list[Any]) -> list[Any]:
    return sorted(set(value))


def _reserved(draft: Draft) -> str | None:
    for key in _RESERVED:
        if key in (draft["jsonDataEncoded"] or ""):
            return f"{key} is a reserved key and cannot be used in JSON data."
    return None


def _same_dashboard(draft: Draft) -> str | None:
    uid = (parsed(draft["configJson"]) or {}).get("uid")
    return f"412: A dashboard with the same uid already exists: {uid}." if uid and draft.others(uid=uid) else None


def _no_title(draft: Draft) -> str | None:
    return None if (parsed(draft["configJson"]) or {}).get("title") else "400: Dashboard title cannot be empty."


def _other_dashboard(old: Draft, new: Draft) -> bool:
    uids = [(parsed(draft["configJson"]) or {}).get("uid") for draft in (old, new)]
    return None not in uids and uids[0] != uids[1]


def _queries(draft: Draft) -> Iterator[tuple[str, dict[str, Any]]]:
    for index, rule in enumerate(draft.items("rules")):
        for number, query in enumerate(rule.get("datas", [])):
            yield f"rules[{index}].datas[{number}]", query


def _rule_for(draft: Draft) -> str | None:
    for rule in draft.items("rules"):
        for name in ("for", "keepFiringFor"):
            if name in rule and _seconds(rule[name]) is None:
                return f"rule {rule.get('name')}: {name} is not a valid duration: {rule[name]}."
    return None


def _rule_model(draft: Draft) -> str | None:
    for path, query in _queries(draft):
        if isinstance(query.get("model"), str) and parsed(query["model"]) is None:
            return f"{path}.model contains an invalid JSON."
    return None


def _unknown_source(draft: Draft) -> str | None:
    held = {one.properties["uid"] for one in draft.store.find("grafana", DATA_SOURCE)} | {"__expr__", "-100"}
    for path, query in _queries(draft):
        if query["datasourceUid"] not in held:
            return f"404: data source not found: {query['datasourceUid']} ({path})."
    return None


def _unknown_receiver(draft: Draft) -> str | None:
    held = {one.properties["name"] for one in draft.store.find("grafana", CONTACT_POINT)}
    for rule in draft.items("rules"):
        name = (rule.get("notificationSettings") or {}).get("contactPoint")
        if name not in held | {None, *DEFAULTS}:
            return f"400: receiver {name} does not exist (rule {rule['name']})."
    return None


def _unknown_timing(draft: Draft) -> str | None:
    held = {one.properties["name"] for one in draft.store.find("grafana", MUTE_TIMING)}
    for rule in draft.items("rules"):
        settings = rule.get("notificationSettings") or {}
        for name in [*settings.get("muteTimings", []), *settings.get("activeTimings", [])]:
            if name not in held:
                return f"400: time interval {name} does not exist (rule {rule['name']})."
    return None


def _same_rule(draft: Draft) -> str | None:
    uids, names = [], []
    groups = [(draft["folderUid"], draft["rules"])]
    groups += [(other.properties["folderUid"], other.properties["rules"]) for other in draft.others()]
    for folder, rules in groups:
        uids += [rule["uid"] for rule in rules if rule.get("uid")]
        names += [rule["name"] for rule in rules if folder == draft["folderUid"]]
    for what, values in (("uid", uids), ("title in one folder", names)):
        twice = next((value for value in values if values.count(value) > 1), None)
        if twice is not None:
            return f"409: two alert rules have the same {what}: {twice}."
    return None


def _no_notifier(draft: Draft) -> str | None:
    if any(draft.values.get(name) for name in _NOTIFIERS.split()):
        return None
    return f"one of `{','.join(_NOTIFIERS.split())}` must be specified"


def _notifier_settings(draft: Draft) -> str | None:
    for slack in draft.items("slacks"):
        if not slack.get("url") and not slack.get("token"):
            return "400: invalid object specification: token must be specified when using the Slack chat API"
        if not slack.get("url") and not slack.get("recipient"):
            return "400: invalid object specification: recipient must be specified when using the Slack chat API"
    if any(not email.get("addresses") for email in draft.items("emails")):
        return "400: invalid object specification: could not find addresses in settings"
    return None


def _receiver_in_use(draft: Draft) -> str | None:
    for group in draft.store.find("grafana", RULE_GROUP):
        for rule in group.properties["rules"]:
            if (rule.get("notificationSettings") or {}).get("contactPoint") == draft["name"]:
                return f"400: receiver [Name: {draft['name']}] is used by rule {rule['name']}."
    return None


def _one_setting(draft: Draft) -> str | None:
    count = len(draft["settings"] or {})
    return None if count <= 1 else f"settings should contain exactly one nested block, got {count}."


def _bad_check(draft: Draft) -> str | None:
    unknown = set(draft["probes"]) - set(PROBES.values())
    if unknown or not draft["probes"]:
        return f"400: invalid probes: {sorted(unknown)}; known are {sorted(PROBES.values())}."
    if "http" in draft["settings"] and not str(draft["target"]).startswith(("http://", "https://")):
        return f"400: invalid HTTP target, it must be a URL: {draft['target']}."
    return None


def _folder(name: str) -> Refusal:
    return absent(FOLDER, name, f"404: folder not found: {{{name}}}.", "uid")


def _taken(what: str, *names: str) -> Refusal:
    same = " and ".join(f"the {name} {{{name}}}" for name in names)
    return taken(f"409: a {what} with {same} already exists.", *names)


def _number(draft: Draft) -> int:
    return 1 + len(draft.store.find(draft.cloud, draft.kind))


_UID = matches("uid", "[a-zA-Z0-9_-]+", "folder UIDs can only be alphanumeric, dashes, or underscores")

ROWS: list[Row] = [
    *[row for kind in (FOLDER, DASHBOARD, DATA_SOURCE, RULE_GROUP, CONTACT_POINT, MUTE_TIMING, POLICY_TREE)
      for row in [*rows(kind, "replace", _ORG, "orgId"), *rows(kind, "computed", _ORG, orgId="1")]],
    *[row for kind in (DATA_SOURCE, RULE_GROUP, CONTACT_POINT, MUTE_TIMING)
      for row in rows(kind, "check", OWN, name=named)],
    *rows(FOLDER, "id", _FOLDERS, id=_org_id("uid")),
    *rows(FOLDER, "replace", _FOLDERS, "uid", "parentFolderUid"),
    *rows(FOLDER, "default", _FOLDERS, preventDestroyIfNotEmpty=False),
    *rows(FOLDER, "computed", _FOLDERS, uid=lambda d: _made_up(str(d["title"]), str(_number(d)))),
    *rows(FOLDER, "renewed", UNVERIFIED, url=lambda d: f"/dashboards/f/{d['uid']}"),
    *rows(FOLDER, "check", SEEN, uid=_UID),
    *rows(FOLDER, "apply", UNVERIFIED, uid=_taken("folder", "uid"), parentFolderUid=_folder("parentFolderUid")),
    *rows(DASHBOARD, "id", _DASHBOARDS, id=_org_id("uid")),
    *rows(DASHBOARD, "replace", _DASHBOARDS, configJson=_other_dashboard),
    *rows(DASHBOARD, "default", _DASHBOARDS, overwrite=False),
    *rows(DASHBOARD, "held", SEEN, configJson=_held_dashboard),
    *rows(DASHBOARD, "held", _DASHBOARDS, folder=lambda _, value: value.removeprefix("1:")),
    *rows(DASHBOARD, "computed", _DASHBOARDS, dashboardId=_number),
    *rows(DASHBOARD, "computed", _DASHBOARDS,
          uid=lambda d: (parsed(d["configJson"]) or {}).get("uid") or _made_up(str(d["configJson"]))),
    *rows(DASHBOARD, "computed", UNVERIFIED, url=lambda d: f"/d/{d['uid']}"),
    *rows(DASHBOARD, "renewed", _DASHBOARDS, version=lambda d: (d["version"] or 0) + 1),
    *rows(DASHBOARD, "check", SEEN, configJson=valid_json("configJson")),
    *rows(DASHBOARD, "apply", UNVERIFIED, folder=_folder("folder"), configJson=_same_dashboard),
    *rows(DASHBOARD, "apply", API, configJson=_no_title),
    *rows(DATA_SOURCE, "id", _DATA, id=_org_id("uid")),
    *rows(DATA_SOURCE, "replace", _DATA, "uid"),
    *rows(DATA_SOURCE, "default", _DATA, accessMode="proxy", basicAuthEnabled=False, isDefault=False),
    *rows(DATA_SOURCE, "default", _DATA, basicAuthUsername="", databaseName="", username=""),
    *rows(DATA_SOURCE, "default", _DATA, privateDataSourceConnectNetworkId=""),
    *rows(DATA_SOURCE, "held", _DATA, jsonDataEncoded=_held_json, secureJsonDataEncoded=_held_json),
    *rows(DATA_SOURCE, "computed", _DATA, uid=lambda d: _made_up(str(d["name"]))),
    *rows(DATA_SOURCE, "secret", _SDK, "secureJsonDataEncoded", "httpHeaders"),
    *rows(DATA_SOURCE, "unreadable", _DATA, "secureJsonDataEncoded", "httpHeaders"),
    *rows(DATA_SOURCE, "check", _DATA, jsonDataEncoded=valid_json("jsonDataEncoded")),
    *rows(DATA_SOURCE, "check", _DATA, secureJsonDataEncoded=valid_json("secureJsonDataEncoded")),
    *rows(DATA_SOURCE, "check", _DATA, jsonDataEncoded=_reserved),
    *rows(DATA_SOURCE, "apply", UNVERIFIED, name=_taken("data source", "name"), uid=_taken("data source", "uid")),
    *rows(RULE_GROUP, "id", _GROUPS, id=_org_id("folderUid", "name")),
    *rows(RULE_GROUP, "replace", _GROUPS, "name", "folderUid"),
    *rows(RULE_GROUP, "replace", UNVERIFIED, "disableProvenance"),
    *rows(RULE_GROUP, "default", _GROUPS, disableProvenance=False),
    *rows(RULE_GROUP, "held", SEEN, rules=_held_rules),
    *rows(RULE_GROUP, "check", SEEN, rules=_rule_model),
    *rows(RULE_GROUP, "check", _GROUPS, rules=not_empty("rules")),
    *rows(RULE_GROUP, "check", _GROUPS, rules=_rule_for),
    *rows(RULE_GROUP, "apply", UNVERIFIED, folderUid=_folder("folderUid"), rules=_unknown_source),
    *rows(RULE_GROUP, "apply", API, rules=_unknown_receiver),
    *rows(RULE_GROUP, "apply", UNVERIFIED, rules=_unknown_timing),
    *rows(RULE_GROUP, "apply", UNVERIFIED, rules=_same_rule, name=_taken("rule group", "name", "folderUid")),
    *rows(CONTACT_POINT, "id", _POINTS, id=_org_id("name")),
    *rows(CONTACT_POINT, "replace", _POINTS, "name", "disableProvenance"),
    *rows(CONTACT_POINT, "default", _POINTS, disableProvenance=False),
    *rows(CONTACT_POINT, "held", _POINTS, emails=_held_points, pagerduties=_held_points),
    *rows(CONTACT_POINT, "held", _POINTS, slacks=_held_points, webhooks=_held_points),
    *rows(CONTACT_POINT, "unreadable", _POINTS, *_HIDDEN.split()),
    *rows(CONTACT_POINT, "check", SEEN, emails=_no_notifier),
    *rows(CONTACT_POINT, "apply", UNVERIFIED, slacks=_notifier_settings, name=_taken("contact point", "name")),
    *rows(CONTACT_POINT, "delete", _IN_USE, name=_receiver_in_use),
    *rows(MUTE_TIMING, "id", _TIMINGS, id=_org_id("name")),
    *rows(MUTE_TIMING, "replace", _TIMINGS, "name"),
    *rows(MUTE_TIMING, "replace", UNVERIFIED, "disableProvenance"),
    *rows(MUTE_TIMING, "default", "SDK docstring", disableProvenance=False),
    *rows(MUTE_TIMING, "apply", UNVERIFIED, name=_taken("mute timing", "name")),
    *policy_tree_rows(CONTACT_POINT, MUTE_TIMING),
    *mistake_rows(RULE_GROUP, MUTE_TIMING, _seconds),
    *rows(CHECK, "id", _CHECKS, id=_number),
    *rows(CHECK, "default", _CHECKS, enabled=True, frequency=60000, timeout=3000, alertSensitivity="none"),
    *rows(CHECK, "default", _CHECKS, basicMetricsOnly=True),
    *rows(CHECK, "held", _CHECKS, probes=_sorted, settings=_held_check_settings),
    *rows(CHECK, "check", _CHECKS, settings=_one_setting),
    *rows(CHECK, "apply", UNVERIFIED, folderUid=_folder("folderUid"), probes=_bad_check),
    *rows(CHECK, "apply", UNVERIFIED, job=_taken("check", "job", "target")),
    *rows(CHECK, "apply", UNVERIFIED, frequency=between("frequency", 1000, 3600000)),
    *rows(CHECK, "apply", UNVERIFIED, timeout=between("timeout", 1000, 180000)),
]  # fmt: skip


def check_config(config: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Refusals of the provider's own configuration. Unverified: nobody has seen the exact sentences."""
    if not config.get("url"):
        yield "url", "the Grafana client is required for these resources: set the url of the provider."
    if not config.get("auth"):
        yield "auth", "the Grafana client is required for these resources: set the auth of the provider."


def get_probes(_store: Store, args: Mapping[str, Any]) -> dict[str, Any]:
    return {"id": "probes", "filterDeprecated": args.get("filterDeprecated", True), "probes": PROBES}


LOOKED_UP = ""
LOOKUPS: dict[str, Callable[[Store, Mapping[str, Any]], dict[str, Any]]] = {
    "grafana:syntheticMonitoring/getProbes:getProbes": get_probes,
}
