"""PromQL rules on promtool: query, threshold and pending period translated to Prometheus rules, as they were emitted.

A query becomes a recording rule and its threshold an alert on what was recorded, as A feeds C in Grafana. The clock
of promtool's tests starts at Thursday, 1970-01-01 00:00 UTC, in every version.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runbook.proving.emitted import Emitted
from runbook.proving.problems import ProofError
from runbook.proving.scenario import Outcome, Scenario, Series
from runbook.proving.states import Found, outcome

OPERATORS = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
ALWAYS = "always"  # fires in every test: without it an answer is no answer
SEVERAL = "several"  # fires when the rule itself, not a mutant, returns more than the one series that it is made for
_TEST = re.compile(r"    name: (\w+),$")
_ALERT = re.compile(r"    alertname: (\w+), time: ")
_ANSWER = re.compile(r"    (name|alertname): | {8}|$")

Table = list[list[Outcome]]  # by variant, then by scenario


class PromtoolFailed(ProofError):
    """promtool could not read or run what it was given, in its words."""


@dataclass(frozen=True)
class Trial:
    """Variants of one rule, itself and its mutants, each to be tried in each scenario. All scenarios are Series."""

    name: str
    variants: Sequence[Emitted]
    scenarios: Sequence[Scenario]

    @property
    def queries(self) -> list[str]:
        """The distinct queries of the variants: most mutants share their rule's."""
        return list(dict.fromkeys(variant.expression for variant in self.variants))


class Promtool:
    """promtool for the length of a with block, which ends what still runs. `folder` keeps what it is given."""

    def __init__(self, program: Path, folder: Path) -> None:
        self._program, self._folder = program, folder
        self._running: set[subprocess.Popen[str]] = set()
        self._over = threading.Event()

    def __enter__(self) -> Promtool:
        self._folder.mkdir(parents=True, exist_ok=True)
        return self

    def __exit__(self, *error: object) -> None:
        self._over.set()
        for process in list(self._running):
            process.terminate()

    def judge(self, trials: Sequence[Trial]) -> list[Table]:
        """What comes of each variant in each scenario: one run per rule, as many at once as there are cores.
        Raises: PromtoolFailed."""
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            answers = [pool.submit(self._judge, trial) for trial in trials]
            try:
                return [answer.result() for answer in answers]
            except PromtoolFailed:
                pool.shutdown(wait=False, cancel_futures=True)
                raise

    def lint(self, queries: Mapping[str, str]) -> str | None:
        """What promtool has to say against PromQL queries, given by name; None when nothing."""
        rules = [{"record": f"query:{number}", "expr": query} for number, query in enumerate(queries.values())]
        file = self._write("lint.json", {"groups": [{"name": "queries", "rules": rules}]})
        code, said = self._run("check", "rules", "--lint-fatal", file)
        for number, name in reversed(list(enumerate(queries))):
            said = said.replace(f"query:{number}", name)
        return said.strip() if code else None

    def _judge(self, trial: Trial) -> Table:
        rules = self._write(f"{trial.name}.rules.json", {"groups": [{"name": trial.name, "rules": _rules(trial)}]})
        files = []
        for interval, numbers in _intervals(trial).items():
            given = {
                "rule_files": [rules.name],
                "evaluation_interval": f"{interval}s",
                "tests": [_test(trial, number) for number in numbers],
            }
            files.append(self._write(f"{trial.name}.{interval}s.json", given))
        _, said = self._run("test", "rules", *files)
        firing = _firing(said)
        for number, scenario in enumerate(trial.scenarios):
            if (f"scenario_{number}", ALWAYS) not in firing:
                why = " ".join(line for line in said.splitlines() if not _ANSWER.match(line))
                raise PromtoolFailed(f"promtool did not run {trial.name}, {scenario.title}: {why}")
            if (f"scenario_{number}", SEVERAL) in firing:
                raise PromtoolFailed(
                    f"{trial.name} returns several series in {scenario.title}: an alert is to judge one."
                )
        return [
            [_outcome(trial, row, column, firing) for column in range(len(trial.scenarios))]
            for row in range(len(trial.variants))
        ]

    def _run(self, *arguments: str | Path) -> tuple[int, str]:
        """Exit code, and all that was said."""
        if self._over.is_set():
            raise PromtoolFailed("promtool was ended before it was done.")
        command = [self._program, *arguments]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
            self._running.add(process)
            if self._over.is_set():  # between the check above and the start
                process.terminate()
            said, _ = process.communicate()
            self._running.discard(process)
        return process.returncode, said

    def _write(self, name: str, content: object) -> Path:
        """promtool reads YAML, of which JSON is a part."""
        file = self._folder / name
        file.write_text(json.dumps(content, indent=1), encoding="utf-8")
        return file


def _rules(trial: Trial) -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = [{"alert": ALWAYS, "expr": "vector(1)"}]
    for number, query in enumerate(trial.queries):
        made.append({"record": f"value_{number}", "expr": query})
        made.append({"alert": f"data_{number}", "expr": f"count(value_{number})"})
    made.append({"alert": SEVERAL, "expr": "count(value_0) > 1"})
    for number, variant in enumerate(trial.variants):
        value = f"value_{trial.queries.index(variant.expression)}"
        made.append(
            {
                "alert": f"breach_{number}",
                "expr": f"{value} {OPERATORS[variant.comparator]} {variant.threshold}",
                "for": f"{variant.for_.total_seconds():.0f}s",
            }
        )
    return made


def _test(trial: Trial, number: int) -> dict[str, Any]:
    """A test that expects no alert at all, so that promtool names every alert that fires."""
    series = _series(trial.scenarios[number])
    names = [rule["alert"] for rule in _rules(trial) if "alert" in rule]
    at = f"{series.at.total_seconds():.0f}s"
    return {
        "name": f"scenario_{number}",
        "interval": f"{series.step.total_seconds():.0f}s",
        "input_series": [{"series": name, "values": values} for name, values in series.samples.items()],
        "alert_rule_test": [{"eval_time": at, "alertname": name, "exp_alerts": []} for name in names],
    }


def _intervals(trial: Trial) -> dict[int, list[int]]:
    """Numbers of scenarios by the seconds between evaluations: Grafana's where a pending period counts, else one in
    the beginning and one when it is looked at, for each may read weeks."""
    waiting = any(variant.for_ for variant in trial.variants)
    found: dict[int, list[int]] = {}
    for number, scenario in enumerate(trial.scenarios):
        interval = trial.variants[0].interval if waiting else _series(scenario).at
        found.setdefault(int(interval.total_seconds()), []).append(number)
    return found


def _firing(said: str) -> set[tuple[str, str]]:
    """Test and alert of each alert that promtool found firing."""
    firing, test = set(), ""
    for line in said.splitlines():
        if found := _TEST.match(line):
            test = found[1]
        elif found := _ALERT.match(line):
            firing.add((test, found[1]))
    return firing


def _outcome(trial: Trial, row: int, column: int, firing: set[tuple[str, str]]) -> Outcome:
    variant, scenario = trial.variants[row], trial.scenarios[column]
    test = f"scenario_{column}"
    if (test, f"data_{trial.queries.index(variant.expression)}") in firing:
        return "fires" if (test, f"breach_{row}") in firing else "silent"
    return outcome(variant, Found.NO_DATA, scenario.held)


def _series(scenario: Scenario) -> Series:
    assert isinstance(scenario.data, Series)
    return scenario.data
