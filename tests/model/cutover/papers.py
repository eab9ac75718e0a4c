"""Cutovers whose way back is written down: settings of Ibimina prod with either kind of cutover, and what is seen."""

from __future__ import annotations

from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from runbook.model.cutover.observed import Observed, SeenBuild, SeenRecord
from runbook.model.reading import read
from runbook.model.secrets_needed import required_secrets
from runbook.model.settings import Settings
from tests.stacks import platform, raw

OLD_REF, NEW_REF = "ibiminaprodplacehold", "ibiminanextplacehold"
OLD_AUTH, NEW_AUTH = "auth.ibimina.rw", "login.ibimina.rw"
SAME_HOST: dict[str, Any] = {
    "supabaseRef": NEW_REF,
    "release": "v1.1.0",
    "targets": {"auth": f"{NEW_REF}.supabase.co"},
    "env": {"staff": {"FEATURE": "on"}},
}
NEW_HOST: dict[str, Any] = SAME_HOST | {"authHost": NEW_AUTH}
ZONE_ID = "0123456789abcdef" * 2
STAFF = SeenBuild("dpl_staff", "s.vercel.app", "READY")
MEMBER = SeenBuild("dpl_member", "m.vercel.app", "READY")


def cutover(next: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "phase": "prepared",
        "window": {"start": "2026-12-05 22:00", "end": "2026-12-05 23:30", "zone": "Africa/Kigali"},
        "owners": ["on-call"],
        "backOut": ["auth-availability"],
        "next": next,
        "functions": {"metrics-exporter": {"source": "supabase/functions/metrics-exporter", "tag": "v1.0.0"}},
    } | more


def settings(block: dict[str, Any], stack: str = "prod", **more: Any) -> Settings:
    """The stack's settings with this cutover, and a made-up value for every secret that they need."""
    config = {**raw(stack), "cutover": block, **more}
    needed = required_secrets(platform(stack), Settings.model_validate(config))
    secrets = {name: sha256(name.encode()).hexdigest()[:40] for name in needed}
    return read(stack, {**config, "secrets": secrets}, platform(stack))


def observed(*more: SeenRecord, **changes: Any) -> Observed:
    """What the clouds show while Ibimina prod is prepared."""
    at = datetime(2026, 12, 5, 18, 0, 30, tzinfo=UTC)
    record = SeenRecord("record-old", OLD_AUTH, "CNAME", f"{OLD_REF}.supabase.co", 60, False, at)
    values: dict[str, Any] = {
        "zone_id": ZONE_ID,
        "records": (record, *more),
        "project_ids": {"staff": "prj_staff", "member": "prj_member"},
        "serving": {"staff": STAFF, "member": MEMBER},
    }
    return Observed(**(values | changes))
