"""The commands of the checkout, as a shell starts them."""

from __future__ import annotations

import os
import subprocess

import pytest

from tests.setup.checkouts import ROOT


@pytest.mark.parametrize(
    ("command", "code", "said"),
    [
        (["./cutover", "--help"], 0, "Usage: ./cutover"),
        (["script/rehearsal", "nonsuch"], 1, "There is no stack nonsuch"),
        (["script/drains"], 0, "easymo-prod: LOG_DRAIN_URL"),
        (["script/schema", "--check"], 0, ""),
    ],
)
def test_a_python_that_keeps_the_folder_off_its_path_finds_the_packages(
    command: list[str], code: int, said: str
) -> None:
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, "PYTHONSAFEPATH": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == code, done.stderr
    assert said in done.stdout + done.stderr
