"""The engines' one home, and what is said when they are not there."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from runbook.proving.engines import NoEngines, engines

VERSIONS = {"promtool": "2.42.0", "amtool": "0.25.0", "alertmanager": "0.25.0", "loki": "3.7.8"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in VERSIONS:
        (tmp_path / name).write_text("#!/bin/sh\n", encoding="utf-8")
        os.chmod(tmp_path / name, 0o755)
    programs = {name: {"version": version, "way": "found on PATH"} for name, version in VERSIONS.items()}
    (tmp_path / "setup.json").write_text(json.dumps({"programs": programs}), encoding="utf-8")
    return tmp_path


def test_the_engines_have_paths_and_versions(folder: Path) -> None:
    found = engines(folder)
    assert (found.promtool, found.amtool, found.alertmanager, found.loki) == tuple(folder / name for name in VERSIONS)
    assert found.versions == VERSIONS


@pytest.mark.parametrize("gone", [*VERSIONS, "setup.json"])
def test_a_missing_one_is_named_with_the_way_to_get_it(folder: Path, gone: str) -> None:
    (folder / gone).unlink()
    what = "they are" if gone == "setup.json" else f"{gone} is"
    with pytest.raises(NoEngines) as error:
        engines(folder)
    assert str(error.value) == (
        f"The engines that prove alerts have to be made ready ({what} missing): run make alerts."
    )
