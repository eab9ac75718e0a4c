"""The page of the way back, run as it stands by a shell and curl, after a flip of the stand-in clouds.

What is flipped here is put into the store and asked of the stand-ins directly: the page has to work without Pulumi.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from runbook.model.cutover.ledger import Memory, to_observe
from runbook.model.cutover.observed import Observed
from runbook.model.cutover.way_back import page
from runbook.model.serving import hosts, records, webs
from runbook.model.settings import Settings
from runbook.rehearsal.clouds import Clouds
from runbook.rehearsal.clouds.cloudflare import RECORD, ZONE
from runbook.rehearsal.clouds.store import Held
from runbook.rehearsal.clouds.vercel import DOMAIN, PROJECT, VARIABLE
from runbook.rehearsal.clouds.web import auth_state, deployments, release, tokens
from runbook.rehearsal.clouds.web.cloudflare import PURGE
from runbook.steps.observe import observe
from tests.model.cutover.papers import NEW_AUTH, NEW_HOST, NEW_REF, OLD_AUTH, OLD_REF, SAME_HOST, cutover, settings
from tests.stacks import platform

IBIMINA = platform("prod")
TOKENS = ("CLOUDFLARE_API_TOKEN", "VERCEL_API_TOKEN", "SUPABASE_ACCESS_TOKEN")
SH = re.compile(r"^```sh\n(.*?)^```$", re.M | re.S)
APPS = ("staff", "member")


class Night:
    """Ibimina prod on stand-in clouds, prepared for one cutover."""

    def __init__(self, folder: Path, next: dict[str, Any]) -> None:
        self.folder, self._next = folder, next
        self.clouds = Clouds(folder / "store.db", ["ibimina.rw"])
        self.store = self.clouds.store

    def prepare(self) -> None:
        ends = self.clouds.endpoints()
        self.prepared = settings(cutover(self._next), endpoints=ends)
        self.flipped = settings(cutover(self._next, phase="flipped"), endpoints=ends)
        self.zone = self.store.find("cloudflare", ZONE)[0].id
        for vendor, name in zip(("cloudflare", "vercel", "supabase"), TOKENS, strict=True):
            tokens.accept(self.store, vendor, self.secret(name))
        self.declare(self.prepared)
        for ref in (OLD_REF, NEW_REF):
            auth_state.add_project(self.store, ref)
        self.custom_hostname(OLD_REF, OLD_AUTH, auth_state.ACTIVE)
        self.custom_hostname(NEW_REF, self.flipped.side.auth_host or "", auth_state.ACTIVE)
        self.before = {app: release(self.store, f"ibimina-{app}-prod", "v1.0.0", self.now).id for app in APPS}
        self.next = {app: self.build(app) for app in APPS}

    @property
    def now(self) -> Any:
        return self.clouds.clock.now()

    def secret(self, name: str) -> str:
        return self.prepared.secrets[name].get_secret_value()

    def declare(self, side: Settings) -> None:
        """What Pulumi would make so: records, projects, domains and env. Nothing is taken away."""
        for each in records(IBIMINA, side):
            values = {"name": each.name, "type": each.type, "content": each.content, "ttl": each.ttl}
            held = self.store.find("cloudflare", RECORD, name=each.name)
            id = held[0].id if held else f"record-{each.key}"
            more = {"zoneId": self.zone, "proxied": each.proxied, "modifiedOn": f"{self.now:%Y-%m-%dT%H:%M:%SZ}"}
            self.store.put(Held("cloudflare", RECORD, id, values | more))
        for web in webs(IBIMINA, side):
            id = f"prj_{web.app}"
            self.store.put(Held("vercel", PROJECT, id, {"name": web.project, "teamId": "team_standin"}))
            self.store.put(Held("vercel", DOMAIN, web.host, {"domain": web.host, "projectId": id}))
            for one in web.env:
                value = one.value if isinstance(one.value, str) else one.value.get_secret_value()
                values = {"projectId": id, "key": one.key, "value": value, "targets": ["production"]}
                held_variable = Held(
                    "vercel", VARIABLE, f"{web.app}/{one.key}", values | {"sensitive": one.sensitive}
                )
                self.store.put(held_variable)

    def custom_hostname(self, ref: str, host: str, status: str) -> None:
        self.store.put(Held("supabase", auth_state.HOSTNAME, ref, {"custom_hostname": host, "status": status}))

    def build(self, app: str) -> str:
        project = self.store.find("vercel", PROJECT, name=f"ibimina-{app}-prod")[0]
        values: dict[str, Any] = {"release": "v1.1.0", "target": "production", "meta": {}, "env": {}}
        made = deployments.build(self.store, project, self.now, auto_assign=False, **values)
        deployments.catch_up(self.store, self.now)
        return made.id

    def flip(self, *apps: str) -> None:
        """DNS, env and Supabase become next's, and the next build of these apps is promoted."""
        self.declare(self.flipped)
        if self.flipped.side.auth_host == OLD_AUTH:  # the new project has taken the host name over
            self.custom_hostname(OLD_REF, OLD_AUTH, "initiated")
        for app in apps:
            deployments.request_alias(self.store, f"prj_{app}", self.next[app], "promote", self.now)
        self.wait()

    def wait(self) -> None:
        self.clouds.clock.move(timedelta(minutes=2))
        deployments.catch_up(self.store, self.now)

    def observed(self) -> Observed:
        wanted = to_observe(IBIMINA, self.prepared, Memory())
        assert wanted is not None
        seen = observe(wanted, {name: self.secret(name) for name in TOKENS} | {"VERCEL_TEAM": "ibimina"}, self.reach)
        assert seen.failures == {}
        return seen

    @property
    def reach(self) -> Any:
        return self.clouds.reach()

    def paper(self) -> str:
        return page(IBIMINA, self.prepared, self.observed(), self.zone)

    def records(self) -> dict[str, dict[str, Any]]:
        """By id, all but when they were changed and what Cloudflare reckons from the rest."""
        kept = ("zoneId", "name", "type", "content", "ttl", "proxied")
        found = self.store.find("cloudflare", RECORD)
        return {one.id: {name: one.properties[name] for name in kept} for one in found}

    def serving(self) -> dict[str, str | None]:
        return {app: deployments.production(self.store, f"prj_{app}")["deployment"] for app in APPS}

    def clients(self) -> dict[str, Any]:
        """What people see at every host that served before the flip."""
        names = hosts(IBIMINA, self.prepared)
        return {app.name: self.clouds.client_view(names[app.name], app.health) for app in IBIMINA.apps}

    def run(self, blocks: list[str], **env: str) -> subprocess.CompletedProcess[str]:
        """As a person would: the blocks one after the other in one shell, which ends at the first that fails. Every
        command line of curl is noted, and the hosts are found as the stand-in DNS names them now."""
        names = hosts(IBIMINA, self.prepared).values()
        port = self.reach.https_port
        ports = [f'connect-to = "{name}:{port}:{self.address(name)}:{port}"\n' for name in names]
        (self.folder / ".curlrc").write_text("".join(ports), encoding="utf-8")
        curl = self.folder / "curl"
        curl.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" >> {self.lines}\nexec {shutil.which("curl")} "$@"\n')
        curl.chmod(0o755)
        held = {name: self.secret(name) for name in TOKENS} | env
        plain = {
            "PATH": f"{self.folder}:{os.environ['PATH']}",
            "HOME": str(self.folder),
            "CURL_HOME": str(self.folder),
        }
        script = "\n".join(blocks)
        return subprocess.run(
            ["sh", "-eu"], input=script, text=True, capture_output=True, env=plain | held, timeout=60, check=False
        )

    @property
    def lines(self) -> Path:
        return self.folder / "command-lines"

    def address(self, host: str) -> str:
        """Where clients that keep nothing are led now."""
        answers: list[str] = self.clouds.client_view(host, "/")["dns"]["answers"]
        return answers[-1].rpartition(" ")[2]

    def follow(self, paper: str) -> str:
        """All blocks of the page; the last, which looks at the hosts, once domains and DNS have had their time."""
        first, *acting, looking = SH.findall(paper)
        acted = self.run([first, *acting])
        assert acted.returncode == 0, acted.stderr + acted.stdout
        self.wait()
        looked = self.run([first, looking])
        assert looked.returncode == 0, looked.stderr + looked.stdout
        return acted.stdout + looked.stdout


