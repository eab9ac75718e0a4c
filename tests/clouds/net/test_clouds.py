"""All front ends start together, are found by one description, and leave nothing behind."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from runbook.rehearsal.clouds import Clouds
from runbook.rehearsal.clouds.faults import Hang
from runbook.steps.reach import Reach
from tests.clouds.net.scene import AUTH, OLD, STAFF, Scene, keys_of

_PROGRAM = """
import sys, time
from pathlib import Path
from runbook.rehearsal.clouds import Clouds
with Clouds(Path(sys.argv[1]), ["ibimina.rw"]) as clouds:
    clouds.reach()
    print(clouds.world.internet.certificates.path, flush=True)
    time.sleep(60)
"""


def _sockets() -> int:
    """How many are open in this process."""
    found = 0
    for each in os.listdir("/dev/fd"):
        with contextlib.suppress(OSError):  # the one that listed them
            found += stat.S_ISSOCK(os.fstat(int(each)).st_mode)
    return found


def test_the_engine_can_attach_before_anything_else_is_started(tmp_path: Path) -> None:
    with Clouds(tmp_path / "store.db", ["ibimina.rw"]) as clouds:
        assert "cloudflare:" in clouds.env()["PULUMI_DEBUG_PROVIDERS"]
        assert "stand-in internet" not in {each.name for each in threading.enumerate()}
        clouds.reach()
        assert "stand-in internet" in {each.name for each in threading.enumerate()}


def test_the_stacks_endpoints_say_the_same_as_what_steps_are_given(scene: Scene) -> None:
    reach, endpoints = scene.clouds.reach(), scene.clouds.endpoints()
    assert Reach.of(reach.as_json()) == reach
    vendors = {"cloudflare", "vercel", "supabase", "slack", "pagerduty", "grafana", "loki"}
    assert reach.apis.keys() == vendors
    assert {name: endpoints[name] for name in vendors} == reach.apis
    rest = {name: value for name, value in endpoints.items() if name not in {*vendors, "out"}}
    assert rest == {
        "resolver": reach.resolver, "httpsPort": reach.https_port, "ca": reach.ca, "clock": reach.clock,
    }  # fmt: skip


def test_steps_read_the_clock_that_was_moved(scene: Scene) -> None:
    night = datetime(2027, 3, 1, 22, 0, tzinfo=UTC)
    scene.clock.set(night)
    assert night <= scene.clouds.reach().now() < night + timedelta(seconds=5)


def test_a_client_sees_the_answer_of_dns_and_of_the_host(scene: Scene) -> None:
    view = scene.clouds.client_view(AUTH, "/auth/v1/.well-known/jwks.json")
    target = f"{OLD}.supabase.co"
    answers = [f"{AUTH} CNAME {target}", f"{target} A {scene.address(target)}"]
    assert view["dns"] == {"answers": answers, "ttl": 3600}
    assert (view["status"], view["body"], view["failure"]) == (200, keys_of(OLD), None)
    scene.change_record(AUTH, content="gone.ibimina.rw")
    assert scene.clouds.client_view(AUTH, "/")["failure"] == "DNS answers NXDOMAIN without an address"


def test_nothing_is_left_behind_even_by_requests_that_hang(tmp_path: Path) -> None:
    scene = Scene(tmp_path / "store.db")
    sockets = _sockets()
    with scene.clouds:
        of_the_engine = set(threading.enumerate())
        scene.faults.down(STAFF, how=Hang())
        scene.faults.down("slack", how=Hang())
        with pytest.raises(httpx.ReadTimeout):
            scene.send("GET", STAFF, "/api/healthz", timeout=0.2)
        with pytest.raises(httpx.ReadTimeout):
            httpx.post(f"{scene.clouds.reach().apis['slack']}/chat.postMessage", trust_env=False, timeout=0.2)
        authority = scene.clouds.world.internet.certificates.path
        assert authority.exists()
        idle = socket.create_connection((scene.address(STAFF), scene.clouds.reach().https_port))
        begun = time.monotonic()
    assert time.monotonic() - begun < 3
    idle.close()
    assert not authority.exists()
    while (left := set(threading.enumerate()) - of_the_engine) and time.monotonic() - begun < 3:
        time.sleep(0.01)
    assert left == set()
    assert _sockets() <= sockets


def test_two_rehearsals_run_side_by_side(scene: Scene, tmp_path: Path) -> None:
    with Scene(tmp_path / "other.db").clouds as other:
        assert other.reach().resolver != scene.clouds.reach().resolver
        assert other.client_view(STAFF, "/api/healthz")["status"] == 200
    assert scene.clouds.client_view(STAFF, "/api/healthz")["status"] == 200


def test_ctrl_c_ends_it_at_once(tmp_path: Path) -> None:
    command = [sys.executable, "-c", _PROGRAM, str(tmp_path / "store.db")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        authority = Path(process.stdout.readline().strip())
        assert authority.exists()
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=10) == -signal.SIGINT
        assert process.stderr is not None
        assert process.stderr.read().strip().endswith("KeyboardInterrupt")
    assert not authority.exists()
