"""What a whole plan may not hold: what serves is never deleted, and in a window nothing but the crossing changes."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runbook.model.cutover.ledger import Memory
from runbook.model.cutover.phases import Phase
from runbook.model.cutover.refusals import decide
from runbook.model.plans.operation import Plan, plan_of
from runbook.model.plans.places import DOMAIN, ENV, PROJECT, RECORD, RETENTION
from runbook.model.plans.rules import PlanRefusal, judge, refused_text
from runbook.model.settings import Settings
from tests.model.cutover.examples import IN_WINDOW, SAME_HOST, configured
from tests.model.cutover.generated import EXAMPLES, Made, cutovers
from tests.model.cutover.playing import LONG_AGO, PREPARED_AT, observed, played, remembered, up
from tests.model.plans.previews import DASHBOARD, RULES, Declared, event, planned, preview, resources
from tests.stacks import STACKS, platform, raw

BEFORE, AFTER = IN_WINDOW - timedelta(days=2), datetime(2026, 12, 6, 0, 1, tzinfo=UTC)
FORWARD = [
    (Phase.STEADY, Phase.PREPARED),
    (Phase.PREPARED, Phase.STEADY),
    (Phase.PREPARED, Phase.FLIPPED),
    (Phase.STEADY, Phase.FLIPPED),
    (Phase.FLIPPED, Phase.SETTLED),
    (Phase.ROLLED_BACK, Phase.PREPARED),
    (Phase.ROLLED_BACK, Phase.STEADY),
]


def refused(plan: Plan, stack: str, settings: Settings, memory: Memory, now: datetime = IN_WINDOW) -> list[str]:
    """Rule and operation of each refusal."""
    found = judge(plan, platform(stack), settings, memory, now)
    return [f"{each.rule}: {each.operation}" for each in found]


def flip(stack: str, memory: Memory, **sections: Any) -> tuple[Plan, Settings]:
    """A flip in which sections of the config are others."""
    asked = configured(stack, "flipped", **sections)
    return planned(stack, configured(stack), asked, memory, IN_WINDOW), asked


@given(cutovers(), st.sampled_from(FORWARD))
@EXAMPLES
def test_a_move_alone_is_never_refused(made: Made, move: tuple[Phase, Phase]) -> None:
    """Every operation of every move of any cutover is its own, in the open window."""
    was, asked = made.asked(move[0]), made.asked(move[1])
    memory = _played(made, move[0])
    plan = planned(made.stack, was, asked, memory, IN_WINDOW)
    assert refused(plan, made.stack, asked, memory) == []


def _played(made: Made, until: Phase) -> Memory:
    """What the state remembers once `until` was reached by the shortest way."""
    ways = {
        Phase.STEADY: [],
        Phase.PREPARED: [Phase.PREPARED],
        Phase.FLIPPED: [Phase.PREPARED, Phase.FLIPPED],
        Phase.ROLLED_BACK: [Phase.PREPARED, Phase.FLIPPED, Phase.ROLLED_BACK],
    }
    was = made.steady()
    memory = up(made.stack, was, Memory(), observed(made.stack, was), LONG_AGO)
    for phase in ways[until]:
        asked, seen = made.asked(phase), observed(made.stack, was, memory, PREPARED_AT)
        decision = decide(made.platform, asked, memory, seen, IN_WINDOW)
        memory, was = remembered(made.stack, asked, memory, decision, IN_WINDOW), asked
    return memory


@pytest.mark.parametrize("stack", STACKS)
def test_a_flip_that_stopped_half_way_goes_on(stack: str) -> None:
    """The records have moved and the env has not: what is left to do is still the crossing's own."""
    memory = played(stack, Phase.PREPARED, Phase.FLIPPED, complete=False)
    asked = configured(stack, "flipped")
    done, left = resources(stack, asked, 2), resources(stack, configured(stack), 1)
    half = {name: (done if each.kind == RECORD else left)[name] for name, each in done.items()}
    events = [event(stack, name, half[name], done[name]) for name in done]
    plan = replace(plan_of(events), phase="flipped", phase_was="flipped", tag="1-flip")
    assert [each for each in plan.changes if each.type == RECORD] == []
    assert refused(plan, stack, asked, memory) == []


