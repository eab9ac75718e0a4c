"""What Grafana's provider lets through in preview and Grafana does not keep, and mistakes in a platform's data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from runbook.model.alerting import check_rules, rule_groups
from runbook.model.platform import Platform
from runbook.model.problems import PlatformError
from tests.model.rules import rules
from tests.stacks import platform, settings

WRONG: list[tuple[Mapping[str, Any], str]] = [
    ({"condition": "D"}, "Rule ibimina-prod-payment-backlog has the condition D; allowed is one of A, B, C."),
    (
        {"no_data_state": "Nodata"},
        "Rule ibimina-prod-payment-backlog has the no-data state Nodata; "
        "allowed is one of NoData, Alerting, OK, KeepLast.",
    ),
    (
        {"exec_err_state": "Err"},
        "Rule ibimina-prod-payment-backlog has the error state Err; allowed is one of Error, Alerting, OK, KeepLast.",
    ),
    (
        {"group_by": ("alertname",)},
        "Rule ibimina-prod-payment-backlog is not grouped by grafana_folder, which Grafana wants.",
    ),
    (
        {"group_by": ()},
        "Rule ibimina-prod-payment-backlog is not grouped by alertname, grafana_folder, which Grafana wants.",
    ),
    ({"name": "Twin"}, "2 rules have the name 'Twin'; give each alert a name of its own."),
    ({"uid": "twin"}, "2 rules have the uid 'twin'; give each alert a uid of its own."),
]


@pytest.mark.parametrize(("wrong", "said"), WRONG, ids=lambda each: str(each)[:30])
def test_rule_that_grafana_would_not_keep_is_refused(wrong: Mapping[str, Any], said: str) -> None:
    good = rules("prod")
    twin = replace(good["error-budget"], **{key: wrong[key] for key in wrong if key in ("name", "uid")})
    check_rules([*good.values()])
    with pytest.raises(PlatformError) as error:
        check_rules([replace(good["payment-backlog"], **wrong), twin])
    assert str(error.value) == said


def _with_alerts(change: Mapping[str, Any]) -> Platform:
    """Ibimina with every alert changed."""
    found = platform("prod")
    return replace(
        found,
        objectives=lambda stack: tuple(
            replace(objective, alerts=tuple(replace(alert, **change) for alert in objective.alerts))
            for objective in found.objectives(stack)
        ),
    )


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"no_data": "Nothing"}, "has the no-data state Nothing"),
        ({"title": "One title"}, "rules have the name 'Ibimina prod: One title'; give each"),
        ({"owner": "nobody"}, "Alert auth-failed-logins belongs to nobody, who is no owner of ibimina."),
        ({"name": "Capital"}, "The uid ibimina-prod-Capital has 20 characters; 40 of a-z, 0-9 and - are allowed."),
        ({"name": "x" * 28}, "has 41 characters; 40 of"),
    ],
)
def test_mistake_in_a_platform_is_refused_before_anything_is_made(change: Mapping[str, Any], said: str) -> None:
    with pytest.raises(PlatformError) as error:
        rule_groups(_with_alerts(change), settings("prod"))
    assert said in str(error.value)


def test_objective_in_business_hours_needs_them() -> None:
    with pytest.raises(PlatformError, match=r"The staff console's objective needs businessHours\."):
        rule_groups(platform("prod"), settings("prod").model_copy(update={"business_hours": None}))
