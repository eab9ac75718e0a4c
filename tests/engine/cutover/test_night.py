"""The command of docs/rollback-at-night.md, as the page has it, with a vendor down."""

from __future__ import annotations

import shlex
from collections.abc import Callable

from runbook.rehearsal.clouds.cloudflare import RECORD
from tests.docs.commands import commands
from tests.engine.cutover.play import STACK, TARGET, Play

At = Callable[[str], Play]
MOVED = ("staff.ibimina.rw", "app.ibimina.rw")


def options() -> list[str]:
    """Beside those of every `up` of a play, which the page has to have too."""
    (words,) = (
        shlex.split(each.text) for each in commands("docs/rollback-at-night.md") if each.text.startswith("pulumi up ")
    )
    assert {"--yes", "--skip-preview", STACK} <= {*words}
    return [word for word in words[2:] if word not in ("--yes", "--skip-preview", "--stack", STACK)]


def targets(play: Play) -> dict[str, str]:
    found = play.clouds.store.find("cloudflare", RECORD)
    contents = {str(one.properties["name"]): str(one.properties["content"]) for one in found}
    return {name: contents[name] for name in MOVED}


def test_with_cloudflare_down_the_builds_go_back_by_the_documented_command(at: At) -> None:
    """Without --continue-on-error the first record that fails keeps the engine from what it has not begun."""
    play = at("flipped")
    builds = (play.kept().ledger or {})["builds"]
    play.clouds.faults.down("cloudflare")
    play.ask("rolled-back")
    assert play.up(*options()).code == 1
    steps = play.kept().steps
    assert {app: steps[f"promote-{app}"]["evidence"]["deployment"] for app in builds} == builds
    assert {steps[f"promote-{app}"]["acted"] for app in builds} == {"2-back"}

    play.clouds.faults.up("cloudflare")
    assert play.up(*options()).code == 0
    assert targets(play) == dict.fromkeys(MOVED, TARGET)


def test_with_all_others_down_names_go_back_by_the_documented_command(at: At) -> None:
    play = at("flipped")
    for vendor in ("vercel", "grafana", "supabase", "slack", "pagerduty", "loki"):
        play.clouds.faults.down(vendor)
    play.ask("rolled-back")
    assert play.up(*options()).code == 1
    assert targets(play) == dict.fromkeys(MOVED, TARGET)
