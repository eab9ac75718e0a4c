"""A cutover that is stopped at each of its steps in turn goes on with the next `up`, and repeats nothing finished."""

from __future__ import annotations

import json

import pytest

from runbook.rehearsal.clouds import Store
from runbook.rehearsal.clouds.web.deployments import DEPLOYMENT
from tests.engine.cutover.hindrances import ANNOTATE, BUILD, POST, PROMOTE
from tests.engine.cutover.play import STATE
from tests.engine.cutover.points import Points
from tests.engine.cutover.stops import BACK, STOPS

# What steps keep as `acted` once they are finished. Gates and the page act anew in every attempt.
DONE = {
    "1-flip": ("prepare-1", "1-flip", "prepare-1/1-flip/flipped"),
    "2-back": ("2-back", "prepare-1/2-back/rolled-back"),
}
LEFT, REFRESHED = ("2-back/leave",), ("--refresh",)


@pytest.mark.parametrize("point", STOPS)
def test_it_stops_where_it_has_to_and_repeats_nothing_finished(points: Points, point: str) -> None:
    stop, report = STOPS[point], points.report(point)

    if stop.killed:
        assert (report.code, report.failed) == (-9, [])
        assert {*stop.killed} <= {*report.begun}
        assert not {*stop.killed} & {*report.done}
    else:
        assert (report.code, tuple(report.failed)) == (1 if stop.fails else 0, tuple(sorted(stop.fails))), (
            report.errors
        )
        assert {*report.told} == {*stop.told}
    if stop.phase is None:  # a new crossing begins them anew
        done = LEFT if point == "left" else DONE["2-back" if stop in BACK or stop.options == REFRESHED else "1-flip"]
        finished = {f"step-{name}" for name, acted in report.before.items() if acted in done and name != "way-back"}
        assert finished & {*report.begun} == set()


def test_what_was_done_and_never_answered_is_done_once(points: Points) -> None:
    """Builds, reminder, promotion, annotation: the step looks before it acts. A message may be there twice."""
    store = Store(points.at("flipped") / "clouds.db")
    made = [held.properties["meta"].get("crossing") for held in store.find("vercel", DEPLOYMENT)]
    calls = store.calls()
    texts = [str(held.properties["text"]) for held in store.find("slack", "message")]
    annotations = store.find("grafana", "annotation")
    store.close()

    assert sorted(filter(None, made)) == ["prepare-1", "prepare-1"]
    assert calls[BUILD.key()] == 2
    assert calls[PROMOTE.key()] <= 4  # two refused, two without an answer
    assert sum(text.startswith("Cutover of") for text in texts) == 1
    assert (len(annotations), calls[ANNOTATE.key()]) == (1, 2)  # one refused, one without an answer
    assert sum("Flip of" in text for text in texts) == 2
    assert calls[POST.key()] == 3


def test_evidence_says_that_nothing_was_left_to_do(points: Points) -> None:
    state = json.loads((points.at("flipped") / STATE).read_text("utf-8"))
    resources = state["checkpoint"]["latest"]["resources"]
    kept = {each["urn"].rsplit("::")[-1]: each.get("outputs", {}) for each in resources}
    for step in (
        "step-build-staff",
        "step-build-member",
        "step-promote-staff",
        "step-promote-member",
        "step-annotate",
    ):
        assert json.loads(kept[step]["evidence"])["already"] is True, step
