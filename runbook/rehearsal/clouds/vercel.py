"""What Vercel and its provider do, row by row."""

from __future__ import annotations

import uuid

from runbook.rehearsal.clouds.behaviours import UNVERIFIED, Row

KINDS = "Project ProjectDomain ProjectEnvironmentVariable ProjectDeploymentRetention LogDrain TraceDrain EdgeConfig EdgeConfigItem EdgeConfigToken"  # noqa: E501

ROWS: list[Row] = [
    Row(f"vercel:index/{k[0].lower()}{k[1:]}:{k}", "id", "id", UNVERIFIED, lambda _: uuid.uuid4().hex)
    for k in KINDS.split()
]
LOOKUPS = {}
