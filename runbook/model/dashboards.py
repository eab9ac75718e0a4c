"""The three dashboards of a stack, as JSON that is the same to the byte for the same settings."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.builders.dashboard import Dashboard as Board
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import DashboardCursorSync, DashboardLinkType, GridPos

from runbook.model.alerting import Shown, dashboard_uid, panel_id
from runbook.model.objective_panels import panels_of
from runbook.model.objectives import Panel, Query
from runbook.model.panels import WIDTH, AnyPanel, Frame, Limit, graph, grid, markdown, number
from runbook.model.platform import Platform
from runbook.model.problems import ConfigError, Problem, path
from runbook.model.serving import stack_of
from runbook.model.settings import Settings

Kind = Literal["objectives", "operations", "checklist"]
TITLES: dict[Kind, str] = {
    "objectives": "service objectives",
    "operations": "operations",
    "checklist": "daily checklist",
}

ROW_HEIGHT = 1


@dataclass(frozen=True)
class Dashboard:
    """One dashboard as Grafana's API takes it: without id, under a uid that alerts can link to."""

    kind: Kind
    uid: str
    title: str
    config_json: str


def dashboards(
    platform: Platform, settings: Settings, own_operations: Dashboard | None = None
) -> tuple[Dashboard, ...]:
    """Objectives, operations and checklist. `own_operations`: the company's own, from `company_operations`.

    Raises: PlatformError where an objective has more alerts than panel ids are kept for.
    """
    return (
        _objectives(platform, settings),
        own_operations or _operations(platform, settings),
        _checklist(platform, settings),
    )


def company_operations(stack: str, settings: Settings, text: str | None) -> Dashboard:
    """The company's own operations dashboard from its file's text, under our uid so that links keep working.

    `text` None: the file could not be read. Raises: ConfigError with the one thing that is wrong with the file.
    """
    if text is None:
        raise _refused(stack, settings, "A file in the checkout that can be read.", "Correct the path.")
    try:
        model = json.loads(text)
    except ValueError as error:
        raise _refused(stack, settings, f"A file of JSON; this one is not: {error}.", "Export it again.") from None
    titled = isinstance(model, dict) and isinstance(model.get("title"), str) and model["title"].strip()
    if not titled or not isinstance(model.get("panels"), list):
        allowed = "A dashboard's JSON: an object with a title and a list of panels."
        raise _refused(stack, settings, allowed, "Take the JSON that Grafana shows under Export, JSON.")
    if "__inputs" in model:
        # Only Grafana's import page fills these in; through the API every panel would lack its data source.
        allowed = "A dashboard whose data sources are named, without __inputs to be asked for."
        raise _refused(stack, settings, allowed, "Export it without the switch for sharing with another instance.")
    uid = dashboard_uid(settings, "operations")
    kept = {key: value for key, value in model.items() if key != "id"}
    return Dashboard("operations", uid, model["title"], _text({**kept, "uid": uid}))


def _refused(stack: str, settings: Settings, allowed: str, edit: str) -> ConfigError:
    ours = "pulumi config rm --path 'grafana.operationsDashboard' --stack {stack}"
    at = path("grafana", "operationsDashboard")
    edit += f" To have the dashboard that comes with the platform instead, run:\n{ours}"
    return ConfigError(stack, [Problem(at, settings.grafana.operations_dashboard, allowed, edit)])


def _objectives(platform: Platform, settings: Settings) -> Dashboard:
    board = _board("objectives", platform, settings)
    top = 0
    for place, objective in enumerate(platform.objectives(stack_of(settings)), 1):
        row = dashboard.Row(objective.title).id(panel_id(place, objective, Shown.ROW))
        board.with_row(row.grid_pos(GridPos(ROW_HEIGHT, WIDTH, 0, top)))
        panels, top = panels_of(objective, place, top + ROW_HEIGHT, settings)
        for panel in panels:
            board.with_panel(panel)
    return _done("objectives", board, settings)


def _operations(platform: Platform, settings: Settings) -> Dashboard:
    return _plain("operations", platform.operations(stack_of(settings)), graph, platform, settings)


def _checklist(platform: Platform, settings: Settings) -> Dashboard:
    return _plain("checklist", platform.checklist(stack_of(settings)), number, platform, settings)


def _plain(
    kind: Kind,
    panels: Sequence[Panel],
    drawn: Callable[[Frame, Query, Limit | None, Settings], AnyPanel],
    platform: Platform,
    settings: Settings,
) -> Dashboard:
    board = _board(kind, platform, settings)
    for position, (panel, place) in enumerate(zip(panels, grid(len(panels), 0), strict=True), 1):
        limit = None if panel.red is None else Limit(panel.red, panel.red_when)
        frame = Frame(position, panel.title, markdown(settings, "", panel.description), place)
        board.with_panel(drawn(frame, panel.query, limit, settings))
    return _done(kind, board, settings)


def _board(kind: Kind, platform: Platform, settings: Settings) -> Board:
    tags = [settings.platform, settings.environment]
    hours = settings.business_hours
    return (
        dashboard.Dashboard(f"{platform.title} {settings.environment}: {TITLES[kind]}")
        .uid(dashboard_uid(settings, kind))
        .tags(tags)
        .readonly()  # what someone changes by hand is gone with the next up
        .timezone(hours.timezone if hours else "utc")
        .time("now-24h", "now")
        .refresh("1m")
        .tooltip(DashboardCursorSync.CROSSHAIR)
        .link(dashboard.DashboardLink("Dashboards").type(DashboardLinkType.DASHBOARDS).tags(tags).keep_time(True))
        .link(dashboard.DashboardLink("Runbook").type(DashboardLinkType.LINK).url(settings.runbook_url).icon("doc"))
    )


def _done(kind: Kind, board: Board, settings: Settings) -> Dashboard:
    built = board.build()
    return Dashboard(kind, dashboard_uid(settings, kind), str(built.title), _text(built))


def _text(model: object) -> str:
    return json.dumps(model, cls=JSONEncoder, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
