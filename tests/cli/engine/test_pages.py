"""`runbook` and `signals` on the real engine, which opens the stack's secrets for them."""

from __future__ import annotations

import json
import ssl
from pathlib import Path
from typing import Any

import trustme

from tests.cli.engine.ground import Ground, cutover_block, ground
from tests.cli.stores import USER, stores

REF = "vercel_production_deployment_info"


def test_the_runbook_and_the_signals_of_a_stack(tmp_path: Path) -> None:
    with ground(tmp_path / "ground") as made:
        _runbook(made)
        _signals(made, tmp_path)


def _runbook(made: Ground) -> None:
    made.config.write(cutover=cutover_block(made, "prepared"))
    done = made.run("runbook")
    assert done.returncode == 0, done.stderr
    told = " ".join(done.stdout.split())
    assert "- phase: none: no update has been made; the stack file asks for prepared" in told
    assert "Pulumi.prod.yaml holds this under `config`:" in told
    assert "DNS: auth.ibimina.rw leads to " in told
    assert not [name for name, value in made.file.secrets.items() if value in done.stdout]


def _signals(made: Ground, folder: Path) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(tls)

    def holds(store: str, query: str) -> Any:
        return None if REF in query else 1

    token = made.file.secrets["PROMETHEUS_TOKEN"]
    with stores(holds, tls, {token, made.file.secrets["LOKI_TOKEN"]}) as running:
        grafana, endpoints = made.config.section("grafana"), made.config.section("endpoints")
        there = f"https://localhost:{running.port}"
        made.config.write(
            grafana={
                **grafana,
                "prometheus": {"url": f"{there}/api/prom", "user": USER},
                "loki": {"url": there, "user": USER},
                "postgres": {**grafana["postgres"], "host": "db.invalid"},
            },
            endpoints={**endpoints, "ca": str(folder / "ca.pem")},
        )
        done = made.run("signals", "--json")
        shown = made.run("signals")
    found = json.loads(done.stdout)
    assert (done.returncode, shown.returncode) == (1, 1)
    assert [each["places"] for each in found["empty"]] == [["panel Apps on the release tag and green"]]
    assert {each["source"] for each in found["failed"]} == {"PostgreSQL"}
    assert found["unseen"] == [REF]
    assert set(found["first_seen"]) == {"auth log lines", "app log lines", "any log lines"}
    assert token not in done.stdout + done.stderr + shown.stdout + shown.stderr
