"""Whatever of a way back is left out shows: in what clients observe, in what the clouds hold, or because something
that a way back leaves different is not."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from runbook.rehearsal.clouds import Held, Store
from runbook.rehearsal.clouds.faults import Swallowed
from runbook.rehearsal.clouds.web.deployments import PRODUCTION
from tests.engine.bench import changes
from tests.engine.cutover.excused import BACK
from tests.engine.cutover.hindrances import ANNOTATE, DEPLOY, PAGE, POST, PURGE
from tests.engine.cutover.play import AUTH, NEXT_AUTH, Play
from tests.engine.cutover.points import Points

At = Callable[[str], Play]
NOTHING = "while rolled-back there is nothing for it to change"
FILE = "the record of the crossing is a file"
LOOKS = "it only looks"
_ENV = r"/projects/ibimina-{}-prod/env/{}/value"
# What the way back begins to change, and where it shows that it was left out.
SHOWS = {
    "dns-staff": r"/hosts/staff\.ibimina\.rw/dns/answers",
    "dns-member": r"/cloudflare/DnsRecord/app\.ibimina\.rw CNAME/content",
    f"dns-{AUTH}": rf"/cloudflare/DnsRecord/{AUTH} CNAME/comment",
    f"dns-{NEXT_AUTH}": rf"/cloudflare/DnsRecord/{NEXT_AUTH} CNAME/comment",
    "dns-cache": r"/cache_rules/.+",
    **{
        f"web-{app}-env-{key}": _ENV.format(app, key)
        for app in ("staff", "member")
        for key in ("NEXT_PUBLIC_SUPABASE_URL", "SUPABASE_PROJECT_REF")
    },
    "alerts-auth-availability": r"/grafana/RuleGroup/.+/rules",
    "observing-check-auth": r"/grafana/Check/.+/target",
    "observing-checklist": r"/grafana/Dashboard/.+/configJson",
    "step-promote-staff": r"/projects/ibimina-staff-prod/serving",
    "step-promote-member": r"/projects/ibimina-member-prod/serving",
    "step-purge-again": r"/hosts/app\.ibimina\.rw/files",  # the proxy keeps the one of next's build
    "step-page-pagerduty-on-call": r"/pagerduty/alert/.+",
    "step-function-metrics-exporter": r"/supabase/function/.+",
    "step-annotate": r"/grafana/annotation/.+",
    "step-announce": r"/slack/message/.+",
    "step-auth-settings": NOTHING,
    "step-custom-hostname": NOTHING,
    "step-complete": FILE,
    "step-lock": LOOKS,
    **{f"step-verify-{what}": LOOKS for what in ("dns", "staff", "member", "auth", "login", "event")},
}


def _apart(then: Held, now: Held) -> bool:
    """Whether the way back changed more than the comment by which it writes every record."""
    noted = {"comment", "modifiedOn", "commentModifiedOn", "tagsModifiedOn"}
    kept = [{key: value for key, value in each.properties.items() if key not in noted} for each in (then, now)]
    return kept[0] != kept[1]


def test_every_change_that_is_left_out_shows(at: At, points: Points) -> None:
    """One after the other, what the way back had changed is what it was before it."""
    play = at("rolled-back")
    before, flipped = points.at("prepared"), Store(points.at("flipped") / "clouds.db")
    store = play.clouds.store
    found: dict[str, list[str]] = {}
    for then in flipped.objects():
        now = store.get(then.cloud, then.kind, then.id)
        if now is not None and _apart(then, now) and then.cloud != "rehearsal":
            store.put(then)
            found[f"{then.kind} {then.properties.get('key')} {then.id}"] = play.different(before, BACK)
            store.put(now)
    flipped.close()

    silent = {name for name, seen in found.items() if not seen}
    assert len(found) >= 14
    assert silent == {name for name in found if "TRUSTED_COOKIE_SECRET" in name}


def test_every_action_that_a_vendor_swallows_shows_though_it_was_answered_well(at: At, points: Points) -> None:
    play = at("flipped")
    play.seen()  # like open pages, it asks for the file of next's build, and the proxy keeps it
    store, fail = play.clouds.store, play.clouds.faults.fail
    serving = store.find("vercel", PRODUCTION)
    for cloud in ("cloudflare", "vercel", "grafana"):
        fail(cloud, method="Update", times=1000, message="", how=Swallowed())
    for call in (ANNOTATE, DEPLOY, PAGE, POST, PURGE):
        call.fails(play, Swallowed())
    play.ask("rolled-back")
    outcome = play.up()

    assert outcome.code == 0, outcome.output
    assert changes(outcome).keys() - {"ledger"} == SHOWS.keys()
    good, left = _paths(points.different("prepared", "rolled-back")), _paths(play.different(points.at("prepared")))
    for held in serving:  # a rollback that Vercel swallows is waited for, and would fail the update
        store.put(held)
    builds = _paths(play.different(points.at("prepared"))) - left
    # Named by number where there are two of a kind, as after a kill: compared with what had been sent before.
    sent = _paths(points.different("flipped", "rolled-back")) - _paths(play.different(points.at("flipped")))
    where = {"step-promote-staff": builds, "step-promote-member": builds, "step-announce": sent}
    silent = {
        name
        for name, pattern in SHOWS.items()
        if not any(re.fullmatch(pattern, path) for path in where.get(name, good ^ left))
    }
    assert silent == {name for name, pattern in SHOWS.items() if pattern in (NOTHING, FILE, LOOKS)}


def _paths(different: Sequence[str]) -> set[str]:
    return {each.partition(": ")[0] for each in different}
