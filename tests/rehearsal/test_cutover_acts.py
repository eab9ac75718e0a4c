"""An act that does not come out as it must is a sentence: which act, what was expected, where the log is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from runbook.rehearsal.clouds import Clouds, Held
from runbook.rehearsal.clouds.vercel import DOMAIN, PROJECT
from runbook.rehearsal.clouds.web import release
from runbook.rehearsal.cutover import acts
from runbook.rehearsal.cutover.acts import Acting, Stage, served_names
from runbook.rehearsal.engine import Engine, Outcome
from runbook.rehearsal.events import Events, Operation
from runbook.rehearsal.problems import RehearsalError, Stopped
from runbook.rehearsal.result import Act

REFUSED = "2 reasons\n\n1. runbook:cutover.phase\n   rule:    window\n\n2. it\n   rule:    opens-at\n   edit: x"


class Ran:
    """An engine on which every command ends as it is told to."""

    stopped = False

    def __init__(self, clouds: Clouds) -> None:
        self._clouds = clouds
        self.code, self.events = 0, Events(resources={"same": 3})

    def start(self, stack: str, command: str, *arguments: str) -> Ran:
        assert (stack, command) == ("prod", "up" if arguments else "preview")
        return self

    def wait(self) -> Outcome:
        self._clouds.store.count("vercel", "/v9/projects/{id}", "GET")
        self._clouds.store.count("cloudflare", "getZone", "Invoke")
        log = Path("out/rehearsal/log/prod/4-up.txt")
        return Outcome(self.code, "", log, log, 0.0, 2.5, self.events)


class Watched:
    def __init__(self) -> None:
        self.begun: list[str] = []
        self.ended: list[Act] = []

    def acting(self, acting: Acting) -> None:
        self.begun.append(acting.name)

    def acted(self, act: Act) -> None:
        self.ended.append(act)


@pytest.fixture
def clouds(tmp_path: Path) -> Iterator[Clouds]:
    with Clouds(tmp_path / "clouds.db") as made:
        yield made


@pytest.fixture
def engine(clouds: Clouds) -> Ran:
    return Ran(clouds)


@pytest.fixture
def stage(clouds: Clouds, engine: Ran) -> Stage:
    return Stage("cutover", "prod", cast(Engine, engine), clouds, Watched())


def step(op: str, resource: str, /, **inputs: Any) -> Operation:
    return Operation(op, f"urn:pulumi:prod::runbook::type::{resource}", "type", (), inputs)


def said(stage: Stage, act: Any) -> str:
    with pytest.raises(RehearsalError) as wrong:
        act()
    return str(wrong.value)


def test_an_act_is_noted_with_what_it_did_and_whom_it_called(stage: Stage) -> None:
    stage.up("prepared")

    expected = Act("cutover", "prepared", "up", {"same": 3}, 2.5, {"vercel": 1})
    assert stage.acts == [expected], "look-ups of the engine's plugins are no calls"
    assert cast(Watched, stage._watcher).ended == [expected]
    assert cast(Watched, stage._watcher).begun == ["prepared"]


def test_an_update_that_fails_says_which_act_and_where_its_log_is(stage: Stage, engine: Ran) -> None:
    engine.code, engine.events = 1, Events(messages=(("error", "Step gate-ttl: still 3600 s."),))

    assert said(stage, lambda: stage.up("flipped at opens-at")) == (
        "Rehearsal of cutover, flipped at opens-at: expected that it comes through, but it failed:\n\n"
        "Step gate-ttl: still 3600 s.\n"
        "Its whole output is in out/rehearsal/log/prod/4-up.txt."
    )


def test_a_step_that_only_reported_its_failure_is_not_let_pass(stage: Stage, engine: Ran) -> None:
    told = "Step verify-login: 500.\nNothing waited for this; the next `pulumi up` tries it again."
    engine.events = Events(messages=(("warning", "This update takes traffic back."), ("warning", told)))

    assert "expected that it comes through, but Step verify-login: 500." in said(stage, lambda: stage.up("back"))


def test_a_refusal_must_be_by_exactly_the_rules(stage: Stage, engine: Ran) -> None:
    engine.code, engine.events = 1, Events(messages=(("error", REFUSED),))

    assert stage.refused("flipped too early", "opens-at", "window") == REFUSED
    assert stage.refusals == [REFUSED]
    assert stage.acts[0].rules == ("window", "opens-at")
    for rules in (("window",), ("window", "opens-at", "soak"), ("window", "release")):
        expected = f"expected a refusal by {', '.join(rules)}, but the refusal by window, opens-at"
        assert expected in said(stage, lambda rules=rules: stage.refused("early", *rules))
    assert len(stage.refusals) == 1


def test_a_refusal_that_does_not_come_fails(stage: Stage, engine: Ran) -> None:
    assert "expected a refusal by soak, but it came through." in said(stage, lambda: stage.refused("early", "soak"))
    engine.code, engine.events = 1, Events(messages=(("error", "No module named x"),))
    assert "but it failed:\n\nNo module named x" in said(stage, lambda: stage.refused("early", "soak"))


def test_a_refusal_that_comes_after_something_was_registered_fails(stage: Stage, engine: Ran) -> None:
    engine.code, engine.events = 1, Events(begun=(step("update", "dns-staff"),), messages=(("error", REFUSED),))
    because = "but the refusal by window, opens-at, after it began to update dns-staff"
    assert because in said(stage, lambda: stage.refused("early", "window", "opens-at"))


def test_only_the_step_that_is_expected_may_stop_an_update(stage: Stage, engine: Ran) -> None:
    engine.code, engine.events = 1, Events(failed=(step("update", "step-verify-login"),), resources={"update": 2})

    stage.stopped_at("login fails", "verify-login")
    assert stage.acts[0].operations == {"update": 2, "failed": 1}
    assert not stage.attempt("by overrides", "verify-login")
    assert "step-verify-login failed" in said(stage, lambda: stage.stopped_at("x", "gate-ttl"))
    assert "or waits at gate-ttl" in said(stage, lambda: stage.attempt("x", "gate-ttl"))
    engine.code, engine.events = 0, Events()
    assert stage.attempt("by overrides", "verify-login")
    assert "but it came through." in said(stage, lambda: stage.stopped_at("x", "gate-ttl"))


def test_a_file_of_a_build_that_no_longer_serves_fails_the_act(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: dict[str, Any] = {
        "hosts": {"app.ibimina.rw": {"files": ["dpl_old", "dpl_new"]}, "auth.ibimina.rw": {"files": []}},
        "projects": {"member": {"domains": ["app.ibimina.rw"], "serving": "dpl_new"}},
    }
    monkeypatch.setattr(acts, "observe", lambda *_: seen)
    because = "but app.ibimina.rw gives those of dpl_old and dpl_new."
    assert because in said(stage, lambda: stage.look("flipped", {}))
    seen["hosts"]["app.ibimina.rw"]["files"] = ["dpl_new"]
    stage.look("flipped", {})


def test_what_served_at_the_time_may_not_be_taken_away(stage: Stage, engine: Ran, clouds: Clouds) -> None:
    clouds.store.put(Held("vercel", PROJECT, "prj_1", {"name": "member"}))
    clouds.store.put(Held("vercel", DOMAIN, "d", {"domain": "app.ibimina.rw", "projectId": "prj_1"}))
    assert served_names(clouds.store) == set(), "nothing answers at a project before its first release"
    release(clouds.store, "member", "v1.0.0", clouds.clock.now())
    assert served_names(clouds.store) == {"member", "app.ibimina.rw"}

    engine.events = Events(
        begun=(
            step("delete", "dns-login", name="login.ibimina.rw"),
            step("update", "dns-member", name="app.ibimina.rw"),
            step("replace", "web-member-domain", domain="app.ibimina.rw"),
            step("delete", "dns-member", name="app.ibimina.rw"),
        )
    )
    stage.up("steady")
    assert stage.lost == ["steady: replace web-member-domain", "steady: delete dns-member"]


def test_nothing_more_is_acted_after_somebody_stopped_it(stage: Stage, engine: Ran) -> None:
    engine.stopped = True
    with pytest.raises(Stopped):
        stage.up("prepared")
    assert stage.acts == []