EDITS: list[tuple[str, dict[str, Any], list[str]]] = [
    ("a record that is not an app's", {"records": []}, ["delete dns-txt-_acme-challenge.auth.ibimina.rw"]),
    (
        "its text",
        {"records": [{"name": "_acme-challenge.auth.ibimina.rw", "type": "TXT", "content": '"other"'}]},
        ["update dns-txt-_acme-challenge.auth.ibimina.rw (content)"],
    ),
    (
        "another record",
        {
            "records": [
                *raw("prod")["records"],
                {"name": "ibimina.rw", "type": "MX", "content": "mail.example", "priority": 1},
            ]
        },
        ["create dns-mx-ibimina.rw"],
    ),
    (
        "how a name is reached",
        {"apps": {**raw("prod")["apps"], "member": {"host": "app.ibimina.rw", "ttl": 300}}},
        ["update dns-member (proxied, ttl)"],
    ),
    (
        "a drain's URL, which is env too",
        {"drains": {"LOG_DRAIN_URL": "https://logs.ibimina.rw/other"}},
        ["update web-staff-env-LOG_DRAIN_URL (value)", "update web-member-env-LOG_DRAIN_URL (value)"],
    ),
    (
        "an env value that both sides have",
        {"current": {**raw("prod")["current"], "env": {"staff": {"LEVEL": "debug"}}}},
        ["create web-staff-env-LEVEL"],
    ),
    (
        "how long builds are kept",
        {"vercel": {**raw("prod")["vercel"], "retention": "1m"}},
        ["update web-staff-retention (expirationProduction)", "update web-member-retention (expirationProduction)"],
    ),
    (
        "where env values go",
        {"vercel": {**raw("prod")["vercel"], "targets": ["production", "preview"]}},
        [
            f"update web-{app}-env-{key} ({differs})"
            for app in ("staff", "member")
            for key, differs in (
                ("NEXT_PUBLIC_SUPABASE_URL", "targets, value"),
                ("NEXT_PUBLIC_APP_URL", "targets"),
                ("SUPABASE_PROJECT_REF", "targets, value"),
                ("TRUSTED_COOKIE_SECRET", "targets, value"),
                ("LOG_DRAIN_URL", "targets"),
                ("LOG_DRAIN_ALERT_WEBHOOK", "targets"),
            )
        ],
    ),
]


@pytest.mark.parametrize(("what", "sections", "operations"), EDITS, ids=[each[0] for each in EDITS])
def test_anything_beside_a_flip_is_refused(what: str, sections: dict[str, Any], operations: list[str]) -> None:
    memory = played("prod", Phase.PREPARED)
    plan, asked = flip("prod", memory, **deepcopy(sections))
    assert refused(plan, "prod", asked, memory) == [f"crossing-alone: {each}" for each in operations]


def test_a_flip_outside_its_window_is_alone_too() -> None:
    """An override may let it pass the window; nothing rides along."""
    memory = played("prod", Phase.PREPARED)
    plan, asked = flip("prod", memory, records=[])
    assert refused(plan, "prod", asked, memory, BEFORE) == [
        "crossing-alone: delete dns-txt-_acme-challenge.auth.ibimina.rw"
    ]


@pytest.mark.parametrize(("now", "number"), [(BEFORE, 0), (IN_WINDOW, 1), (AFTER, 0)])
def test_between_crossings_only_the_open_window_refuses(now: datetime, number: int) -> None:
    memory = played("prod", Phase.PREPARED)
    asked = configured("prod", records=[])
    plan = planned("prod", configured("prod"), asked, memory, now)
    assert len(refused(plan, "prod", asked, memory, now)) == number


def test_a_rotated_secret_waits_though_nobody_sees_its_value() -> None:
    """In `prepared` no env is the crossing's, not even of a key that a flip renews."""
    memory, asked = played("prod", Phase.PREPARED), configured("prod")
    key = "web-staff-env-TRUSTED_COOKIE_SECRET"
    old = resources("prod", asked, 1)[key]
    new = Declared(ENV, {**old.inputs, "was": "another"})
    plan = plan_of([event("prod", key, old, new)])
    assert refused(plan, "prod", asked, memory) == [f"crossing-alone: update {key} (value)"]


