"""What Grafana's dashboard linter asks of a panel, as far as it applies to dashboards that serve one stack each:
their data sources are named, so its rules on template variables do not apply. And what Grafana itself needs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import Any, get_args

from runbook.model.objectives import Unit

COLUMNS = 24
WITHOUT_QUERY = ("row", "alertlist")

Panel = Mapping[str, Any]


def findings(board: Mapping[str, Any], sources: Mapping[str, str]) -> list[str]:
    """Everything wrong with a dashboard, one sentence each. `sources`: uid to type of all data sources there are."""
    found = list(_board(board))
    for panel in board["panels"]:
        about = f"Panel {panel['id']} ({panel['type']})"
        found += [f"{about} {wrong}." for wrong in (*_said(panel), *_asked(panel, sources), *_placed(panel))]
    ids = Counter(panel["id"] for panel in board["panels"])
    found += [f"Panel id {each} stands {count} times." for each, count in ids.items() if count > 1]
    found += [
        f"Panels {one['id']} and {other['id']} overlap."
        for one, other in combinations(board["panels"], 2)
        if _overlap(one["gridPos"], other["gridPos"])
    ]
    return found


def _board(board: Mapping[str, Any]) -> Iterator[str]:
    for key in ("uid", "title", "schemaVersion", "refresh", "time", "timezone", "tags"):
        if not board.get(key):
            yield f"The dashboard has no {key}."
    if board.get("editable") is not False:
        yield "The dashboard can be edited by hand."
    if "id" in board:
        yield "The dashboard has an id, which belongs to one Grafana alone."


def _said(panel: Panel) -> Iterator[str]:
    if not panel.get("title"):
        yield "has no title"
    if panel["type"] != "row" and not panel.get("description"):
        yield "has no description"


def _asked(panel: Panel, sources: Mapping[str, str]) -> Iterator[str]:
    if panel["type"] in WITHOUT_QUERY:
        return
    if panel["fieldConfig"]["defaults"].get("unit") not in get_args(Unit):
        yield "has no unit"
    if not panel.get("targets"):
        yield "has no target"
    refs = [target.get("refId") for target in panel.get("targets", ())]
    legends = [target.get("legendFormat") for target in panel.get("targets", ())]
    if len(set(refs)) < len(refs):
        yield "has two queries of one name"
    elif len(refs) > 1 and (None in legends or len(set(legends)) < len(legends)):
        yield "has lines that cannot be told apart"
    for target in panel.get("targets", ()):
        source = target.get("datasource", {})
        if source != panel.get("datasource") or sources.get(source.get("uid")) != source.get("type"):
            yield "reads from a data source that does not exist"
        if not (target.get("expr") or target.get("rawSql")):
            yield "has an empty query"


def _placed(panel: Panel) -> Iterator[str]:
    place = panel["gridPos"]
    if min(place["x"], place["y"]) < 0 or min(place["w"], place["h"]) < 1 or place["x"] + place["w"] > COLUMNS:
        yield f"stands outside the {COLUMNS} columns"


def _overlap(one: Mapping[str, int], other: Mapping[str, int]) -> bool:
    return all(
        one[start] < other[start] + other[size] and other[start] < one[start] + one[size]
        for start, size in (("x", "w"), ("y", "h"))
    )
