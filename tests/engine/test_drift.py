"""What somebody changed by hand at a vendor shows in `pulumi preview --refresh`."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from runbook.rehearsal.clouds import Held
from tests.engine.bench import Bench, changes

STACK, ZONE = "prod", "ibimina.rw"
Change = Callable[..., None]


@pytest.fixture
def by_hand(stood: Bench) -> Iterator[Change]:
    """Changes an object; afterwards the clouds are as they were."""
    before: list[Held] = []

    def change(held: Held, **properties: Any) -> None:
        before.append(held)
        stood.clouds.store.change(held.cloud, held.kind, held.id, **properties)

    yield change
    for held in before:
        stood.clouds.store.put(held)


def test_changes_by_hand_show(stood: Bench, by_hand: Change) -> None:
    project = stood.one("Project", name="ibimina-staff-prod").id
    by_hand(stood.one("DnsRecord", name=f"auth.{ZONE}"), ttl=120)
    by_hand(
        stood.one("ProjectEnvironmentVariable", projectId=project, key="NEXT_PUBLIC_APP_URL"),
        value="https://x.example",
    )
    group = stood.one("RuleGroup", name="ibimina-prod auth-availability")
    by_hand(group, rules=_with_another_threshold(group.properties["rules"]))
    sensitive = stood.one("ProjectEnvironmentVariable", projectId=project, key="TRUSTED_COOKIE_SECRET")
    by_hand(sensitive, value="changed by hand")

    outcome = stood.engine.run(STACK, "preview", "--refresh", "--diff")

    assert outcome.code == 0, outcome.output
    # The sensitive value is not among them: Vercel gives none back, so nobody can see that it was changed.
    assert changes(outcome) == {
        f"dns-auth.{ZONE}": ("update", ("ttl",)),
        "web-staff-env-NEXT_PUBLIC_APP_URL": ("update", ("value",)),
        "alerts-auth-availability": ("update", ("rules",)),
    }


def test_what_was_deleted_by_hand_is_made_again(stood: Bench) -> None:
    held = stood.one("ProjectDomain", domain=f"app.{ZONE}")
    stood.clouds.store.delete(held.cloud, held.kind, held.id)
    try:
        outcome = stood.engine.run(STACK, "preview", "--refresh")
    finally:
        stood.clouds.store.put(held)

    assert changes(outcome) == {"web-member-domain": ("create", ())}


def _with_another_threshold(rules: list[dict[str, Any]]) -> list[dict[str, Any]]:
    changed: list[dict[str, Any]] = json.loads(json.dumps(rules))
    condition = next(data for data in changed[0]["datas"] if data["refId"] == "C")
    model = json.loads(condition["model"])
    model["conditions"][0]["evaluator"]["params"] = [0.5]
    condition["model"] = json.dumps(model)
    return changed