def test_alerts_dashboards_switches_and_drains_may_always_change() -> None:
    memory, asked = played("prod", Phase.PREPARED), configured("prod", "flipped")
    kinds = (
        RULES,
        DASHBOARD,
        "grafana:alerting/contactPoint:ContactPoint",
        "grafana:syntheticMonitoring/check:Check",
        "vercel:index/edgeConfigItem:EdgeConfigItem",
        "vercel:index/logDrain:LogDrain",
    )
    changes = [event("prod", f"it-{kind[:9]}", Declared(kind, {"a": 1}), Declared(kind, {"a": 2})) for kind in kinds]
    plan = replace(plan_of(changes), tag="1-flip")
    assert len(plan.changes) == len(kinds)
    assert refused(plan, "prod", asked, memory) == []


def test_a_new_stack_has_nothing_to_disturb() -> None:
    asked = configured("prod")
    events = [event("prod", name, None, each) for name, each in resources("prod", asked, 1).items()]
    assert refused(plan_of(events), "prod", asked, Memory()) == []


def replaced(name: str, old: Declared) -> Plan:
    return plan_of([event("prod", name, old, replace(old, inputs={**old.inputs, "type": "A"}), "replace")])


@pytest.mark.parametrize(
    ("name", "kind"), [("dns-staff", RECORD), ("web-staff-domain", DOMAIN), ("web-staff-project", PROJECT)]
)
def test_what_serves_is_not_replaced_in_any_phase(name: str, kind: str) -> None:
    """Whether it is protected or not, with or without a cutover, by day and by night."""
    for asked in (configured("prod", None), configured("prod"), configured("prod", "flipped")):
        for protect in (True, False):
            old = replace(resources("prod", asked, 1)[name], protect=protect)
            assert old.kind == kind
            memory = played("prod", Phase.PREPARED)
            assert refused(replaced(name, old), "prod", asked, memory, BEFORE) == [f"serving: replace {name}"]


def test_what_is_protected_is_not_deleted_until_its_protection_is_lifted() -> None:
    """An app that the config has no more: its name is in no list of hosts, but the state protects it."""
    gone = Declared(RECORD, {"name": "old.ibimina.rw", "type": "CNAME", "content": "x.example", "ttl": 60}, True)
    asked, memory = configured("prod", None), played("prod")
    plan = plan_of([event("prod", "dns-old", gone, None)])
    assert refused(plan, "prod", asked, memory) == ["serving: delete dns-old"]
    lifted = plan_of([event("prod", "dns-old", replace(gone, protect=False), None)])
    assert refused(lifted, "prod", asked, memory) == []


@pytest.mark.parametrize("op", ["delete", "replace"])
def test_name_servers_stay(op: str) -> None:
    record = Declared(RECORD, {"name": "ibimina.rw", "type": "NS", "content": "ns.example", "ttl": 3600})
    new = None if op == "delete" else record
    plan = plan_of([event("prod", "dns-ns", record, new, op)])
    assert refused(plan, "prod", configured("prod", None), played("prod")) == [f"name-servers: {op} dns-ns"]


def test_an_env_var_and_its_like_may_be_replaced_outside_a_window() -> None:
    for kind in (ENV, RETENTION):
        old, new = (Declared(kind, {"key": key, "was": ""}) for key in "ab")
        plan = plan_of([event("prod", "it", old, new, "replace")])
        assert refused(plan, "prod", configured("prod"), played("prod", Phase.PREPARED), BEFORE) == []


def test_a_replacement_is_never_the_crossings_own() -> None:
    """Not even of a key that a flip renews: for a moment there would be none."""
    memory, asked, key = played("prod", Phase.PREPARED), configured("prod", "flipped"), "TRUSTED_COOKIE_SECRET"
    old, new = (Declared(ENV, {"key": key, "was": value}) for value in "ab")
    plan = replace(plan_of([event("prod", f"web-staff-env-{key}", old, new, "replace")]), tag="1-flip")
    assert refused(plan, "prod", asked, memory) == [f"crossing-alone: replace web-staff-env-{key} (value)"]
    updated = replace(plan_of([event("prod", f"web-staff-env-{key}", old, new)]), tag="1-flip")
    assert refused(updated, "prod", asked, memory) == []


