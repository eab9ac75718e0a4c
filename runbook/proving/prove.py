"""All there is to prove of some stacks, on the programs of the data sources and of Alertmanager."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Protocol

from runbook.model.signals import Source
from runbook.proving import loki, postgres, routes
from runbook.proving.engines import Engines
from runbook.proving.equivalents import stale
from runbook.proving.mutation import Mutant
from runbook.proving.panels import promql_of_panels
from runbook.proving.prometheus import Promtool, Table
from runbook.proving.proof import Case, cases, completed, concluded, evaluated, trial
from runbook.proving.result import Result
from runbook.proving.scenarios import scenarios
from runbook.proving.stacks import Stack

Tables = dict[str, Table]  # by the rule's uid


class Say(Protocol):
    def __call__(self, done: str) -> None: ...


def prove(stacks: Sequence[Stack], engines: Engines, folder: Path, say: Say) -> Result:
    """`folder` keeps what promtool is given; `say` hears of each part that is done. Raises: ProofError, NotReadable,
    PlatformError, AlertmanagerFailed, and NotStarted of a server."""
    began = time.monotonic()
    made = [case for stack in stacks for case in cases(stack, scenarios(stack.platform.name))]
    asked = {case.rule.uid: case.rule.expression for case in _on(Source.PROMETHEUS, made)}
    queries = asked | promql_of_panels(stacks)
    mutants, worlds = sum(len(case.mutants) for case in made), sum(len(case.scenarios) for case in made)
    say(f"{len(made)} rules, {mutants} mutants of them and {worlds} scenarios: about two minutes")
    # The executor waits for its thread, which waits for promtool: so promtool has to be ended first.
    with ThreadPoolExecutor(1) as beside, Promtool(engines.promtool, folder) as promtool:
        promql = beside.submit(_promql, _on(Source.PROMETHEUS, made), promtool, say)
        tables, version = _servers(made, engines, say)
        tables |= promql.result()
        lint = promtool.lint(queries)
        say(f"promtool checked {len(queries)} PromQL queries of rules and panels")
    routed = _routed(stacks, made, engines)
    say(f"Alertmanager and amtool sent {len(routed.routes)} alerts")
    killed = {stack: iter(all_killed) for stack, all_killed in routed.killed.items()}
    return Result(
        rules=[concluded(case, tables[case.rule.uid], _next(killed[case.stack], case)) for case in made],
        routes=routed.routes,
        wrong_minutes=routed.wrong_minutes,
        linted=len(queries),
        lint=lint,
        stale=stale(mutant for case in made for mutant in (*case.mutants, *case.routed)),
        engines={**engines.versions, "postgresql": version},
        assumed=sum(signal.assumed for stack in stacks for signal in stack.platform.signals),
        seconds=time.monotonic() - began,
    )


def _servers(made: Sequence[Case], engines: Engines, say: Say) -> tuple[Tables, str]:
    """What comes of the variants that PostgreSQL and Loki are asked; and the version of PostgreSQL."""
    with postgres.running() as database:
        tables = {case.rule.uid: evaluated(case, database) for case in _on(Source.POSTGRES, made)}
        version = database.version
    say(_done("PostgreSQL", _on(Source.POSTGRES, made)))
    with loki.running(engines.loki) as logs:
        tables |= {case.rule.uid: evaluated(case, logs) for case in _on(Source.LOKI, made)}
    say(_done("Loki", _on(Source.LOKI, made)))
    return tables, version


def _promql(made: Sequence[Case], promtool: Promtool, say: Say) -> Tables:
    tables = promtool.judge([trial(case) for case in made])
    say(_done("promtool", made))
    return {case.rule.uid: completed(case, table) for case, table in zip(made, tables, strict=True)}


def _routed(stacks: Sequence[Stack], made: Sequence[Case], engines: Engines) -> routes.Proof:
    def mutants(stack: Stack) -> list[Mutant]:
        return [mutant for case in made if case.stack == stack.name for mutant in case.routed]

    asked = [routes.Stack(stack.name, stack.platform, stack.settings, mutants(stack)) for stack in stacks]
    return routes.prove(asked, engines.amtool, engines.alertmanager)


def _on(source: Source, made: Sequence[Case]) -> list[Case]:
    return [case for case in made if case.rule.source is source]


def _next(killed: Iterator[bool], case: Case) -> list[bool]:
    """A stack's routed mutants stand in the order of its cases."""
    return [next(killed) for _ in case.routed]


def _done(program: str, made: Sequence[Case]) -> str:
    mutants, worlds = sum(len(case.mutants) for case in made), sum(len(case.scenarios) for case in made)
    return f"{program} tried {len(made)} rules and {mutants} mutants in {worlds} scenarios"
