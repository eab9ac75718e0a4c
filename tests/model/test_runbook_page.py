"""The operations runbook of a stack: its YAML is taken, its commands are there, and it tells what really happens."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
import typer
import yaml

from runbook.cli.app import build
from runbook.model import runbook_moves
from runbook.model.alerting import dashboard_uid
from runbook.model.cutover.phases import Direction, Phase, Rule
from runbook.model.cutover.sections import Cutover
from runbook.model.plans.places import Place
from runbook.model.runbook_cutover import acting, all_steps, at, example, least_wait, with_cutover
from runbook.model.runbook_page import runbook_page
from runbook.model.runbook_reader import Live, reader
from runbook.model.serving import stack_of
from runbook.model.settings import Settings
from tests.model.cutover.examples import APPS, SAME_HOST, configured
from tests.stacks import ROOT, platform, settings

STACKS = ("prod", "easymo-prod")
PAGES = {"prod": "docs/runbook-ibimina.md", "easymo-prod": "docs/runbook-easymo.md"}
PEOPLE = ("Somebody decides.",)


def page(stack: str, given: Settings | None = None, live: Live | None = None) -> str:
    return runbook_page(platform(stack), given or settings(stack), reader(stack, PEOPLE), live)


def blocks(text: str, fence: str) -> list[str]:
    return re.findall(rf"^```{fence}\n(.*?)^```$", text, re.M | re.S)


def section(text: str) -> dict[str, Any]:
    (block,) = blocks(text, "yaml")
    found: dict[str, Any] = yaml.safe_load("config:\n" + block)["config"]["runbook:cutover"]
    return found


@pytest.mark.parametrize("stack", STACKS)
def test_the_example_of_the_committed_page_is_a_sound_cutover(stack: str) -> None:
    text = (ROOT / PAGES[stack]).read_text(encoding="utf-8")
    given = section(text.replace("<release>", settings(stack).current.release))
    taken = configured(stack, None, cutover=given)
    assert taken.cutover == example(platform(stack), settings(stack))


EXTRA = {
    "soak": "90m",
    "overrides": [{"rule": "window", "reason": 'agreed "on the phone"', "until": "2026-12-05 22:00"}],
}
WITH_ENV = {**SAME_HOST, "env": {"staff": {"A": "on: #1", "B": "12", "C": "off", "D": "-"}}, "generation": 7}


@pytest.mark.parametrize(
    ("stack", "changes"),
    [
        ("prod", {}),
        ("prod", EXTRA),
        ("prod", {"next": WITH_ENV}),
        ("staging", {}),
        ("easymo-prod", {"next": APPS}),
        ("easymo-staging", {"next": {**APPS, "release": "1.0"}}),
    ],
)
def test_a_cutover_is_shown_as_its_stack_file_has_it(stack: str, changes: Any) -> None:
    given = configured(stack, "prepared", changes)
    assert given.cutover is not None
    written = yaml.safe_load("\n".join(runbook_moves.yaml(given.cutover)))["runbook:cutover"]
    assert Cutover.model_validate(written) == given.cutover
    assert section(page(stack, given)) == written


@cache
def commands() -> Any:
    return typer.main.get_command(build())


def typed(text: str) -> Iterator[list[str]]:
    for block in blocks(text, "sh"):
        for line in block.splitlines():
            if line.startswith("./cutover "):
                yield shlex.split(line)[1:]


@pytest.mark.parametrize("stack", STACKS)
def test_every_command_is_one_with_its_options(stack: str) -> None:
    found = list(typed(page(stack)))
    assert {words[0] for words in found} == {
        "runbook", "status", "drift", "signals", "evidence", "phase", "plan", "apply", "rollback", "way-back"
    }  # fmt: skip
    for name, *rest in found:
        assert rest[-2:] == ["--stack", stack]
        with commands().commands[name].make_context(name, rest) as context:
            assert context.params["stack"] == stack
    assert {words[1] for words in found if words[0] == "phase"} == set(Phase) - {Phase.ROLLED_BACK}
    assert "./cutover" not in re.sub(r"```.*?```", "", page(stack), flags=re.S), "a command is a block to be copied"


@pytest.mark.parametrize("stack", STACKS)
def test_objectives_owners_and_dashboards_are_those_of_the_stack(stack: str) -> None:
    text, found, made = page(stack), settings(stack), platform(stack)
    for objective in made.objectives(stack_of(found)):
        for alert in objective.alerts:
            row = next(line for line in text.splitlines() if f"| {alert.title} |" in line)
            assert row.startswith(f"| {objective.title}: ".replace("|  ", "| "))
            assert f"| {alert.severity} | {alert.owner} | {alert.mitigation.replace('|', chr(92) + '|')} |" in row
    for owner in made.owners:
        assert f"\n- `{owner.name}`, {owner.title}: " in text
    for kind in ("objectives", "operations", "checklist"):
        assert f"({found.grafana.url}/d/{dashboard_uid(found, kind)})" in text


@pytest.mark.parametrize("stack", STACKS)
@pytest.mark.parametrize("phase", [None, *Phase])
def test_no_secret_stands_in_it_whatever_the_phase(stack: str, phase: Phase | None) -> None:
    given = configured(stack, phase and phase.value)
    text = page(stack, given)
    for value in given.secrets.values():
        assert value.get_secret_value() not in text
    assert "made up" not in text


@pytest.mark.parametrize("stack", STACKS)
def test_every_step_that_acts_is_told(stack: str) -> None:
    planned = with_cutover(platform(stack), settings(stack))
    told = [
        text
        for direction in (None, *Direction)
        for _, done in acting(platform(stack), planned, direction)
        for text in done
    ]
    assert len(told) >= len(all_steps(platform(stack), settings(stack)))
    assert all(f"\n  - {text}\n" in page(stack) for text in told)


def places(stack: str, direction: Direction | None, given: Settings | None = None) -> dict[Place, str]:
    planned = with_cutover(platform(stack), given or settings(stack))
    return {place: "\n".join(done) for place, done in acting(platform(stack), planned, direction)}


def test_a_flip_of_sign_in_is_told_in_the_order_of_the_runbook() -> None:
    told = places("prod", Direction.FLIP)
    assert list(told) == [Place.GATES, Place.SESSIONS, Place.PURGE, Place.SWITCH, Place.VERIFY, Place.TOLD]
    assert "End every session of ibiminaprodplacehold" in told[Place.SESSIONS]
    assert (
        "DNS: auth.ibimina.rw leads to refofthenextprojects.supabase.co in place of ibiminaprodplacehold.supabase.co"
        in told[Place.SWITCH]
    )
    assert (
        "Env of ibimina-staff-prod, for later releases: SUPABASE_PROJECT_REF, TRUSTED_COOKIE_SECRET"
        in told[Place.SWITCH]
    )
    assert "Look: a login round trip over auth.ibimina.rw" in told[Place.VERIFY]


def test_a_new_host_of_sign_in_is_told() -> None:
    given = configured("prod")
    before, flip = places("prod", None, given), places("prod", Direction.FLIP, given)
    assert "DNS: signin.ibimina.rw is new, CNAME ibiminanextplacehold.supabase.co, TTL 60" in before[Place.SCHEDULE]
    assert "Env of ibimina-member-prod, for later releases: NEXT_PUBLIC_SUPABASE_URL, " in flip[Place.SWITCH]
    assert 'CDN rule auth-host follows: http.host eq "signin.ibimina.rw"' in flip[Place.PURGE]


def test_env_that_only_next_has_is_told_both_ways() -> None:
    given = configured("prod", "prepared", {"next": WITH_ENV})
    for direction, place in ((Direction.FLIP, Place.SWITCH), (Direction.BACK, Place.BACK)):
        (line,) = [line for line in places("prod", direction, given)[place].splitlines() if "ibimina-staff" in line]
        assert line.endswith(", A, B, C, D")


@pytest.mark.parametrize("stack", STACKS)
def test_a_way_back_pages_first_and_builds_nothing(stack: str) -> None:
    told = places(stack, Direction.BACK)
    assert next(iter(told)) is Place.PAGED
    assert "DNS: " in told[Place.BACK]
    assert "Put the build of " in told[Place.BACK]
    assert "TRUSTED_COOKIE_SECRET" not in told[Place.BACK], "generations only grow"
    assert not any("Build " in done for done in told.values())


def test_the_preparation_lowers_the_ttl_and_makes_next() -> None:
    told = places("prod", None)
    assert "DNS: the TTL of auth.ibimina.rw is 60 in place of 3600" in told[Place.SCHEDULE]
    assert "Build staff v1.0.0 with next's env; it takes no domain" in told[Place.PREPARE]


@pytest.mark.parametrize(("ttl", "wait"), [(60, "65 min"), (3600, "65 min"), (14_400, "4 h 5 min"), (None, "65 min")])
def test_when_the_flip_opens_follows_from_the_ttl(ttl: int | None, wait: str) -> None:
    apps = settings("prod").apps
    reach = apps["auth"].model_copy(update={"ttl": ttl})
    text = page("prod", settings("prod").model_copy(update={"apps": {**apps, "auth": reach}}))
    assert f"{wait} after `prepared`" in " ".join(text.split())


def test_a_flip_of_proxied_names_alone_opens_at_once() -> None:
    given = configured("prod", "prepared", {"next": {"targets": {"staff": "next.vercel-dns.com"}}})
    assert "**When the flip opens.** At once: every name that moves is proxied" in page("prod", given)


def test_the_least_wait_is_the_runbooks_hour_and_a_margin() -> None:
    assert [least_wait(ttl) for ttl in (0, 3600, 3601, 86_400)] == [3900, 3900, 3901, 86_700]


def test_all_that_refuses_has_a_sentence() -> None:
    assert set(runbook_moves.REFUSED) == set(Rule)


LIVE = Live(
    at="2026-12-05 20:10 UTC",
    phase="prepared",
    rows=(("phase", "prepared"), ("staff", "staff.ibimina.rw at cname.vercel-dns.com")),
    opens="2026-12-05 21:05 UTC. It was lowered an hour ago.",
    next="./cutover phase flipped --stack prod",
)


def test_live_values_stand_first_and_where_they_belong() -> None:
    text = page("prod", configured("prod"), LIVE)
    head = text.partition("## 1. ")[0]
    assert "## Now, 2026-12-05 20:10 UTC\n\n- phase: prepared\n- staff: staff.ibimina.rw at" in head
    assert "\nNext: ./cutover phase flipped --stack prod\n" in head
    assert "\n### prepared (the stack is here)\n" in text
    assert text.count("(the stack is here)") == 1
    assert "2026-12-05 21:05 UTC. It was lowered an hour ago." in " ".join(text.split())
    assert "edits are lost" not in text


def test_without_a_flip_ahead_the_way_to_reckon_stands() -> None:
    text = page("prod", configured("prod"), replace(LIVE, opens="", phase="steady"))
    assert "**When the flip opens.** When the authoritative servers have given 60 s" in " ".join(text.split())
    assert "### steady (the stack is here)" in text


def test_what_the_platform_lacks_is_left_out_or_said() -> None:
    text = page("easymo-prod")
    assert "names nobody outside the company" in text
    for absent in ("pulumi config set", "supabase migration revert", "End every session", "login round trip"):
        assert absent not in text
    assert "supabase migration revert --env prod" in page("prod")


@pytest.mark.parametrize("stack", STACKS)
def test_another_release_changes_nothing_but_its_tag(stack: str) -> None:
    found = settings(stack)
    other = found.model_copy(update={"current": found.current.model_copy(update={"release": "v9.9.9"})})
    assert page(stack, other) == page(stack).replace(found.current.release, "v9.9.9")


def test_phases_need_a_cutover() -> None:
    with pytest.raises(ValueError, match="There is no cutover"):
        at(settings("prod"), Phase.FLIPPED)