def test_going_back_meets_no_rule() -> None:
    """Neither an unrelated change nor even a replacement; what serves is held by its protection."""
    memory = played("prod", Phase.PREPARED, Phase.FLIPPED)
    asked = configured("prod", "rolled-back", records=[])
    events = preview("prod", configured("prod", "flipped"), asked, memory, IN_WINDOW)
    old = resources("prod", asked, 1)["dns-staff"]
    plan = plan_of([*events, event("prod", "dns-other", old, old, "replace")])
    assert plan.tag == "2-back"
    assert {each.op for each in plan.changes if each.type == RECORD} >= {"delete", "replace"}
    assert refused(plan, "prod", asked, memory) == []


def test_the_old_name_ends_with_settled_though_the_window_is_open() -> None:
    memory = played("prod", Phase.PREPARED, Phase.FLIPPED)
    was, asked = configured("prod", "flipped"), configured("prod", "settled")
    plan = planned("prod", was, asked, memory, IN_WINDOW)
    assert [each.name for each in plan.changes if each.op == "delete"] == ["dns-auth.ibimina.rw"]
    assert refused(plan, "prod", asked, memory) == []


def test_the_whole_text() -> None:
    memory, asked = played("prod", Phase.PREPARED), configured("prod", changes={"next": SAME_HOST})
    declared = resources("prod", asked, 1)
    env = declared["web-staff-env-LOG_DRAIN_URL"]
    gone = Declared(RECORD, {"name": "old.ibimina.rw", "type": "CNAME", "ttl": 60}, True)
    plan = plan_of(
        [
            event("prod", "web-staff-env-LOG_DRAIN_URL", env, Declared(ENV, {**env.inputs, "was": "other"})),
            event("prod", "dns-old", gone, None),
            *[event("prod", "dns-staff", declared["dns-staff"], Declared(RECORD, {"type": "A"}, True), "replace")],
        ]
    )
    found: tuple[PlanRefusal, ...] = judge(plan, platform("prod"), asked, memory, IN_WINDOW)
    text = refused_text("prod", found)
    assert text == TEXT
    assert refused_text("prod", found[:1]).startswith("1 operation of this plan of prod may not be;")
    assert refused_text("prod", ()) == ""
    pasted = ("   urn:", "   pulumi state unprotect")
    assert [line for line in text.splitlines() if len(line) > 80 and not line.startswith(pasted)] == []


TEXT = """\
3 operations of this plan of prod may not be; nothing was changed.

1. update web-staff-env-LOG_DRAIN_URL (value)
   rule:    crossing-alone
   urn:     urn:pulumi:prod::runbook::vercel:index/projectEnvironmentVariable:ProjectEnvironmentVariable::web-staff-env-LOG_DRAIN_URL
   allowed: The cutover window is open until 2026-12-06 02:00 Africa/Kigali: of
            names, builds and env only what the crossing itself changes. Alerts
            and dashboards may always change.
   edit:    Take the change of runbook:drains.LOG_DRAIN_URL back, and make it
            when the crossing is complete and its window over.

2. delete dns-old
   rule:    serving
   urn:     urn:pulumi:prod::runbook::cloudflare:index/dnsRecord:DnsRecord::dns-old
   allowed: A name that serves is updated in place, never deleted or replaced: a
            name that is missing for a moment is remembered as missing for up to
            half an hour.
   edit:    Put it back into the config. If nobody is to reach it any more, lift
            its protection by name, once, and run the command again:
   pulumi state unprotect 'urn:pulumi:prod::runbook::cloudflare:index/dnsRecord:DnsRecord::dns-old' --stack prod

3. replace dns-staff
   rule:    serving
   urn:     urn:pulumi:prod::runbook::cloudflare:index/dnsRecord:DnsRecord::dns-staff
   allowed: A name that serves is updated in place, never deleted or replaced: a
            name that is missing for a moment is remembered as missing for up to
            half an hour.
   edit:    Undo the change of comment, content, name, proxied, ttl, type,
            zoneId; give a name or project that is to be another one a new name
            beside this."""  # noqa: E501
