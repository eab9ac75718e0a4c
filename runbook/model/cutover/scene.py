"""What the orders of steps are made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import SecretStr

from runbook.model.cutover.ledger import Ledger, Memory, left_behind
from runbook.model.cutover.phases import Direction, Phase, Rule
from runbook.model.platform import App, Platform
from runbook.model.serving import project_name, stack_of
from runbook.model.settings import Settings


@dataclass(frozen=True)
class Scene:
    """What the orders are made from. `page`: the way back on paper; empty where there is nothing to go back from.
    `overridden`: rules that an override lets pass in this update, each with its reason."""

    platform: Platform
    settings: Settings
    ledger: Ledger
    memory: Memory
    zone_id: str
    page: str = ""
    overridden: Mapping[Rule, str] = field(default_factory=dict)

    @property
    def live(self) -> bool:
        """Whether a crossing's steps still have something to say: its block stands, or it is not complete."""
        return self.settings.cutover is not None or not self.memory.completed(self.ledger.tag)

    @property
    def flip(self) -> str:
        return self.ledger.tag if self.live and self.ledger.direction is Direction.FLIP else ""

    @property
    def back(self) -> str:
        return self.ledger.tag if self.live and self.ledger.direction is Direction.BACK else ""

    @property
    def prepare(self) -> str:
        """Trigger of what makes next ready. Past the flip it stays, so that nothing is made twice."""
        return f"prepare-{self.ledger.preparation}" if self.settings.cutover and self.ledger.preparation else ""

    @property
    def gate(self) -> str:
        """Gates look again in every update until the flip is complete."""
        return f"{self.flip}/{self.ledger.attempt}" if self.flip else ""

    @property
    def paper(self) -> str:
        """When the page of the way back is written: while next is made ready, and just before the switch. Never on a
        way back, when somebody may be reading it."""
        if not self.page or left_behind(self.ledger, self.memory) is not None:
            return ""
        return self.gate or (self.prepare if self.settings.phase is Phase.PREPARED else "")

    @property
    def team(self) -> str:
        return self.settings.vercel.team

    def secrets(self, *names: str) -> dict[str, SecretStr]:
        return {name: self.settings.secrets[name] for name in names if name in self.settings.secrets}

    def project(self, app: App) -> dict[str, Any]:
        """How Vercel's interface names an app's project."""
        return {"team": self.team, "project_id": self.ledger.projects.get(app.name, project_name(app, self.settings))}


def way_back_file(settings: Settings) -> str:
    """Where the page of the way back is written, such as out/way-back/ibimina-prod.md."""
    return f"{settings.endpoints.out}/way-back/{stack_of(settings).name}.md"


def evidence_file(settings: Settings, tag: str) -> str:
    """Where the record of a crossing is written, such as out/evidence/ibimina-prod-1-flip.json."""
    return f"{settings.endpoints.out}/evidence/{stack_of(settings).name}-{tag}.json"
