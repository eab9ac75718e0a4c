"""What somebody changed by hand shows in `pulumi preview --refresh`, and no `up` makes a flip of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from runbook.rehearsal.clouds.cloudflare import RECORD, RULESET
from runbook.rehearsal.clouds.vercel import PROJECT, VARIABLE
from runbook.rehearsal.clouds.web import deployments, release
from tests.engine.bench import changes
from tests.engine.cutover.hindrances import STAFF
from tests.engine.cutover.play import AUTH, NEXT_TARGET, STACK, Play

At = Callable[[str], Play]
SHOWN = {
    "dns-staff": ("update", ("content",)),
    f"dns-{AUTH}": ("update", ("ttl",)),
    "dns-cache": ("update", ("rules",)),
    "web-staff-env-NEXT_PUBLIC_APP_URL": ("update", ("value",)),
}


def change(play: Play, kind: str, wanted: dict[str, str], **properties: Any) -> None:
    cloud = kind.partition(":")[0]
    (held,) = play.clouds.store.find(cloud, kind, **wanted)
    play.clouds.store.change(cloud, kind, held.id, **properties)


def by_hand(play: Play) -> str:
    """As people do in the vendors' pages: the build that now serves the staff's app."""
    store = play.clouds.store
    (project,) = store.find("vercel", PROJECT, name="ibimina-staff-prod")
    change(play, RECORD, {"name": STAFF}, content=NEXT_TARGET)
    change(play, RECORD, {"name": AUTH}, ttl=120)
    change(play, VARIABLE, {"projectId": project.id, "key": "NEXT_PUBLIC_APP_URL"}, value="https://changed.example")
    (rules,) = store.find("cloudflare", RULESET)
    edited = [{**rule, "enabled": number > 0} for number, rule in enumerate(rules.properties["rules"])]
    store.change("cloudflare", RULESET, rules.id, rules=edited)
    return release(store, "ibimina-staff-prod", "v1.0.1", play.clouds.clock.now()).id


@pytest.mark.parametrize("point", ["steady", "prepared"])
def test_it_shows_and_is_no_flip(at: At, point: str) -> None:
    play = at(point)
    before = play.seen()
    made = by_hand(play)
    preview = play.engine.run(STACK, "preview", "--refresh")
    assert preview.code == 0, preview.output
    shown = {name: each for name, each in changes(preview).items() if not name.startswith(("step-", "ledger"))}
    assert {name: shown.get(name) for name in SHOWN} == SHOWN

    outcome = play.up("--refresh")

    assert outcome.code == 0, outcome.output
    after = play.seen()
    (project,) = play.clouds.store.find("vercel", PROJECT, name="ibimina-staff-prod")
    assert deployments.production(play.clouds.store, project.id)["deployment"] == made
    assert after["hosts"][STAFF]["dns"] == before["hosts"][STAFF]["dns"]
    assert after["cache_rules"] == before["cache_rules"]
    assert after["projects"]["ibimina-staff-prod"]["env"] == before["projects"]["ibimina-staff-prod"]["env"]
    assert (play.kept().ledger or {})["crossing"] == 0


def test_a_build_released_by_hand_shows_where_next_was_made_beside_another(at: At) -> None:
    """Vercel's builds are no resource: a preview of prepared makes next anew, and a steady one says nothing."""
    play = at("prepared")
    release(play.clouds.store, "ibimina-member-prod", "v1.0.1", play.clouds.clock.now())
    preview = play.engine.run(STACK, "preview")

    assert preview.code == 0, preview.output
    assert {"step-build-staff", "step-build-member"} <= changes(preview).keys()
