"""No value of a secret stands in anything that is made of a plan, wherever the engine may have put it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, replace

import pytest

from runbook.model.cutover.phases import Phase
from runbook.model.plans.differences import differences
from runbook.model.plans.markdown import markdown
from runbook.model.plans.normal import normalised
from runbook.model.plans.operation import STEP, Plan, plan_of
from runbook.model.plans.places import ENV
from runbook.model.plans.says import declaration, shown_value
from runbook.model.plans.summary import as_json
from tests.model.cutover.examples import IN_WINDOW, configured
from tests.model.cutover.playing import played
from tests.model.plans.previews import Declared, event, preview
from tests.model.plans.told import ALL, told
from tests.stacks import STACKS, secrets

MOVES = [
    ((), Phase.PREPARED),
    ((Phase.PREPARED,), Phase.FLIPPED),
    ((Phase.PREPARED, Phase.FLIPPED), Phase.ROLLED_BACK),
]


def renderings(plan: Plan, stack: str, before: tuple[Phase, ...], phase: Phase) -> Iterator[str]:
    was = configured(stack, before[-1].value if before else None)
    found = told(stack, was, configured(stack, phase.value), played(stack, *before), plan)
    yield markdown(found)
    yield json.dumps(as_json(found))
    yield json.dumps(asdict(plan))  # what is kept of a plan until it is approved
    yield json.dumps(normalised(plan, {}))
    yield "\n".join(differences(plan, replace(plan, operations=())))
    yield "\n".join(differences(replace(plan, operations=()), plan))


@pytest.mark.parametrize("stack", STACKS)
@pytest.mark.parametrize(("before", "phase"), MOVES)
def test_no_rendering_holds_a_secret(stack: str, before: tuple[Phase, ...], phase: Phase) -> None:
    """The secrets of the tests' stacks are given to the engine in the clear as a step's own, and marked elsewhere."""
    was, memory = configured(stack, before[-1].value if before else None), played(stack, *before)
    asked = configured(stack, phase.value)
    values = [value.get_secret_value() for value in asked.secrets.values()]
    assert set(secrets(stack).values()) <= set(values)
    leaky = Declared(STEP, {"name": "purge", "kind": "purge", "trigger": "1-flip", "secrets": json.dumps(values)})
    provider = Declared("pulumi:providers:pulumi-python", {"runbook:secrets": json.dumps(values)})
    marked = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "value": values[0]}
    grafana = Declared("grafana:oss/dataSource:DataSource", {"secureJsonDataEncoded": marked, "url": "https://x"})
    extra = [
        event(stack, "step-leaky", None, leaky),
        event(stack, "default_1", None, provider),
        event(stack, "observing-x", None, grafana),
        event(stack, "observing-y", grafana, replace(grafana, inputs={"url": "https://y"})),
    ]
    plan = plan_of([*preview(stack, was, asked, memory, IN_WINDOW), *extra])
    assert {"step-leaky", "default_1", "observing-x"} <= {each.name for each in plan.changes}
    for text in renderings(plan, stack, before, phase):
        assert [value for value in values if value in text] == []


@pytest.mark.parametrize("name", ALL)
def test_no_comment_holds_a_secret(name: str) -> None:
    text = markdown(ALL[name]())
    values = {*secrets("prod").values(), *secrets("easymo-prod").values()}
    assert [value for value in values if value in text] == []


def test_of_a_url_only_the_host_is_shown() -> None:
    """A key may stand in its user part, its path or its query."""
    for url in (
        "https://key:abc@logs.example/abc?token=abc",
        "https://abc@logs.example/abc",
        "https://logs.example#abc",
    ):
        assert shown_value(url) == f"https://logs.example{'/…'}"


def test_no_env_value_is_shown() -> None:
    """Not even one that is no secret to the engine."""
    old, new = (Declared(ENV, {"key": "LEVEL", "was": value}) for value in ("abc", "xyz"))
    (found,) = plan_of([event("prod", "web-staff-env-LEVEL", old, new)]).operations
    in_clear = replace(found, old={"key": "LEVEL", "value": "abc"}, new={"key": "LEVEL", "value": "xyz"})
    assert declaration(in_clear) == "update env LEVEL of staff (value, not shown)"
