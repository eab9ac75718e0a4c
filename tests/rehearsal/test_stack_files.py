from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from runbook.model.reading import read
from runbook.rehearsal import stack_files
from runbook.rehearsal.problems import RehearsalError
from tests.stacks import ROOT, STACKS

SOMEBODYS = """
encryptionsalt: v1:abc
secretsprovider: passphrase
config:
  runbook:platform: ibimina
  runbook:environment: prod
  runbook:secrets:
    VERCEL_API_TOKEN: {secure: v1:theirs}
"""


def test_every_committed_stack_is_known() -> None:
    assert stack_files.known(ROOT) == sorted(STACKS)


@pytest.mark.parametrize("stack", STACKS)
def test_the_made_up_secrets_are_all_that_a_stack_needs(stack: str) -> None:
    file = stack_files.load(ROOT, stack)
    assert file.platform is not None

    assert (
        read(stack, file.config | {"secrets": dict(file.secrets)}, file.platform).secrets.keys()
        == file.secrets.keys()
    )


def test_secrets_are_new_each_time_and_in_the_form_that_each_must_have() -> None:
    one, other = (stack_files.load(ROOT, "prod").secrets for _ in range(2))

    assert one.keys() == other.keys()
    assert set(one.values()).isdisjoint(other.values())
    assert re.fullmatch("[0-9a-f]{40}", one["CLOUDFLARE_API_TOKEN"])
    assert one["SLACK_OPS_ALERTS"].startswith("https://made-up.example/")
    assert one["LOG_DRAIN_ALERT_WEBHOOK"].startswith("https://made-up.example/")
    assert one["CLOUDFLARE_API_TOKEN"] not in repr(stack_files.load(ROOT, "prod"))


def test_what_was_encrypted_for_a_real_stack_is_left_behind(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.prod.yaml").write_text(SOMEBODYS, encoding="utf-8")
    kept = yaml.safe_load(stack_files.load(tmp_path, "prod").without_secrets())

    assert kept == {"config": {"runbook:platform": "ibimina", "runbook:environment": "prod"}}


@pytest.mark.parametrize("stack", STACKS)
def test_nothing_else_is_changed(stack: str) -> None:
    file = stack_files.load(ROOT, stack)

    assert yaml.safe_load(file.without_secrets()) == file.whole


def test_a_stack_that_is_not_there() -> None:
    with pytest.raises(RehearsalError) as refused:
        stack_files.load(ROOT, "stagin")
    assert str(refused.value) == (
        "There is no stack stagin: the stacks here are easymo-prod, easymo-staging, prod, staging. "
        "Did you mean staging?"
    )


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("config: {\n", "Pulumi.prod.yaml is no valid YAML in line 2: mend it and try again."),
        ("name: x", "Pulumi.prod.yaml has no section config: copy the shape of another stack file."),
    ],
)
def test_a_file_that_cannot_be_read(tmp_path: Path, text: str, sentence: str) -> None:
    (tmp_path / "Pulumi.prod.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(RehearsalError) as refused:
        stack_files.load(tmp_path, "prod")
    assert str(refused.value) == sentence


def test_owners_that_are_not_valid_are_left_to_the_program(tmp_path: Path) -> None:
    text = SOMEBODYS + "  runbook:owners: {on-call: [{kind: fax}]}\n"
    (tmp_path / "Pulumi.prod.yaml").write_text(text, encoding="utf-8")

    assert "VERCEL_API_TOKEN" in stack_files.load(tmp_path, "prod").secrets


def test_a_platform_that_is_not_known_is_left_to_the_program(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.prod.yaml").write_text(SOMEBODYS.replace("ibimina", "ibimna"), encoding="utf-8")
    file = stack_files.load(tmp_path, "prod")

    assert (file.title, file.secrets) == ("ibimna", {})
