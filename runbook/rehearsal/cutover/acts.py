"""One act of a play: a command on the engine, what is expected of it, and what it did."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlsplit

from runbook.rehearsal.clouds import Clouds, Store
from runbook.rehearsal.clouds.store import Call
from runbook.rehearsal.clouds.vercel import DOMAIN, PROJECT
from runbook.rehearsal.clouds.web import deployments
from runbook.rehearsal.cutover.views import left_over, observe
from runbook.rehearsal.engine import Engine, Outcome, Run
from runbook.rehearsal.events import QUIET, Operation
from runbook.rehearsal.problems import RehearsalError, Stopped, near
from runbook.rehearsal.result import Act

COMMANDS: Mapping[str, Sequence[str]] = {"preview": ("preview",), "up": ("up", "--yes", "--skip-preview")}
# What the engine's plugins ask while they start, and while they read: it changes nothing at any vendor.
LOOKS = ("Configure", "Invoke", "Read")
_GOES = ("delete", "replace", "create-replacement", "delete-replaced", "discard")
_RULE = re.compile(r"^ +rule: +(.+?)\s*$", re.MULTILINE)
_NOT_DONE = "Nothing waited for this"  # what the program adds to a step's failure that holds up nothing


@dataclass(frozen=True)
class Acting:
    """An act that runs."""

    play: str
    name: str
    run: Run


class Watcher(Protocol):
    """Is told how it goes, from several threads."""

    def acting(self, acting: Acting) -> None: ...

    def acted(self, act: Act) -> None: ...


class Stage:
    """Where a play is acted: one stack on an engine and its clouds. Every method that acts raises RehearsalError when
    what it expects does not happen."""

    def __init__(self, play: str, stack: str, engine: Engine, clouds: Clouds, watcher: Watcher) -> None:
        self.play, self.stack, self.engine, self.clouds = play, stack, engine, clouds
        self._watcher = watcher
        self.acts: list[Act] = []
        self.refusals: list[str] = []
        self.lost: list[str] = []  # deletes and replaces of what served

    def up(self, name: str) -> Outcome:
        """An update that comes through, with every step done."""
        return self._well(name, "up")

    def preview(self, name: str) -> Outcome:
        """A preview that comes through."""
        return self._well(name, "preview")

    def refused(self, name: str, *rules: str) -> str:
        """A preview that exactly these rules refuse, before anything was registered: what it says."""
        outcome, calls = self._run(name, "preview")
        said = "\n\n".join(outcome.events.errors)
        found = tuple(_RULE.findall(said))
        self._note(name, "preview", outcome, calls, found)
        begun = changes(outcome)
        if sorted(found) != sorted(rules) or outcome.code == 0 or begun:
            because = f"the refusal by {_listed(found)}" if found else _came(outcome)
            because += f", after it began to {', '.join(begun)}" if begun else ""
            raise self._otherwise(name, f"a refusal by {_listed(rules)}", because, outcome)
        self.refusals.append(said)
        return said

    def stopped_at(self, name: str, step: str) -> Outcome:
        """An update that a step fails, and nothing else."""
        outcome, calls = self._run(name, "up")
        self._note(name, "up", outcome, calls)
        failed = [each.name for each in outcome.events.failed]
        if outcome.code == 0 or failed != [f"step-{step}"]:
            because = f"{', '.join(failed)} failed" if failed else _came(outcome)
            raise self._otherwise(name, f"that the step {step} fails it", because, outcome)
        return outcome

    def attempt(self, name: str, step: str) -> bool:
        """An update that comes through, or that this step stops: whether it came through."""
        outcome, calls = self._run(name, "up")
        self._note(name, "up", outcome, calls)
        if outcome.code and [each.name for each in outcome.events.failed] != [f"step-{step}"]:
            raise self._otherwise(name, f"that it comes through, or waits at {step}", _came(outcome), outcome)
        return outcome.code == 0

    def expect(self, name: str, what: str, held: bool, otherwise: str) -> None:
        """A fact about the clouds after an act. Raises: RehearsalError when it is not so."""
        if not held:
            raise RehearsalError(f"Rehearsal of {self.play}, after {name}: expected {what}, but {otherwise}.")

    def look(self, name: str, hosts: Mapping[str, str]) -> None:
        """Clients look at the hosts (name to health path) after an act; Cloudflare keeps some of what they get."""
        wrong = left_over(observe(self.clouds, hosts))
        self.expect(name, "hosts to give the files of the builds that serve alone", not wrong, wrong)

    def _well(self, name: str, command: str) -> Outcome:
        outcome, calls = self._run(name, command)
        self._note(name, command, outcome, calls)
        left = [text for severity, text in outcome.events.messages if severity == "warning" and _NOT_DONE in text]
        if outcome.code or left:
            because = "\n\n".join(left) if left and not outcome.code else _came(outcome)
            raise self._otherwise(name, "that it comes through", because, outcome)
        return outcome

    def _run(self, name: str, command: str) -> tuple[Outcome, Mapping[str, int]]:
        before, serving = self.clouds.store.calls(), served_names(self.clouds.store)
        word, *arguments = COMMANDS[command]
        run = self.engine.start(self.stack, word, *arguments)
        try:
            self._watcher.acting(Acting(self.play, name, run))
            outcome = run.wait()
        except BaseException:  # the output was closed, the disk is full: nothing may be left running
            self.engine.interrupt()
            run.process.wait()
            raise
        if self.engine.stopped:
            raise Stopped
        self.lost += [f"{name}: {each}" for each in outcome.events.begun if _takes_away(each, serving)]
        return outcome, _by_vendor(self.clouds.store.calls() - before)

    def _note(
        self, name: str, command: str, outcome: Outcome, calls: Mapping[str, int], rules: tuple[str, ...] = ()
    ) -> None:
        operations = dict(outcome.events.resources)
        if outcome.events.failed:
            operations["failed"] = len(outcome.events.failed)
        act = Act(self.play, name, command, operations, outcome.seconds, calls, rules)
        self.acts.append(act)
        self._watcher.acted(act)

    def _otherwise(self, name: str, expected: str, instead: str, outcome: Outcome) -> RehearsalError:
        return RehearsalError(
            f"Rehearsal of {self.play}, {name}: expected {expected}, but {instead}\n"
            f"Its whole output is in {near(outcome.log)}."
        )


def served_names(store: Store) -> set[str]:
    """Every name that people reach now: the domains of the projects, the hosts that the builds which serve were made
    with, and the projects themselves."""
    names: set[str] = set()
    for project in store.find("vercel", PROJECT):
        build = deployments.serving(store, project.id)
        if build:
            names.add(str(project.properties["name"]))
            names |= {str(one.properties["domain"]) for one in store.find("vercel", DOMAIN, projectId=project.id)}
            names |= {host for value in build.properties["env"].values() if (host := urlsplit(str(value)).hostname)}
    return names


def _takes_away(operation: Operation, serving: set[str]) -> bool:
    named = {operation.inputs.get("name"), operation.inputs.get("domain")}
    return operation.op in _GOES and bool(named & serving)


def _by_vendor(calls: Counter[Call]) -> dict[str, int]:
    counted: Counter[str] = Counter()
    for (vendor, _, method), times in sorted(calls.items()):
        if method not in LOOKS:
            counted[vendor] += times
    return dict(counted)


def changes(outcome: Outcome) -> list[str]:
    """What a command began to change, without what the engine keeps of itself."""
    return [str(each) for each in outcome.events.begun if each.op not in QUIET]


def _came(outcome: Outcome) -> str:
    if outcome.code == 0:
        return "it came through."
    return "it failed:\n\n" + ("\n\n".join(outcome.events.errors) or f"with code {outcome.code}.")


def _listed(rules: Sequence[str]) -> str:
    return ", ".join(rules) or "nothing"
