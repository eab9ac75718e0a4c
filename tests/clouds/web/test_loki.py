"""Lines that are pushed, or arrive through a drain, and the queries that find them."""

from __future__ import annotations

from typing import Any

import pytest

from runbook.rehearsal.clouds.web.loki import add_line
from tests.clouds.web.world import World

LABELS = {"platform": "ibimina", "app": "staff"}


def found(world: World, query: str, **params: str) -> list[str]:
    data = world.get("/loki/loki/api/v1/query_range", params={"query": query} | params)["data"]
    assert data["resultType"] == "streams"
    return [line for stream in data["result"] for _, line in stream["values"]]


@pytest.fixture
def lines(world: World) -> World:
    for line in ('{"event":"login","ok":true}', '{"event":"login","ok":false}', '{"event":"1-flip"}'):
        world.clock.move(seconds=1)
        add_line(world.store, LABELS, line, world.clock.now())
    world.clock.move(seconds=1)
    return world


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ('{platform="ibimina"}', 3),
        ('{platform="ibimina", app="member"}', 0),
        ('{platform=~"ibi.*", app!="member"}', 3),
        ('{platform="ibimina",app!~"staff|member"}', 0),
        ('{app=~"sta[f]{2}"} |= "1-flip"', 1),
        ('{platform="ibimina"} |= `"login"` != "true"', 1),
        ('{platform="ibimina"} |~ "log.n" |= "\\"ok\\":true"', 1),
        ('{platform="ibimina"} !~ "login|flip"', 0),
    ],
)
def test_a_selector_and_line_filters(lines: World, query: str, count: int) -> None:
    assert len(found(lines, query)) == count


def test_the_newest_come_first_within_the_times_asked_for(lines: World) -> None:
    everything = '{app="staff"}'
    assert found(lines, everything, limit="1") == ['{"event":"1-flip"}']
    assert found(lines, everything, limit="1", direction="forward") == ['{"event":"login","ok":true}']
    second = int(lines.clock.now().timestamp()) - 2
    assert len(found(lines, everything, start=str(second))) == 2
    assert len(found(lines, everything, start=f"{second}000000000", end="2026-11-22T20:00:03Z")) == 1
    lines.clock.move(hours=1)
    assert found(lines, everything) == []
    assert len(found(lines, everything, start=str(second - 60))) == 3


def test_what_is_pushed_is_found_with_its_labels(world: World) -> None:
    ns = str(int(world.clock.now().timestamp() - 1) * 10**9)
    body = {"streams": [{"stream": LABELS, "values": [[ns, "a line"]]}]}
    answer = world.ask("POST", "/loki/loki/api/v1/push", json=body)
    assert (answer.status_code, answer.content) == (204, b"")
    result = world.get("/loki/loki/api/v1/query_range", params={"query": '{app="staff"}'})["data"]["result"]
    assert result == [{"stream": LABELS, "values": [[ns, "a line"]]}]


@pytest.mark.parametrize("query", ["", "staff", "{app=staff}", '{app="staff"} | json', '{app="staff"} |= x'])
def test_a_query_that_is_none(world: World, query: str) -> None:
    status, text = world.refused("GET", "/loki/loki/api/v1/query_range", params={"query": query})
    assert (status, text.startswith("parse error")) == (400, True)


@pytest.mark.parametrize("query", ["{}", '{app=~".*"}', '{app!="staff"}'])
def test_a_query_of_everything_is_refused(world: World, query: str) -> None:
    status, text = world.refused("GET", "/loki/loki/api/v1/query_range", params={"query": query})
    assert (status, "at least one regexp or equality matcher" in text) == (400, True)


@pytest.mark.parametrize("body", [{}, {"streams": []}, {"streams": [{"stream": {}}]}, {"streams": [{"values": []}]}])
def test_a_push_without_lines_is_refused(world: World, body: dict[str, Any]) -> None:
    assert world.refused("POST", "/loki/loki/api/v1/push", json=body)[0] == 400
    assert world.store.find("loki", "line") == []
