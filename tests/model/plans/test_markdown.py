"""The comment stays below what GitHub takes, and nothing in it can break out of its place."""

from __future__ import annotations

from dataclasses import replace

import pytest

from runbook.model.plans.markdown import MOST, markdown, marker
from runbook.model.plans.rules import PlanRefusal, PlanRule
from runbook.model.plans.summary import Part
from tests.model.plans.told import HASH, flip, prepare

LONG = tuple(f"update DNS record number-{number}.ibimina.rw CNAME (ttl 3600 to 60)" for number in range(5000))


def test_the_first_line_names_the_stack() -> None:
    """By it a later run finds its own comment."""
    assert markdown(flip()).splitlines()[0] == marker("prod") == "<!-- cutover-plan: prod -->"


@pytest.mark.parametrize("many", [900, 5000])
def test_details_are_cut_and_the_head_is_whole(many: int) -> None:
    found = replace(flip(), changes=(Part("Cloudflare", LONG[:many]),))
    text = markdown(found)
    assert len(text) <= MOST
    assert text.startswith(markdown(flip()).split("<details>")[0])
    assert text.count("<details>") == text.count("</details>") == 2
    assert HASH in text
    assert "Cut here: the rest is shown by `./cutover plan`." in text
    assert f"Declared changes, by cloud: {many}" in text


def test_nothing_is_cut_without_need() -> None:
    assert "Cut here" not in markdown(replace(flip(), changes=(Part("Cloudflare", LONG[:400]),)))


def test_a_head_that_is_too_long_is_cut_too() -> None:
    """A thousand refusals: the comment still says so, and its fence is closed."""
    refusal = PlanRefusal(PlanRule.SERVING, "delete dns-staff", "urn:" + "x" * 200, "Not this.", "Undo it.")
    text = markdown(replace(flip(), against=(refusal,) * 1000))
    assert len(text) <= MOST
    assert text.count("```") == 2
    assert "Cut here" in text


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("</details><script>", "&lt;/details&gt;&lt;script&gt;"),
        ("<!-- hidden", "&lt;!-- hidden"),
        ("@everybody", "@\u200beverybody"),
        ("`code`", "'code'"),
    ],
)
def test_a_value_cannot_break_out(value: str, shown: str) -> None:
    found = replace(prepare(), changes=(Part("Cloudflare", (f"update {value} now",)),), notice=(value,))
    text = markdown(found)
    assert f"- update {shown} now" in text
    assert f"- {shown}\n" in text
    assert value not in text.replace("</details>", "").replace("<!-- cutover-plan", "") or value == "</details>"
