"""A name that was being made when an update was killed: Cloudflare has it, and the state does not know it."""

from __future__ import annotations

import shlex
from collections.abc import Callable

from runbook.rehearsal.clouds.cloudflare import RECORD
from runbook.rehearsal.cutover.views import Excused
from tests.engine.bench import changes
from tests.engine.cutover.excused import BACK, NAME, NEXT
from tests.engine.cutover.hindrances import STAFF
from tests.engine.cutover.play import AUTH, NEXT_AUTH, STACK, Play
from tests.engine.cutover.points import Points
from tests.engine.cutover.stops import NEW_NAME

At = Callable[[str], Play]
_STANDS = "rolled-back keeps it until it is left"
ROLLED_BACK = (
    Excused("/cloudflare/DnsRecord/*/ttl", _STANDS),
    Excused("/auth/*/settings/uri_allow_list", _STANDS),
    Excused("/supabase/auth-config/*/uri_allow_list", _STANDS),
    *(Excused(f"/hosts/{host}/dns/answers", "its TTL") for host in (AUTH, STAFF)),
)
PENDING = "interrupted while creating"


def command(play: Play, words: str) -> None:
    """One of the documents', on the stack file that the engine works with here."""
    _, *arguments = shlex.split(words)
    play.cli(*arguments, "--config-file", str(play.engine.config_of(STACK)), "--non-interactive")


def warned(play: Play) -> bool:
    """Whether the engine still tells of it, in an update that finds nothing to do."""
    outcome = play.up()
    assert (outcome.code, changes(outcome)) == (0, {}), outcome.output
    return any(PENDING in text for _, text in outcome.events.messages)


def test_the_next_update_is_refused_with_the_command_that_takes_it_into_the_state(at: At) -> None:
    play = at("creating")
    (record,) = play.clouds.store.find("cloudflare", RECORD, name=NEXT_AUTH)
    refused = play.up()
    assert (refused.code, refused.events.changes) == (1, ())
    (said,) = refused.events.errors
    assert f"runbook:cutover.next.authHost = '{NEXT_AUTH}'" in said

    command(play, said[said.index("pulumi import ") :].replace("\\\n", ""))
    outcome = play.up()

    assert outcome.code == 0, outcome.output
    assert NEW_NAME not in changes(outcome)
    assert play.clouds.store.find("cloudflare", RECORD, name=NEXT_AUTH) == [record]
    assert play.holds(NEW_NAME)
    assert warned(play)
    command(play, f"pulumi refresh --yes --clear-pending-creates --stack {STACK}")
    assert not warned(play)


def test_deleted_by_hand_it_is_made_anew(at: At) -> None:
    play = at("creating")
    (record,) = play.clouds.store.find("cloudflare", RECORD, name=NEXT_AUTH)
    play.clouds.store.delete("cloudflare", RECORD, record.id)
    outcome = play.up()

    assert outcome.code == 0, outcome.output
    assert changes(outcome)[NEW_NAME] == ("create", ())


def test_going_back_needs_no_repair(points: Points) -> None:
    """In the middle of a flip that nobody had prepared, by either road."""
    back, before = points.report("back-hurried"), points.report("before-hurried")

    assert [(each.code, each.told) for each in (back, before)] == [(0, {}), (0, {})], (back.errors, before.errors)
    assert points.different("steady", "before-hurried", (*BACK, *NEXT, *NAME)) == []
    assert points.different("steady", "back-hurried", (*BACK, *NEXT, *NAME, *ROLLED_BACK)) == []
