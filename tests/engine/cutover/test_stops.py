"""A flip that is stopped at each of its steps in turn goes on with the next `up`, and repeats nothing finished."""

from __future__ import annotations

import pytest

from runbook.rehearsal.clouds import Store
from runbook.rehearsal.clouds.web.deployments import DEPLOYMENT
from tests.engine.cutover.stops import ANNOTATE, BUILD, COME_THROUGH, POST, PROMOTE, STOPS, Points, Stop


@pytest.mark.parametrize("stop", STOPS.values(), ids=lambda stop: stop.name)
def test_it_stops_where_it_has_to_and_repeats_nothing_finished(points: Points, stop: Stop) -> None:
    report = points.report(stop.name)

    if stop.lost or stop.written:
        assert (report.code, report.failed) == (-9, [])
    elif stop.options == (COME_THROUGH,):  # what else would have failed may not have begun
        assert report.code == 1
        assert report.failed
        assert {*report.failed} <= {*stop.fails}
    else:
        assert (report.code, tuple(report.failed)) == (1 if stop.fails else 0, stop.fails), report.errors
    tag, phase = ("2-back", "rolled-back") if stop.name == "rolled-back" else ("1-flip", "flipped")
    # What steps keep as `acted` once they are finished. Gates and the page act anew in every attempt.
    done = ("prepare-1", tag, f"prepare-1/{tag}/{phase}")
    finished = {f"step-{name}" for name, acted in report.before.items() if acted in done and name != "way-back"}
    if stop.phase is None:  # a new crossing begins them anew
        assert finished & {*report.begun} == set()


def test_no_gate_is_passed_by_another(points: Points) -> None:
    """All six fail at once, each for a reason of its own, and nothing that waits for them has begun."""
    report = points.report("gates")

    assert tuple(report.failed) == STOPS["gates"].fails
    assert not {*report.begun} & {"step-end-sessions", "step-purge", "dns-staff", "step-promote-staff", "dns-cache"}


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
    assert (len(annotations), calls[ANNOTATE.key()]) == (1, 1)
    assert calls[POST.key()] == sum("Flip of" in text for text in texts) == 2


def test_evidence_says_that_nothing_was_left_to_do(points: Points) -> None:
    import json

    place = points.at("flipped")
    state = json.loads((place / "state" / ".pulumi" / "stacks" / "runbook" / "prod.json").read_text("utf-8"))
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
