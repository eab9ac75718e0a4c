"""Every emitted query once, and for each signal a question that only the signal itself can answer."""

from __future__ import annotations

import json

import pytest

from runbook.model.alerting import rule_groups
from runbook.model.asked import asked, sightings
from runbook.model.dashboards import dashboards
from runbook.model.signals import Source
from tests.model.readings import readings
from tests.stacks import STACKS, platform, settings


@pytest.mark.parametrize("stack", STACKS)
def test_every_rule_and_panel_is_asked(stack: str) -> None:
    found = asked(platform(stack), settings(stack))
    assert len({(each.source, each.expression) for each in found}) == len(found)
    rules = {rule.uid for group in rule_groups(platform(stack), settings(stack)) for rule in group.rules}
    prefix = f"{settings(stack).platform}-{settings(stack).environment}-"
    places = {place for each in found for place in each.places}
    assert {f"rule {uid.removeprefix(prefix)}" for uid in rules} <= places
    texts = {each.expression for each in found}
    for board in dashboards(platform(stack), settings(stack)):
        for panel in json.loads(board.config_json)["panels"]:
            for target in panel.get("targets", ()):
                assert (target.get("expr") or target["rawSql"]) in texts
                assert f"panel {panel['title']}" in places


@pytest.mark.parametrize("stack", STACKS)
def test_each_signal_is_asked_for_by_itself(stack: str) -> None:
    found = sightings(platform(stack), settings(stack))
    assert [each.signal for each in found] == list(platform(stack).signals)
    for each in found:
        assert each.expressions, f"nothing asks for {each.signal.name}"
        for text in each.expressions:
            assert " or " not in text
            if each.signal.source is Source.POSTGRES:
                assert text.endswith(f" FROM {each.signal.name} LIMIT 1")
                continue
            (reading,) = readings(each.signal.source, text)
            assert reading.name in ("", each.signal.name)
            assert reading.fields <= set(each.signal.fields)


def test_streams_are_told_apart_by_the_fields_that_are_read() -> None:
    by_name = {each.signal.name: each.expressions for each in sightings(platform("prod"), settings("prod"))}
    assert by_name["any log lines"] == ('sum(count_over_time({environment="prod",platform="ibimina"} [24h]))',)
    assert all('service="auth"' in text for text in by_name["auth log lines"])
    assert all('service="admin"' in text for text in by_name["app log lines"])
