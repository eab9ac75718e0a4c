"""No step of a flip or of its way back is left out, of those that there are now and of those that will come."""

from __future__ import annotations

import pytest

from tests.engine.cutover import table
from tests.engine.cutover.points import Points
from tests.engine.cutover.stops import FLIP, STOPS
from tests.engine.cutover.table import Stopped

PREPARED, FLIPPED = ("preparing", "prepared"), tuple(stop.name for stop in FLIP)
ROLLED_BACK = ("going-back", "purging-back", "verifying-back", "completing-back", "telling-back", "rolled-back")


@pytest.mark.parametrize(
    ("names", "rows"), [(PREPARED + FLIPPED, table.FLIP), (ROLLED_BACK, table.BACK)], ids=["flip", "back"]
)
def test_every_step_is_stopped(points: Points, names: tuple[str, ...], rows: dict[str, Stopped]) -> None:
    begun = {name for point in names for name in points.report(point).begun if name.startswith("step-")}

    assert begun == {name for name in rows if name.startswith("step-")}
    for name, stopped in rows.items():
        if stopped.fails in STOPS:
            report = points.report(stopped.fails)
            assert name in report.failed or name.removeprefix("step-") in report.told, name
        if stopped.killed in STOPS:
            assert name in STOPS[stopped.killed].killed, name


def test_every_step_that_is_registered_acts_in_one_of_them(points: Points) -> None:
    registered = {f"step-{name}" for name in points.steps("rolled-back")}

    assert registered == {name for name in {**table.FLIP, **table.BACK} if name.startswith("step-")}
