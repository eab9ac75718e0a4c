"""Where Prometheus defines the same as Grafana, both go the same way: pending, firing, kept firing, resolved."""

from __future__ import annotations

import json
import random
import re
import subprocess
from datetime import timedelta
from pathlib import Path

from runbook.proving.engines import Engines
from runbook.proving.states import Found, Handling, State, run

MINUTE = timedelta(minutes=1)
LENGTH = 40
PENDING, KEEPING = (0, 1, 3), (0, 2)


def test_states_are_those_of_prometheus(programs: Engines, tmp_path: Path) -> None:
    chance = random.Random(20)
    worlds = [[chance.random() < share for _ in range(LENGTH)] for share in (0.3, 0.5, 0.8, 0.95) for _ in range(5)]
    cases = [(number, wait, keep) for number in range(len(worlds)) for wait in PENDING for keep in KEEPING]
    firing, pending = on_promtool(programs.promtool, worlds, cases, tmp_path)
    for number, wait, keep in cases:
        handling = Handling(wait * MINUTE, "NoData", "Error", keep * MINUTE)
        found = [Found.BREACH if breach else Found.FINE for breach in worlds[number]]
        states = run(handling, ((minute * MINUTE, each) for minute, each in enumerate(found)))
        name = f"a{number}_{wait}_{keep}"
        raised = (State.ALERTING, State.RECOVERING)
        assert firing.get(name, set()) == {minute for minute, each in enumerate(states) if each in raised}
        assert pending.get(name, set()) == {minute for minute, each in enumerate(states) if each is State.PENDING}
    assert firing
    assert pending


def on_promtool(
    promtool: Path, worlds: list[list[bool]], cases: list[tuple[int, int, int]], folder: Path
) -> tuple[dict[str, set[int]], dict[str, set[int]]]:
    """Minutes in which each alert fires, and in which it is pending, as a Prometheus evaluates it each minute."""
    rules: list[dict[str, str]] = []
    for number, wait, keep in cases:
        name = f"a{number}_{wait}_{keep}"
        rules.append(
            {"alert": name, "expr": f"x{number} > 0", "for": f"{wait}m"}
            | ({"keep_firing_for": f"{keep}m"} if keep else {})
        )
        rules.append({"alert": f"p_{name}", "expr": f'ALERTS{{alertname="{name}",alertstate="pending"}}'})
    asked = [
        {"eval_time": f"{minute}m", "alertname": rule["alert"], "exp_alerts": []}
        for minute in range(LENGTH)
        for rule in rules
    ]
    series = [
        {"series": f"x{n}", "values": " ".join(str(int(each)) for each in world)} for n, world in enumerate(worlds)
    ]
    (folder / "rules.json").write_text(json.dumps({"groups": [{"name": "states", "rules": rules}]}))
    test = {"interval": "1m", "input_series": series, "alert_rule_test": asked}
    (folder / "tests.json").write_text(
        json.dumps({"rule_files": ["rules.json"], "evaluation_interval": "1m", "tests": [test]})
    )
    ran = subprocess.run(
        [promtool, "test", "rules", folder / "tests.json"], capture_output=True, text=True, check=False
    )
    found: tuple[dict[str, set[int]], dict[str, set[int]]] = ({}, {})
    for wait_, name, minute in re.findall(r"alertname: (p_)?(\w+), time: (\d+)[ms]", ran.stdout + ran.stderr):
        found[bool(wait_)].setdefault(name, set()).add(int(minute))
    return found
