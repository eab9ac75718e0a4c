"""The steps as they are act on the stand-in vendors, and acting again finds nothing left to do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from runbook.rehearsal.clouds.web import release
from runbook.rehearsal.clouds.web.auth_state import sign_in
from runbook.rehearsal.clouds.web.deployments import DEPLOYMENT
from runbook.steps import cloudflare, grafana, pagerduty, slack, supabase, vercel
from runbook.steps.call import Call, StepError
from runbook.steps.reach import Reach
from tests.clouds.web.test_supabase import challenge
from tests.clouds.web.world import REF, TOKEN, World

NAMES = ["CLOUDFLARE_API_TOKEN", "VERCEL_API_TOKEN", "SUPABASE_ACCESS_TOKEN", "SLACK_BOT_TOKEN", "GRAFANA_AUTH"]
SECRETS = dict.fromkeys(NAMES, TOKEN) | {"PAGERDUTY_ROUTING_KEY": TOKEN[:32]}
VERCEL: dict[str, Any] = {"team": "ibimina", "project_id": "prj_1"}
BUILD = VERCEL | {
    "project": "ibimina-staff", "app": "staff", "release": "v2", "repository": "ibimina/app",
    "env": {"SITE": "https://next.ibimina.rw"}, "generation": 2,
}  # fmt: skip
Act = Callable[[Call], dict[str, Any]]


class Acting:
    """Steps in a world whose clock goes on by itself, as the machine's does."""

    def __init__(self, world: World) -> None:
        base = f"http://127.0.0.1:{world.web.port}"
        vendors = ("cloudflare", "vercel", "supabase", "slack", "pagerduty", "grafana", "loki")
        self.reach = Reach({name: f"{base}/{name}" for name in vendors}, clock=f"{base}/clock")

    def act(
        self,
        step: Act,
        args: Mapping[str, Any],
        read: Mapping[str, Any] | None = None,
        trigger: str = "1-flip",
        env: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        return step(Call("step", trigger, args, SECRETS | dict(env or {}), self.reach, read or {}))


@pytest.fixture
def acting(world: World, monkeypatch: pytest.MonkeyPatch) -> Acting:
    # Between two looks a step waits; here the clock moves instead.
    monkeypatch.setattr("time.sleep", lambda seconds: world.clock.move(seconds=seconds))
    return Acting(world)


def test_build_promote_roll_back_and_reassign(world: World, acting: Acting) -> None:
    world.project()
    before = release(world.store, "ibimina-staff", "v1", world.clock.now()).id

    made = acting.act(vercel.build, BUILD, env={"env:COOKIE_SECRET": "rotated"})
    again = acting.act(vercel.build, BUILD, env={"env:COOKIE_SECRET": "rotated"})
    assert (made["already"], again["already"], again["deployment"]) == (False, True, made["deployment"])
    held = world.store.get("vercel", DEPLOYMENT, made["deployment"])
    assert held is not None
    assert held.properties["env"] == {"COOKIE_SECRET": "rotated", "SITE": "https://next.ibimina.rw"}

    read = {"build": made}
    done = acting.act(vercel.promote, VERCEL, read)
    assert (done["was"], done["deployment"], world.served()) == (before, made["deployment"], made["deployment"])
    assert acting.act(vercel.promote, VERCEL, read)["already"] is True

    back = VERCEL | {"deployment": before}
    assert acting.act(vercel.roll_back, back, read)["deployment"] == before == world.served()
    assert acting.act(vercel.roll_back, back, read)["already"] is True
    lock = {"team": "ibimina", "projects": {"staff": "prj_1"}}
    assert acting.act(vercel.lock, lock)["staff"]["assigns_domains"] is False

    assert acting.act(vercel.reassign, VERCEL)["already"] is False
    assert acting.act(vercel.reassign, VERCEL)["already"] is True
    assert acting.act(vercel.lock, lock)["staff"]["assigns_domains"] is True
    outside = release(world.store, "ibimina-staff", "v3", world.clock.now()).id
    assert acting.act(vercel.roll_back, back, read)["left_alone"] is True
    assert world.served() == outside


def test_sessions_settings_host_name_and_function(world: World, acting: Acting, tmp_path: Path) -> None:
    sign_in(world.store, REF, "a@ibimina.rw", world.clock.now())
    assert acting.act(supabase.end_sessions, {"ref": REF})["sessions"] == 1
    assert acting.act(supabase.end_sessions, {"ref": REF})["sessions"] == 0

    refs = {"refs": {REF: {"site_url": "https://app.ibimina.rw", "uri_allow_list": ["https://app.ibimina.rw/**"]}}}
    assert acting.act(supabase.auth_settings, refs)[REF]["changed"] == ["site_url", "uri_allow_list"]
    assert acting.act(supabase.auth_settings, refs)[REF]["already"] is True

    host = {"ref": REF, "host": "auth.ibimina.rw"}
    with pytest.raises(StepError, match="not verified yet"):
        acting.act(supabase.custom_hostname, host)
    challenge(world, "auth.ibimina.rw")
    assert acting.act(supabase.custom_hostname, host)["status"] == "5_services_reconfigured"
    assert acting.act(supabase.custom_hostname, host)["already"] is True

    (tmp_path / "index.ts").write_text("Deno.serve(() => new Response())")
    function = {"ref": REF, "slug": "metrics-exporter", "source": str(tmp_path / "index.ts"), "tag": "v2"}
    versions = [acting.act(supabase.deploy_function, function)["version"] for _ in range(2)]
    assert versions == [1, 2]


def test_reminder_message_page_mark_and_purge(world: World, acting: Acting) -> None:
    at = world.clock.now() + timedelta(days=2)
    remind = {
        "channel": "#ops-alerts", "text": "tomorrow", "marker": "ibimina-prod 1",
        "at": at.isoformat(), "until": (at + timedelta(days=1)).isoformat(),
    }  # fmt: skip
    first = acting.act(slack.remind, remind)
    assert acting.act(slack.remind, remind)["scheduled"] == first["scheduled"]
    moved = acting.act(slack.remind, remind | {"at": (at + timedelta(hours=1)).isoformat()})
    assert [one.id for one in world.store.find("slack", "scheduled")] == [moved["scheduled"]]
    assert acting.act(slack.remind, remind, trigger="")["deleted"] == [moved["scheduled"]]
    world.clock.move(days=2, hours=12)
    assert "sent" in acting.act(slack.remind, remind)
    assert "ts" in acting.act(slack.announce, {"channel": "#ops-alerts", "text": "flipped"})
    assert len(world.store.find("slack", "message")) == 2

    page: dict[str, Any] = {"summary": "back", "source": "ibimina-prod", "severity": "critical"}
    page |= {"dedup_key": "2-back", "custom_details": {}}
    assert acting.act(pagerduty.page, page) == acting.act(pagerduty.page, page)
    assert len(world.store.find("pagerduty", "alert")) == 1

    mark = {"text": "flip", "tags": ["cutover"]}
    assert [acting.act(grafana.annotate, mark)["already"] for _ in range(2)] == [False, True]

    purge = {"zone_id": world.zone(), "hosts": ["staff.ibimina.rw"]}
    assert acting.act(cloudflare.purge, purge)["id"] == purge["zone_id"]
