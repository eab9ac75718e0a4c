"""What the commands look at: all that serves, in every phase."""

from __future__ import annotations

from dataclasses import replace

from runbook.model.cutover.ledger import Memory, to_observe
from runbook.model.cutover.observed import Wanted
from runbook.model.platform import Platform
from runbook.model.serving import hosts, project_name
from runbook.model.settings import Settings


def wanted(platform: Platform, settings: Settings, memory: Memory) -> Wanted:
    """What the program itself would observe, and beside it every app's name and project."""
    names = tuple(hosts(platform, settings).values())
    projects = {app.name: project_name(app, settings) for app, _ in platform.vercel_apps}
    asked = to_observe(platform, settings, memory)
    if asked is None:
        return Wanted(zone=settings.zone, names=names, projects=projects)
    return replace(asked, names=tuple(dict.fromkeys((*asked.names, *names))), projects=projects)
