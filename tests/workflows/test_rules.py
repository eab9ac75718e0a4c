"""The workflows keep to the rules, and each rule finds what breaks it."""

from __future__ import annotations

from collections import defaultdict

import pytest

from tests.workflows.rules import RULES
from tests.workflows.workflows import load, workflows


@pytest.mark.parametrize("name", workflows())
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_workflow_keeps_to_the_rule(name: str, rule: object) -> None:
    assert callable(rule)
    assert list(rule(workflows()[name])) == []


BROKEN = [
    ("pins", "tests", "actions/checkout@de0fac2e4500dabe0009e67214ff5f5447ce83dd # v6.0.2", "actions/checkout@v6"),
    ("pins", "tests", " # v6.0.2", ""),
    ("triggers", "preview", "  pull_request:", "  pull_request_target:"),
    ("permissions", "tests", "permissions: {}\n\nconcurrency", "permissions: write-all\n\nconcurrency"),
    ("permissions", "drift", "contents: read", "contents: write"),
    ("permissions", "drift", "    permissions:\n      contents: read\n", ""),
    ("untrusted", "cutover", '--plan "$PLAN"', '--plan "${{ inputs.plan }}"'),
    ("untrusted", "cutover", "    shell: bash", "    shell: sh"),
    ("secrets", "drift", "run: ./cutover", "run: PULUMI_ACCESS_TOKEN=${{ secrets.PULUMI_ACCESS_TOKEN }} ./cutover"),
    ("secrets", "cutover", "      STACK: ${{ inputs.stack }}", "      TOKEN: ${{ secrets.PULUMI_ACCESS_TOKEN }}"),
    ("secrets", "preview", "      && github.event.pull_request.head.repo.full_name == github.repository\n", ""),
    ("secrets", "preview", "      && github.event.pull_request.user.login != 'dependabot[bot]'\n", ""),
    ("secrets", "preview", "    environment: ${{ matrix.stack }}-preview\n", ""),
    ("secrets", "drift", "      contents: read", "      contents: read\n      issues: write"),
    ("checkouts", "rollback", "          persist-credentials: false\n", ""),
    ("never_cut_short", "cutover", "cancel-in-progress: false", "cancel-in-progress: true"),
    ("never_cut_short", "rollback", "group: rollback-${{ inputs.stack }}", "group: rollback"),
    ("never_cut_short", "staging", "timeout-minutes: 120", "timeout-minutes: 20"),
    ("limits", "drift", "    timeout-minutes: 30\n", ""),
]


@pytest.mark.parametrize(("rule", "name", "old", "new"), BROKEN)
def test_rule_finds_what_breaks_it(rule: str, name: str, old: str, new: str) -> None:
    text = workflows()[name].text
    assert old in text
    judge = {each.__name__: each for each in RULES}[rule]
    assert list(judge(load(name, text.replace(old, new))))


def test_every_rule_was_broken_once() -> None:
    assert {rule for rule, *_ in BROKEN} == {rule.__name__ for rule in RULES}


def test_an_action_has_one_pin() -> None:
    pins = defaultdict(set)
    for workflow in workflows().values():
        for _, _, step in workflow.steps():
            if "uses" in step:
                action, _, commit = step["uses"].partition("@")
                pins[action].add(commit)
    assert all(len(commits) == 1 for commits in pins.values()), pins
