"""script/drains on the stack files as they are, and as they should not be."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import yaml

from script.drains import main
from tests.stacks import ROOT, STACKS, platform


def test_every_stack_has_the_drains_its_runbook_asks_for(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(ROOT) == 0
    lines = dict(line.split(": ") for line in capsys.readouterr().out.splitlines())
    assert {stack: lines[stack].split(", ") for stack in STACKS} == {
        stack: sorted(platform(stack).drains) for stack in STACKS
    }
    assert platform("easymo-prod").drains == ("LOG_DRAIN_URL", "METRICS_DRAIN_URL", "TRACES_EXPORTER_URL")


@pytest.mark.parametrize("name", ["LOG_DRAIN_URL", "METRICS_DRAIN_URL", "TRACES_EXPORTER_URL"])
@pytest.mark.parametrize("value", [None, "", "logs.easymo.example"])
def test_a_drain_that_is_missing_or_no_url_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, value: str | None
) -> None:
    file = tmp_path / "Pulumi.easymo-prod.yaml"
    shutil.copy(ROOT / file.name, file)
    whole = yaml.safe_load(file.read_text())
    if value is None:
        del whole["config"]["runbook:drains"][name]
    else:
        whole["config"]["runbook:drains"][name] = value
    file.write_text(yaml.safe_dump(whole))
    assert main(tmp_path) == 1
    assert f"runbook:drains.{name} " in capsys.readouterr().err
