"""An edit of the stack file changes what it names and nothing else."""

from __future__ import annotations

from tests.engine.bench import Bench, changed, changes
from tests.engine.conftest import Mended


def test_a_ttl_an_env_value_and_a_retention_are_one_update_each(mended: Mended) -> None:
    edits = {
        "apps.api.ttl": 600,
        "current.env.admin.SUPPORT_URL": "https://help.easymo-staging.example",
        "vercel.retention": "6m",
    }
    with mended.bench.edited(mended.stack, edits):
        outcome = mended.bench.engine.run(mended.stack, "preview")

    assert changes(outcome) == {
        "ledger": ("update", ()),  # it keeps the side that serves, which env is a part of
        "dns-api": ("update", ("ttl",)),
        "web-admin-env-SUPPORT_URL": ("update", ("value",)),
        "web-admin-retention": ("update", ("expirationProduction",)),
    }


def test_a_switch_is_deleted_before_it_is_made_anew(stood: Bench) -> None:
    with stood.edited("staging", {"flags.trustedDevice": False}):
        outcome = stood.engine.run("staging", "up", "--yes", "--skip-preview", "--show-replacement-steps")

    assert outcome.code == 0, outcome.output
    assert [(each.op, each.name) for each in changed(outcome)] == [
        ("delete-replaced", "flags-trustedDevice"),
        ("replace", "flags-trustedDevice"),
        ("create-replacement", "flags-trustedDevice"),
    ]
    store = stood.one("EdgeConfig", name="ibimina-staging-flags").id
    assert stood.one("EdgeConfigItem", edgeConfigId=store).properties["valueJson"] is False
