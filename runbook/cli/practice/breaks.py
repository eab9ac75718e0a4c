"""What can be broken in practice, each by a word."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from runbook.model.platform import Platform
    from runbook.rehearsal.clouds import Faults

VENDORS = ("cloudflare", "vercel", "supabase", "slack", "pagerduty", "grafana", "loki")
# Word to the name of its knob in runbook/rehearsal/clouds/faults.py, and where it is turned.
_KNOBS: Mapping[str, tuple[str, str]] = {
    "login": ("WRONG_ISSUER", "auth"),
    "redirect": ("WRONG_REDIRECT", "auth"),
    "key": ("WRONG_KEY", "auth"),
    "certificate": ("WRONG_CERTIFICATE", "auth"),
    "health": ("UNHEALTHY", "app"),
    "worker": ("STALE_WORKER", "app"),
    "build": ("NEVER_READY", "project"),
}


@dataclass(frozen=True)
class Breaks:
    """What this stack has that can be broken, and how. `places`: auth and app are host names, project is Vercel's."""

    places: Mapping[str, str]

    @classmethod
    def of(cls, platform: Platform, config: Mapping[str, Any]) -> Breaks:
        app, _ = platform.vercel_apps[0]
        places = {
            "app": config["apps"][app.name]["host"],
            "project": f"{platform.name}-{app.name}-{config['environment']}",
        }
        auth = config["current"].get("authHost")
        return cls(places | ({"auth": auth} if auth else {}))

    @property
    def words(self) -> list[str]:
        return [word for word, (_, place) in _KNOBS.items() if place in self.places] + list(VENDORS)

    def says(self, word: str) -> str:
        """What is then wrong, for people."""
        from runbook.rehearsal.clouds.faults import Knob

        if word in VENDORS:
            return f"{word}: every call answers 503"
        knob, place = _KNOBS[word]
        return f"{self.places[place]}: {Knob[knob].value}"

    def turn(self, faults: Faults, word: str) -> None:
        from runbook.rehearsal.clouds.faults import Knob

        if word in VENDORS:
            faults.down(word)
        else:
            knob, place = _KNOBS[word]
            faults.turn(Knob[knob], self.places[place])

    def turn_back(self, faults: Faults, word: str) -> None:
        from runbook.rehearsal.clouds.faults import Knob

        if word in VENDORS:
            faults.up(word)
        else:
            knob, place = _KNOBS[word]
            faults.turn_back(Knob[knob], self.places[place])
