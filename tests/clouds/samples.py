"""One whole set of inputs per resource type, and a way to create them in an order that works."""

from __future__ import annotations

import json
import uuid
from typing import Any

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
from tests.clouds.engine import Engine

ZONES = ["ibimina.rw", "easymo.example"]
ZONE_ID = uuid.uuid5(uuid.NAMESPACE_DNS, "ibimina.rw").hex
_THRESHOLD = json.dumps({"type": "threshold", "expression": "B", "refId": "C"})
_QUERY = json.dumps({"expr": "up", "refId": "A", "intervalMs": 1000})

# In an order in which each finds what it names. "project" and "edgeConfig" stand for the ids made on the way.
SAMPLES: dict[str, dict[str, Any]] = {
    RECORD: {
        "zoneId": ZONE_ID, "name": "admin.ibimina.rw", "type": "CNAME", "content": "target.example",
        "ttl": 1, "proxied": True, "comment": "staff console", "tags": ["app:console"], "priority": 5,
    },
    RULESET: {
        "zoneId": ZONE_ID, "name": "cache", "kind": "zone", "phase": "http_request_cache_settings",
        "description": "what may be kept",
        "rules": [
            {
                "ref": "auth", "expression": 'http.host eq "auth.ibimina.rw"', "description": "never",
                "action": "set_cache_settings", "enabled": True,
                "actionParameters": {"cache": True, "edgeTtl": {"mode": "override_origin", "default": 60}},
            }
        ],
    },
    PROJECT: {
        "name": "ibimina-admin", "framework": "nextjs", "rootDirectory": "apps/admin", "buildCommand": "pnpm build",
        "gitRepository": {"type": "github", "repo": "ibimina/app", "productionBranch": "trunk"},
        "autoAssignCustomDomains": False, "gitForkProtection": False, "nodeVersion": "20.x",
        "serverlessFunctionRegion": "cdg1",
    },
    DOMAIN: {
        "projectId": "project", "domain": "admin.ibimina.rw", "redirect": "x.ibimina.rw", "redirectStatusCode": 308,
    },
    VARIABLE: {
        "projectId": "project", "key": "TRUSTED_COOKIE_SECRET", "value": "hunter2", "sensitive": True,
        "targets": ["production", "preview"], "comment": "signs cookies", "gitBranch": "main", "visibility": "secret",
    },
    RETENTION: {
        "projectId": "project", "expirationProduction": "6m", "expirationPreview": "1m", "expirationCanceled": "1w",
        "expirationErrored": "1d",
    },
    LOG_DRAIN: {
        "name": "logs", "deliveryFormat": "json", "endpoint": "https://logs.example/in",
        "sources": ["lambda", "edge"], "environments": ["production"], "projectIds": ["project"],
        "headers": {"x-key": "k"}, "samplingRate": 0.5, "secret": "s" * 32,
    },
    TRACE_DRAIN: {
        "name": "traces", "deliveryFormat": "proto", "endpoint": "https://t.example/v1/traces",
        "projectIds": ["project"], "headers": {"x-key": "k"}, "secret": "s" * 32,
        "samplingRules": [{"rate": 0.1, "environment": "production", "requestPath": "/api"}],
    },
    EDGE_CONFIG: {"name": "switches"},
    ITEM: {"edgeConfigId": "edgeConfig", "key": "trustedDevice", "value": "on"},
    TOKEN: {"edgeConfigId": "edgeConfig", "label": "app"},
    FOLDER: {"title": "Ibimina", "uid": "ibimina", "preventDestroyIfNotEmpty": True},
    DASHBOARD: {
        "folder": "ibimina", "configJson": json.dumps({"uid": "slo", "title": "SLO", "panels": [{"id": 1}]}),
        "message": "first", "overwrite": True,
    },
    DATA_SOURCE: {
        "name": "prometheus", "type": "prometheus", "uid": "prom", "url": "https://p.example", "accessMode": "direct",
        "jsonDataEncoded": '{"httpMethod":"POST"}', "secureJsonDataEncoded": '{"password":"hunter2"}',
        "isDefault": True, "username": "reader", "databaseName": "db", "basicAuthEnabled": True,
        "basicAuthUsername": "reader", "httpHeaders": {"x-key": "k"},
    },
    CONTACT_POINT: {
        "name": "ops", "disableProvenance": True,
        "slacks": [{"url": "https://hooks.slack.example/x", "recipient": "#ops-alerts", "title": "t", "text": "x"}],
        "pagerduties": [{"integrationKey": "k", "severity": "critical", "disableResolveMessage": True}],
        "webhooks": [{"url": "https://w.example", "httpMethod": "PUT", "maxAlerts": 5}],
        "emails": [{"addresses": ["a@example.org"], "singleEmail": True, "subject": "s"}],
    },
    MUTE_TIMING: {
        "name": "night", "disableProvenance": True,
        "intervals": [
            {
                "times": [{"start": "18:00", "end": "24:00"}], "weekdays": ["monday:friday"],
                "location": "Africa/Kigali", "months": ["1:3"], "daysOfMonths": ["1:31"], "years": ["2026"],
            }
        ],
    },
    POLICY_TREE: {
        "contactPoint": "ops", "groupBies": ["alertname", "grafana_folder"], "disableProvenance": True,
        "groupWait": "30s", "groupInterval": "5m", "repeatInterval": "4h",
        "policies": [
            {
                "contactPoint": "ops", "continue": True,
                "matchers": [{"label": "owner", "match": "=", "value": "x"}],
                "policies": [
                    {
                        "contactPoint": "ops", "muteTimings": ["night"],
                        "matchers": [{"label": "__alert_rule_uid__", "match": "=", "value": "login-slo"}],
                    }
                ],
            }
        ],
    },
    RULE_GROUP: {
        "name": "slo", "folderUid": "ibimina", "intervalSeconds": 60, "disableProvenance": True,
        "rules": [
            {
                "name": "login", "uid": "login-slo", "condition": "C", "for": "5m", "keepFiringFor": "10m",
                "labels": {"owner": "x"}, "annotations": {"summary": "s"}, "noDataState": "OK",
                "execErrState": "Error", "isPaused": True, "missingSeriesEvalsToResolve": 2,
                "datas": [
                    {
                        "refId": "A", "datasourceUid": "prom", "relativeTimeRange": {"from": 600, "to": 0},
                        "model": _QUERY, "queryType": "range",
                    },
                    {
                        "refId": "C", "datasourceUid": "__expr__", "relativeTimeRange": {"from": 0, "to": 0},
                        "model": _THRESHOLD,
                    },
                ],
                "notificationSettings": {
                    "contactPoint": "ops", "muteTimings": ["night"], "groupBies": ["alertname", "grafana_folder"],
                    "groupWait": "30s", "groupInterval": "5m", "repeatInterval": "4h",
                },
            }
        ],
    },
    CHECK: {
        "job": "admin", "target": "https://admin.ibimina.rw/api/healthz", "probes": [2, 1], "frequency": 30000,
        "timeout": 5000, "enabled": False, "labels": {"platform": "ibimina"}, "alertSensitivity": "high",
        "basicMetricsOnly": False, "folderUid": "ibimina",
        "settings": {
            "http": {"method": "HEAD", "validStatusCodes": [200], "ipVersion": "Any", "failIfNotSsl": True}
        },
    },
}  # fmt: skip


Made = dict[str, tuple[str, dict[str, Any], dict[str, Any]]]


def create_all(engine: Engine) -> Made:
    """Create one of each: {type: (id, inputs, outputs)}."""
    made: Made = {}
    for kind in SAMPLES:
        inputs = inputs_of(kind, made)
        id, outputs, _ = engine.create(kind, inputs)
        made[kind] = (id, inputs, outputs)
    return made


def inputs_of(kind: str, made: Made) -> dict[str, Any]:
    """A sample with the ids of what was made before it in place."""
    project = made[PROJECT][0] if PROJECT in made else "prj_none"
    edge_config = made[EDGE_CONFIG][0] if EDGE_CONFIG in made else "ecfg_none"
    ids: dict[str, Any] = {"projectId": project, "projectIds": [project], "edgeConfigId": edge_config}
    return {name: ids.get(name, value) for name, value in SAMPLES[kind].items()}