@pytest.fixture(params=[SAME_HOST, NEW_HOST], ids=["same auth host", "new auth host"])
def night(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Night]:
    night = Night(tmp_path, request.param)
    with night.clouds:
        night.prepare()
        yield night


def test_the_page_alone_puts_everything_back_and_once_more_changes_nothing(night: Night) -> None:
    paper, dns, clients = night.paper(), night.records(), night.clients()
    assert night.serving() == night.before
    night.flip(*APPS)
    assert night.serving() == night.next
    assert night.clients() != clients

    said = night.follow(paper)

    assert {id: each for id, each in night.records().items() if id in dns} == dns
    assert night.serving() == night.before
    assert night.clients() == clients
    answers = night.store.get("supabase", auth_state.HOSTNAME, OLD_REF)
    assert answers is not None
    assert answers.properties == {"custom_hostname": OLD_AUTH, "status": auth_state.ACTIVE}
    assert [one.properties["hosts"] for one in night.store.find("cloudflare", PURGE)] == [
        ["app.ibimina.rw", "staff.ibimina.rw"]
    ]
    for app in APPS:
        assert night.before[app] in said, "the check shows which build answers"

    held = night.records()
    night.follow(paper)
    assert (night.records(), night.serving(), night.clients()) == (held, night.before, clients)


