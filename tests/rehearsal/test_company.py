"""In a play every vendor lets in its own token alone, so that a step which sends another one is found out."""

from __future__ import annotations

from pathlib import Path

from runbook.rehearsal import stack_files
from runbook.rehearsal.clouds import Clouds
from runbook.rehearsal.clouds.net import auth
from runbook.rehearsal.clouds.web import VENDORS, tokens
from runbook.rehearsal.cutover import company
from tests.stacks import ROOT


def test_no_vendor_and_no_project_takes_what_is_anothers(tmp_path: Path) -> None:
    secrets = stack_files.load(ROOT, "prod").secrets
    with Clouds(tmp_path / "clouds.db") as clouds:
        company.hand_out(clouds, secrets, "old", "new")
        let_in = {
            vendor.name: [name for name, value in secrets.items() if tokens.known(clouds.store, vendor.name, value)]
            for vendor in VENDORS
        }
        keys = [tokens.known(clouds.store, auth.keys_of(ref), secrets["LOGIN_API_KEY"]) for ref in ("old", "new")]
    assert let_in == {
        "cloudflare": ["CLOUDFLARE_API_TOKEN"],
        "vercel": ["VERCEL_API_TOKEN"],
        "supabase": ["SUPABASE_ACCESS_TOKEN"],
        "slack": ["SLACK_BOT_TOKEN"],
        "pagerduty": ["PAGERDUTY_ON_CALL"],
        "grafana": ["GRAFANA_AUTH"],
        "loki": ["LOKI_TOKEN"],
    }
    assert keys == [True, False]
