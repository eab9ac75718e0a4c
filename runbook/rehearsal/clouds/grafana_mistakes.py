"""What Grafana refuses of rules and mute timings only when it is asked to keep them: its provider lets it pass.

Source: pkg/services/ngalert of github.com/grafana/grafana; that the provider says nothing was seen.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from runbook.rehearsal.clouds.behaviours import UNVERIFIED, Draft, Row, rows

_STATES = {
    "noDataState": ("Alerting", "NoData", "OK", "KeepLast"),
    "execErrState": ("Alerting", "Error", "OK", "KeepLast"),
}
_NEEDED = ("alertname", "grafana_folder")
_EVALUATED = 10  # seconds between two evaluations of Grafana's scheduler
_TIME = "([01][0-9]|2[0-3]):[0-5][0-9]|24:00"
_DAYS = "(sun|mon|tues|wednes|thurs|fri|satur)day"


def mistake_rows(group: str, timing: str, seconds: Callable[[Any], float | None]) -> list[Row]:
    """The rows. `group` and `timing`: the types; `seconds` reads a duration, and gives None for what is none."""

    def waits(draft: Draft) -> str | None:
        for rule in draft.items("rules"):
            settings = rule.get("notificationSettings") or {}
            for name in ("groupWait", "groupInterval", "repeatInterval"):
                if settings.get(name) is not None and seconds(settings[name]) is None:
                    return f"400: {name} is not a valid duration: {settings[name]} (rule {rule['name']})."
        return None

    return [
        *rows(group, "apply", UNVERIFIED, intervalSeconds=_interval),
        *rows(group, "apply", UNVERIFIED, rules=_condition),
        *rows(group, "apply", UNVERIFIED, rules=_state),
        *rows(group, "apply", UNVERIFIED, rules=_grouping),
        *rows(group, "apply", UNVERIFIED, rules=waits),
        *rows(timing, "apply", UNVERIFIED, intervals=_times),
        *rows(timing, "apply", UNVERIFIED, intervals=_weekdays),
    ]


def _interval(draft: Draft) -> str | None:
    given = draft["intervalSeconds"]
    if given and given % _EVALUATED == 0:
        return None
    return f"400: interval ({given}s) should be non-zero and divided exactly by scheduler interval: {_EVALUATED}s"


def _condition(draft: Draft) -> str | None:
    for rule in draft.items("rules"):
        refs = [query["refId"] for query in rule.get("datas", [])]
        if rule["condition"] not in refs:
            return f"400: condition {rule['condition']} does not exist, must be one of {refs} (rule {rule['name']})."
    return None


def _state(draft: Draft) -> str | None:
    for rule in draft.items("rules"):
        for name, allowed in _STATES.items():
            if rule.get(name) not in (None, *allowed):
                return f"400: unknown {name} {rule[name]} (rule {rule['name']})."
    return None


def _grouping(draft: Draft) -> str | None:
    for rule in draft.items("rules"):
        given = (rule.get("notificationSettings") or {}).get("groupBies")
        if given and "..." not in given and not {*_NEEDED} <= {*given}:
            return f"400: group by override must contain the labels {' and '.join(_NEEDED)} (rule {rule['name']})."
    return None


def _all(draft: Draft, name: str) -> Iterator[Any]:
    for interval in draft.items("intervals"):
        yield from interval.get(name) or []


def _times(draft: Draft) -> str | None:
    for one in _all(draft, "times"):
        for end in (one["start"], one["end"]):
            if not re.fullmatch(_TIME, end):
                return f"400: couldn't parse timestamp {end}, invalid format"
    return None


def _weekdays(draft: Draft) -> str | None:
    for days in _all(draft, "weekdays"):
        if not re.fullmatch(f"{_DAYS}(:{_DAYS})?", days.lower()):
            return f"400: {days} is not a valid weekday"
    return None