def test_a_half_finished_flip_goes_back_by_the_page_that_is_written_when_it_goes_on(night: Night) -> None:
    dns, clients = night.records(), night.clients()
    night.flip("staff")  # the member app's next build was not promoted
    paper = page(IBIMINA, night.flipped, night.observed(), night.zone, night.before)
    night.follow(paper)
    assert {id: each for id, each in night.records().items() if id in dns} == dns
    assert night.serving() == night.before
    assert night.clients() == clients


def test_the_page_says_what_a_vendor_refuses_and_stops(night: Night) -> None:
    paper = night.paper()
    night.flip(*APPS)
    wrong = night.run(SH.findall(paper), VERCEL_API_TOKEN="0" * 24)
    assert wrong.returncode != 0
    assert "Not authorized" in wrong.stdout
    assert "403 http://127.0.0.1:" in wrong.stdout
    assert night.serving() == night.next
    assert night.records()[f"record-{OLD_AUTH}"]["content"] == f"{OLD_REF}.supabase.co", (
        "DNS does not wait for Vercel"
    )


def test_without_a_token_nothing_is_sent(night: Night) -> None:
    paper = night.paper()
    calls = night.store.calls()
    done = night.run(SH.findall(paper), VERCEL_API_TOKEN="")
    assert done.returncode != 0
    assert "VERCEL_API_TOKEN: is not set" in done.stderr
    assert night.store.calls() == calls


def test_no_token_stands_on_a_command_line_or_in_what_is_shown(night: Night) -> None:
    night.flip(*APPS)
    said = night.follow(page(IBIMINA, night.flipped, night.observed(), night.zone, night.before))
    lines = night.lines.read_text(encoding="utf-8")
    assert "rollback" in lines
    for name, secret in night.prepared.secrets.items():
        assert secret.get_secret_value() not in lines + said, name


def test_a_new_auth_host_stays(tmp_path: Path) -> None:
    night = Night(tmp_path, NEW_HOST)
    with night.clouds:
        night.prepare()
        paper = night.paper()
        night.flip(*APPS)
        there = night.clouds.client_view(NEW_AUTH, "/auth/v1/.well-known/jwks.json")
        night.follow(paper)
        assert there["status"] == 200
        assert night.clouds.client_view(NEW_AUTH, "/auth/v1/.well-known/jwks.json") == there
