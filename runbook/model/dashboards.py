"""The three dashboards of a stack, as JSON that is the same to the byte for the same settings."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from grafana_foundation_sdk.builders import dashboard, timeseries
from grafana_foundation_sdk.builders.dashboard import Dashboard as Board
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import DashboardCursorSync, DashboardLinkType, GridPos

from runbook.model.alerting import dashboard_uid, panel_id
from runbook.model.objectives import Alert, Objective, Panel
from runbook.model.panels import AnyPanel, Limit, View, alert_limit, alert_list, graph, number, target_limit
from runbook.model.platform import Platform
from runbook.model.problems import ConfigError, PlatformError, Problem, path
from runbook.model.serving import stack_of
from runbook.model.settings import Settings

Kind = Literal["objectives", "operations", "checklist"]
TITLES: dict[Kind, str] = {
    "objectives": "service objectives",
    "operations": "operations",
    "checklist": "daily checklist",
}

WIDTH = 24  # columns of Grafana's grid
ROW_HEIGHT, PANEL_HEIGHT, PER_LINE = 1, 8, 3
# Panel ids of one objective: its panel_id is the indicator's, these are added for the others.
NOW, STATES, FIRST_ALERT, ROW = 1, 2, 3, 9


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
    for objective in platform.objectives(stack_of(settings)):
        top = _objective(board, objective, panel_id(objective, platform, settings), top, settings)
    return _done("objectives", board, settings)


def _objective(board: Board, objective: Objective, first: int, top: int, settings: Settings) -> int:
    """One line on the indicator and all alerts' states, then a panel for each alert that looks at something else.
    Returns where the next objective begins."""
    others = [alert for alert in objective.alerts if not _shows(objective, alert)]
    if len(others) > ROW - FIRST_ALERT:
        raise PlatformError(
            f"Objective {objective.name} has {len(others)} alerts with a panel of their own; "
            f"at most {ROW - FIRST_ALERT} have an id."
        )
    board.with_row(dashboard.Row(objective.title).id(first + ROW).grid_pos(GridPos(ROW_HEIGHT, WIDTH, 0, top)))
    top += ROW_HEIGHT
    _indicator(board, objective, first, top, settings)
    top += PANEL_HEIGHT
    for position, (alert, place) in enumerate(zip(others, _grid(len(others), top), strict=True)):
        about = _markdown(settings, alert.section, _about(alert))
        view = View(first + FIRST_ALERT + position, alert.title, about, alert.query, alert_limit(alert), place)
        board.with_panel(graph(view, settings))
    return top + -(-len(others) // PER_LINE) * PANEL_HEIGHT


def _indicator(board: Board, objective: Objective, first: int, top: int, settings: Settings) -> None:
    shown = [alert for alert in objective.alerts if _shows(objective, alert)]
    section = objective.alerts[0].section if objective.alerts else ""
    view = View(
        first,
        objective.title,
        _markdown(settings, section, f"Objective: {objective.statement}", *map(_about, shown)),
        objective.indicator,
        target_limit(objective),
        GridPos(PANEL_HEIGHT, 12, 0, top),
    )
    panel = graph(view, settings)
    board.with_panel(panel)
    left = 12
    if isinstance(panel, timeseries.Panel):  # otherwise it shows the number already
        now = replace(view, id=first + NOW, title=f"{objective.title} now", place=GridPos(PANEL_HEIGHT, 4, left, top))
        board.with_panel(number(now, settings))
        left += 4
    labels = stack_of(settings).labels | {"objective": objective.name}
    about = f"The rules of {objective.title} and whether they fire."
    board.with_panel(alert_list(first + STATES, about, labels, GridPos(PANEL_HEIGHT, WIDTH - left, left, top)))


def _shows(objective: Objective, alert: Alert) -> bool:
    """The indicator's own panel shows this alert: same query, same line."""
    return alert.query == objective.indicator and alert_limit(alert) == target_limit(objective)


def _about(alert: Alert) -> str:
    return f"{alert.title}: {alert.severity} to {alert.owner}. {alert.summary} First step: {alert.mitigation}"


def _operations(platform: Platform, settings: Settings) -> Dashboard:
    return _plain("operations", platform.operations(stack_of(settings)), graph, platform, settings)


def _checklist(platform: Platform, settings: Settings) -> Dashboard:
    return _plain("checklist", platform.checklist(stack_of(settings)), number, platform, settings)


def _plain(
    kind: Kind,
    panels: Sequence[Panel],
    drawn: Callable[[View, Settings], AnyPanel],
    platform: Platform,
    settings: Settings,
) -> Dashboard:
    board = _board(kind, platform, settings)
    for position, (panel, place) in enumerate(zip(panels, _grid(len(panels), 0), strict=True), 1):
        limit = None if panel.red is None else Limit(panel.red, panel.red_when)
        about = _markdown(settings, "", panel.description)
        board.with_panel(drawn(View(position, panel.title, about, panel.query, limit, place), settings))
    return _done(kind, board, settings)


def _grid(count: int, top: int) -> list[GridPos]:
    """Places for that many panels of one size, line by line."""
    width = WIDTH // max(1, min(count, PER_LINE))
    return [
        GridPos(PANEL_HEIGHT, width, index % PER_LINE * width, top + index // PER_LINE * PANEL_HEIGHT)
        for index in range(count)
    ]


def _markdown(settings: Settings, section: str, *paragraphs: str) -> str:
    return "\n\n".join((*paragraphs, f"[Runbook]({settings.runbook_url}{section})"))


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
