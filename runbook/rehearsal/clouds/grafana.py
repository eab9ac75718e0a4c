"""What Grafana and its provider do, row by row."""

from __future__ import annotations

import uuid

from runbook.rehearsal.clouds.behaviours import UNVERIFIED, Row

KINDS = """oss/folder:Folder oss/dashboard:Dashboard oss/dataSource:DataSource alerting/ruleGroup:RuleGroup
alerting/contactPoint:ContactPoint alerting/muteTiming:MuteTiming syntheticMonitoring/check:Check"""

ROWS: list[Row] = [Row(f"grafana:{k}", "id", "id", UNVERIFIED, lambda _: uuid.uuid4().hex) for k in KINDS.split()] + [
    Row(f"grafana:{k}", "computed", "uid", UNVERIFIED, lambda _: uuid.uuid4().hex[:14]) for k in ("oss/folder:Folder", "oss/dashboard:Dashboard", "oss/dataSource:DataSource")
]
LOOKUPS = {}
