"""The tables hold together: every row has a source, names a real property, and is counted for the report."""

from __future__ import annotations

from collections import Counter

import pytest

from runbook.rehearsal.clouds import cloudflare, grafana, stand_ins, vercel
from runbook.rehearsal.clouds.behaviours import UNVERIFIED, Row
from runbook.rehearsal.clouds.shapes import always_there, shape_of
from tests.clouds.samples import SAMPLES

ROWS = [*cloudflare.ROWS, *vercel.ROWS, *grafana.ROWS]


@pytest.mark.parametrize("kind", SAMPLES)
def test_each_row_has_a_source_and_names_a_property_that_the_type_has(kind: str) -> None:
    rows: list[Row] = [row for row in ROWS if row.kind == kind]
    properties = shape_of(kind).fields.keys() | always_there(kind).keys() | {"id", "orgId"}
    for row in rows:
        assert row.source
        assert row.property.partition("[")[0] in properties, row
    assert Counter(row.aspect for row in rows)["id"] == 1


def test_the_report_counts_the_facts_and_those_that_nobody_has_seen() -> None:
    report = stand_ins()
    assert [one["name"] for one in report] == ["cloudflare", "vercel", "grafana"]
    verified = sum(int(one["facts"]) - int(one["unverified"]) for one in report)
    assert verified == sum(row.source != UNVERIFIED for row in ROWS)
    assert all(0 < int(one["unverified"]) < int(one["facts"]) for one in report)
