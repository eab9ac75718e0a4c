"""The runbook table that is made from the objectives: whole, in people's units, and true to the rules."""

from __future__ import annotations

from decimal import Decimal
from functools import cache

import pytest

from runbook.model.objectives import Unit
from runbook.model.texts import amount
from script import generate
from tests.model.boards import objectives
from tests.model.rules import rules
from tests.stacks import platform


@cache
def rows_of(stack: str) -> dict[str, list[str]]:
    """The objectives' table of a stack: cells by objective."""
    page = generate.docs()["docs/objectives.md"]
    section = page[page.index(f"Stack `{stack}`") :].split("\n## ")[0]
    rows = [line.strip("| ").split(" | ") for line in section.splitlines() if line.startswith("| ")]
    return {row[0]: row[1:] for row in rows[2:]}


@pytest.mark.parametrize("stack", ["prod", "easymo-prod"])
def test_the_objectives_page_has_a_row_for_each(stack: str) -> None:
    rows = rows_of(stack)
    assert list(rows) == [objective.title for objective in objectives(stack)]
    for objective in objectives(stack):
        statement, _, _, _, literal, burning, owners, sections, commands, watched = rows[objective.title]
        assert statement == objective.statement
        for alert in objective.alerts:
            named = burning if alert.burn else literal
            [line] = [line for line in named.split("<br>") if line.startswith(f"`{alert.name}`: ")]
            assert f"`{alert.comparator} {alert.threshold:f}`" in line
            assert line.endswith(f", panel {rules(stack)[alert.name].annotations['__panelId__']}")
            assert rules(stack)[alert.name].annotations["runbook_url"] in sections
            assert alert.mitigation in commands
            assert (f"`{alert.name}`" in watched) == (alert.severity == "page")
        titles = {owner.name: owner.title for owner in platform(stack).owners}
        assert {line.split(": ")[0] for line in owners.split("<br>")} == {
            titles[each.owner] for each in objective.alerts
        }


ON_CALL, DESK = "On-call engineer: page", "#ops-alerts: ticket"
NO_BURN, ALWAYS = "none", "at any time"


# Target, period, and a piece of the alerts, of the burn-rate alerts and of the owners.
@pytest.mark.parametrize(
    ("stack", "title", "target", "period", "alert", "burning", "owners"),
    [
        ("prod", "Auth availability", "below 5 %", ALWAYS, ": ≥ 5 % (`gte 0.05`), ", NO_BURN, ON_CALL),
        ("prod", "Payment ingest", "at most 30 min", ALWAYS, ": > 30 min (`gt 30`), ", NO_BURN, ON_CALL),
        (
            "prod",
            "Staff console uptime",
            "at least 99.5 %",
            "7 days (45 h of business hours)",
            ": < 99.5 % (`lt 0.995`), ",
            ": `gt 4.5` over 1 h and 5 min (10 % of the budget), page, ",
            f"{ON_CALL}<br>{DESK}",
        ),
        (
            "prod",
            "Error budget",
            "below 2 %",
            "1 day",
            ": ≥ 2 % (`gte 0.02`), ",
            ": `gt 2.4` over 1 h and 5 min (10 % of the budget), ticket, ",
            DESK,
        ),
        ("prod", "Log drain", "at most 5 min", ALWAYS, ": > 5 min (`gt 300`), ", NO_BURN, f"{ON_CALL}<br>{DESK}"),
        (
            "easymo-prod",
            "Voice API",
            "at least 99.5 %",
            "30 days",
            ": > 500 ms (`gt 500`), ",
            ": `gt 1` over 3 days and 6 h (10 % of the budget), ticket, ",
            "Conversational AI squad (@jeanbosco): page, ticket",
        ),
        (
            "easymo-prod",
            "Admin router",
            "at least 80 %",
            ALWAYS,
            ": > 26 h (`gt 93600`), ",
            NO_BURN,
            "Admin experience squad (@ikanisa): ticket",
        ),
        (
            "easymo-prod",
            "Supabase Functions",
            "at least 99 %",
            "30 days",
            ": > 1 % (`gt 0.01`) for 30 min, ",
            ": `gt 14.4` over 1 h and 5 min (2 % of the budget), page, ",
            "Messaging squad (@ikanisa, @jeanbosco): page, ticket",
        ),
        (
            "easymo-prod",
            "Supabase drift",
            "at most 0",
            ALWAYS,
            ": > 0 (`gt 0`), ",
            NO_BURN,
            "Platform engineering (@ikanisa, @jeanbosco): ticket",
        ),
    ],
)
def test_a_row_reads_as_people_write(
    stack: str, title: str, target: str, period: str, alert: str, burning: str, owners: str
) -> None:
    row = rows_of(stack)[title]
    assert row[2:4] == [target, period]
    assert alert in row[4]
    assert burning in row[5]
    assert row[6] == owners


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        ("0.05", "percentunit", "5 %"),
        ("1", "percentunit", "100 %"),
        ("0.9999", "percentunit", "99.99 %"),
        ("30", "m", "30 min"),
        ("90", "m", "90 min"),
        ("60", "m", "1 h"),
        ("300", "s", "5 min"),
        ("0.5", "s", "0.5 s"),
        ("0", "s", "0 s"),
        ("500", "ms", "500 ms"),
        ("86400", "s", "1 day"),
        ("172800", "s", "2 days"),
        ("14.4", "none", "14.4"),
        ("1000", "short", "1000"),
    ],
)
def test_amounts_read_as_people_write(value: str, unit: Unit, text: str) -> None:
    assert amount(Decimal(value), unit) == text
