"""When a flip opens, to the second."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from runbook.model.cutover.ledger import Memory, dns_only, moving
from runbook.model.cutover.observed import Observed
from runbook.model.cutover.opening import ALWAYS, Opening, opening
from runbook.model.cutover.phases import Phase, Rule
from runbook.model.cutover.refusals import decide
from runbook.model.settings import Settings
from tests.model.cutover.examples import APPS, IN_WINDOW, SAME_HOST, configured
from tests.model.cutover.playing import LONG_AGO, NOTHING, PREPARED_AT, kept, observed, played, remembered, rules, up
from tests.stacks import platform, raw

LOWERED = datetime(2026, 12, 5, 12, 0, 7, tzinfo=UTC)
P, F = Phase.PREPARED, Phase.FLIPPED


def opens(settings: Settings, seen: Observed, ttl_before: int | None, opened: datetime | None = None) -> Opening:
    found = platform(stack_of(settings))
    known = {} if ttl_before is None else dict.fromkeys(dns_only(found, settings), ttl_before)
    return opening(found, settings, seen, known, opened)


def stack_of(settings: Settings) -> str:
    prefix = "" if settings.platform == "ibimina" else f"{settings.platform}-"
    return f"{prefix}{settings.environment}"


def seen(stack: str, settings: Settings, modified: datetime = LOWERED, **changes: Any) -> Observed:
    return observed(stack, settings, modified=modified, **changes)


def proxied(stack: str, *names: str) -> dict[str, Any]:
    apps = raw(stack)["apps"]
    host = {name: {key: value for key, value in apps[name].items() if key == "host"} for name in names}
    return {**apps, **{name: {**host[name], "proxied": True} for name in names}}


@pytest.mark.parametrize(
    ("ttl_before", "wait"),
    [(60, 3600), (300, 3600), (3599, 3600), (3600, 3600), (3601, 3601), (86_400, 86_400), (None, 86_400)],
)
def test_the_wait_is_an_hour_or_the_largest_ttl_before_and_a_margin(ttl_before: int | None, wait: int) -> None:
    settings = configured("staging", changes={"next": SAME_HOST})
    found = opens(settings, seen("staging", settings), ttl_before)
    assert found.at == LOWERED + timedelta(seconds=wait + 300)


@pytest.mark.parametrize(("negative", "wait"), [(1800, 3600), (7200, 7200), (None, 3600), (0, 3600)])
def test_a_new_name_waits_for_the_negative_ttl(negative: int | None, wait: int) -> None:
    settings = configured("prod")
    found = opens(settings, seen("prod", settings, negative_ttl=negative), 300)
    assert found.at == LOWERED + timedelta(seconds=wait + 300)
    assert f"a missing name is remembered for {negative or 1800} s" in found.why


def test_a_name_that_stays_has_no_negative_ttl() -> None:
    settings = configured("staging")
    found = opens(settings, seen("staging", settings, negative_ttl=7200), 300)
    assert found.at == LOWERED + timedelta(seconds=3900)
    assert "missing" not in found.why


def test_only_proxied_names_need_no_wait() -> None:
    settings = configured("easymo-prod", apps=proxied("easymo-prod", "admin", "api"))
    for shown in (Observed(), seen("easymo-prod", settings)):
        assert opens(settings, shown, None).at == ALWAYS


def test_a_name_that_is_proxied_from_now_on_waits_for_what_resolvers_hold() -> None:
    """The config proxies it in the update that prepares, or only in the one that flips."""
    apps = proxied("easymo-prod", "admin", "api")
    direct, through = configured("easymo-prod"), configured("easymo-prod", apps=apps)
    high = seen("easymo-prod", configured("easymo-prod", None))
    assert opens(through, high, None).at is None, "it is not proxied yet, and its TTL is high"
    assert opens(through, seen("easymo-prod", direct), None).at == LOWERED + timedelta(seconds=86_700)
    memory = prepared("easymo-prod", played("easymo-prod"), high, through)
    assert memory.ledger is not None
    assert memory.ledger.ttls_before == {"admin.easymo.example": 300, "api.easymo.example": 3600}
    later = configured("easymo-prod", "flipped", apps=apps)
    decision = decide(platform("easymo-prod"), later, memory, observed("easymo-prod", later), IN_WINDOW)
    assert decision.opening is not None
    assert decision.opening.at == LONG_AGO + timedelta(seconds=3900)


def test_a_new_name_that_is_proxied_waits_for_the_negative_ttl_alone() -> None:
    settings = configured("prod", apps={**raw("prod")["apps"], "auth": {"proxied": True}})
    found = opens(settings, seen("prod", settings, negative_ttl=7200), None)
    assert found.at == LOWERED + timedelta(seconds=7500)
    assert "largest TTL" not in found.why


def test_a_proxied_name_beside_one_that_is_not_does_not_count() -> None:
    settings = configured("easymo-prod", apps=proxied("easymo-prod", "admin"))
    shown = seen("easymo-prod", settings)
    later = [replace(each, modified=IN_WINDOW) if each.proxied else each for each in shown.records]
    found = opens(settings, replace(shown, records=tuple(later)), 300)
    assert found.at == LOWERED + timedelta(seconds=3900)
    assert "admin" not in found.why


def test_a_name_that_no_flip_changes_does_not_count() -> None:
    settings = configured("easymo-prod", changes={"next": {"targets": {"api": "192.0.2.20"}}})
    shown = seen("easymo-prod", settings)
    later = [replace(each, modified=IN_WINDOW) if each.name.startswith("admin") else each for each in shown.records]
    assert opens(settings, replace(shown, records=tuple(later)), 300).at == LOWERED + timedelta(seconds=3900)


def test_the_name_that_was_lowered_last_counts() -> None:
    settings = configured("easymo-prod", changes={"next": APPS})
    shown = seen("easymo-prod", settings)
    later = LOWERED + timedelta(minutes=20)
    records = [replace(each, modified=later) if each.name.startswith("api") else each for each in shown.records]
    assert opens(settings, replace(shown, records=tuple(records)), 300).at == later + timedelta(seconds=3900)


@pytest.mark.parametrize("ttl", [61, 300, 1])
def test_one_name_that_is_not_low_keeps_it_shut(ttl: int) -> None:
    """An update that came through in part has lowered some names and not others. Automatic is served as 300."""
    settings = configured("easymo-prod")
    shown = seen("easymo-prod", settings)
    records = [replace(each, ttl=ttl) if each.name.startswith("api") else each for each in shown.records]
    found = opens(settings, replace(shown, records=tuple(records)), 300)
    assert found.at is None
    assert "api.easymo.example has a TTL of" in found.why


@pytest.mark.parametrize("served", [61, 3600, None])
def test_what_the_authoritative_servers_give_counts_and_not_the_listing_alone(served: int | None) -> None:
    settings = configured("easymo-prod")
    shown = seen("easymo-prod", settings)
    ttls = {name: ttl for name, ttl in shown.served_ttl.items() if not name.startswith("api")}
    ttls |= {} if served is None else {"api.easymo.example": served}
    assert opens(settings, replace(shown, served_ttl=ttls), 300).at is None
    assert opens(settings, shown, 300).at is not None


def test_a_flip_opens_at_its_second_and_not_before() -> None:
    memory = played("prod", P)
    shown = observed("prod", configured("prod"), memory, IN_WINDOW - timedelta(seconds=3900))
    settings = configured("prod", "flipped")
    for now, refused in ((IN_WINDOW, set()), (IN_WINDOW - timedelta(microseconds=1), {Rule.OPENS_AT})):
        assert rules(decide(platform("prod"), settings, memory, shown, now)) == refused


def test_a_flip_that_is_under_way_keeps_its_opening() -> None:
    """Its own changes of records are the last ones now."""
    memory = played("prod", P, F, complete=False)
    assert memory.open
    now = IN_WINDOW + timedelta(minutes=10)
    settings = configured("prod", "flipped")
    shown = observed("prod", settings, memory, now - timedelta(minutes=1))
    decision = decide(platform("prod"), settings, memory, shown, now)
    assert rules(decision) == set()
    assert memory.ledger is not None
    assert decision.ledger.opened == memory.ledger.opened
    assert decision.opening is not None
    assert decision.opening.why == "It was open when it began."


def test_the_next_flip_opens_anew() -> None:
    """After a way back the flip that was open before says nothing of the next."""
    memory = played("prod", P, F, Phase.ROLLED_BACK, P)
    now = IN_WINDOW + timedelta(hours=2)
    shown = observed("prod", configured("prod"), memory, now - timedelta(minutes=5))
    decision = decide(platform("prod"), configured("prod", "flipped"), memory, shown, now)
    assert Rule.OPENS_AT in rules(decision)


# The largest TTL before: seen, kept, or not known


def prepared(stack: str, memory: Memory, shown: Observed, settings: Settings | None = None) -> Memory:
    settings = settings or configured(stack)
    decision = decide(platform(stack), settings, memory, shown, PREPARED_AT)
    return remembered(stack, settings, memory, decision, PREPARED_AT)


def ttl_before(memory: Memory) -> int | None:
    """Of all names that flip the largest, None where one is not known."""
    assert memory.ledger is not None
    settings = configured("easymo-prod")
    found = [memory.ledger.ttls_before.get(name) for name in moving(platform("easymo-prod"), settings)]
    return None if None in found else max(each for each in found if each is not None)


def test_the_largest_ttl_before_is_seen_by_the_update_that_lowers_it_and_kept() -> None:
    memory = prepared("easymo-prod", played("easymo-prod"), observed("easymo-prod", configured("easymo-prod", None)))
    assert ttl_before(memory) == 3600
    again = prepared("easymo-prod", memory, observed("easymo-prod", configured("easymo-prod"), memory))
    assert ttl_before(again) == 3600


def test_an_update_that_lowered_one_of_two_names_keeps_what_both_had() -> None:
    memory = prepared("easymo-prod", played("easymo-prod"), observed("easymo-prod", configured("easymo-prod", None)))
    shown = observed("easymo-prod", configured("easymo-prod"), memory)
    records = [replace(each, ttl=300) if each.name.startswith("admin") else each for each in shown.records]
    again = prepared("easymo-prod", memory, replace(shown, records=tuple(records)))
    assert ttl_before(again) == 3600


def test_a_ttl_that_was_raised_a_little_by_hand_forgets_no_larger_one_and_a_larger_one_counts() -> None:
    memory = prepared("easymo-prod", played("easymo-prod"), observed("easymo-prod", configured("easymo-prod", None)))
    shown = observed("easymo-prod", configured("easymo-prod"), memory)
    for raised, counts in ((120, 3600), (7200, 7200)):
        records = tuple(replace(each, ttl=raised) for each in shown.records)
        assert ttl_before(prepared("easymo-prod", memory, replace(shown, records=records))) == counts


def test_a_ttl_that_nobody_saw_before_it_was_lowered_is_not_known() -> None:
    """One name is low already and no update saw it higher: it may have been anything."""
    shown = observed("easymo-prod", configured("easymo-prod", None))
    for low in (("admin",), ("admin", "api")):
        records = [replace(each, ttl=60) if each.name.startswith(low) else each for each in shown.records]
        memory = prepared("easymo-prod", played("easymo-prod"), replace(shown, records=tuple(records)))
        assert ttl_before(memory) is None
    assert ttl_before(prepared("easymo-prod", played("easymo-prod"), Observed())) is None


def test_automatic_counts_as_300() -> None:
    apps = {"admin": {"host": "admin.easymo.example", "ttl": 1}, "api": {"host": "api.easymo.example", "ttl": 61}}
    was = configured("easymo-prod", None, apps=apps)
    shown = observed("easymo-prod", was)
    memory = prepared("easymo-prod", played("easymo-prod"), shown, configured("easymo-prod", apps=apps))
    assert ttl_before(memory) == 300


def test_a_name_that_joins_later_and_is_low_already_is_not_known() -> None:
    """What the others had before says nothing of it."""
    one, both = {"next": {"targets": {"api": "192.0.2.20"}}}, configured("easymo-prod")
    memory = prepared(
        "easymo-prod",
        played("easymo-prod"),
        observed("easymo-prod", configured("easymo-prod", None)),
        configured("easymo-prod", changes=one),
    )
    shown = observed("easymo-prod", both, memory)
    assert ttl_before(prepared("easymo-prod", memory, shown, both)) is None
    records = [replace(each, ttl=600) if each.name.startswith("admin") else each for each in shown.records]
    assert ttl_before(prepared("easymo-prod", memory, replace(shown, records=tuple(records)), both)) == 3600


@pytest.mark.parametrize(("age", "left"), [(0, 86_400), (3600, 82_800), (86_400 - 301, 301), (86_400, 300)])
def test_a_normal_ttl_that_was_made_smaller_before_counts_as_long_as_it_is_held(age: int, left: int) -> None:
    """Steady with another TTL, and prepared soon after: resolvers still hold what they were given for longer."""
    apps = {name: {**app, "ttl": 300} for name, app in raw("easymo-prod")["apps"].items()}
    day = {name: {**app, "ttl": 86_400} for name, app in apps.items()}
    memory = playing([configured("easymo-prod", None, apps=day), configured("easymo-prod", None, apps=apps)])
    shown = observed("easymo-prod", configured("easymo-prod", None, apps=apps), modified=before(age))
    found = prepared("easymo-prod", memory, shown, configured("easymo-prod", apps=apps))
    assert ttl_before(found) == left
    given_up = playing([configured("easymo-prod", None, apps=apps)], found)
    again = observed("easymo-prod", configured("easymo-prod", None, apps=apps), modified=before(0))
    assert ttl_before(prepared("easymo-prod", given_up, again, configured("easymo-prod", apps=apps))) == 300


def test_preparing_does_not_forget_the_ttl_that_it_lowers() -> None:
    """Given up, with a smaller normal TTL, and prepared again at once."""
    apps = {name: {**app, "ttl": 86_400} for name, app in raw("easymo-prod")["apps"].items()}
    steady = configured("easymo-prod", None, apps=apps)
    memory = prepared(
        "easymo-prod", playing([steady]), observed("easymo-prod", steady), configured("easymo-prod", apps=apps)
    )
    memory = playing([configured("easymo-prod", None)], memory)
    shown = observed("easymo-prod", configured("easymo-prod", None), modified=before(60))
    assert ttl_before(prepared("easymo-prod", memory, shown)) == 86_340


def before(age: int) -> datetime:
    return PREPARED_AT - timedelta(seconds=age)


def playing(updates: list[Settings], memory: Memory = NOTHING) -> Memory:
    """What EasyMO's state holds after these updates, in which nothing serves anew."""
    for settings in updates:
        memory = up("easymo-prod", settings, memory, Observed(), LONG_AGO)
    return memory


def test_a_cutover_that_is_over_forgets_it() -> None:
    memory = played("easymo-prod", P, Phase.STEADY)
    assert ttl_before(memory) is None
    assert memory.ledger == kept(memory.ledger) if memory.ledger else False
