"""Blocks of the docs that need no account, typed into a shell as they stand."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
import yaml

from runbook.cli.place import ENGINE
from tests.docs.commands import typed
from tests.stacks import ROOT

BLOCKS = typed()
EXPORT = BLOCKS["local"].splitlines()[0]  # of the passphrase; each shell here is a new one


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project whose home is its own, with a passphrase made beforehand as the page asks."""
    (tmp_path / "Pulumi.yaml").write_bytes((ROOT / "Pulumi.yaml").read_bytes())
    (tmp_path / "Pulumi.prod.yaml").write_bytes((ROOT / "Pulumi.prod.yaml").read_bytes())
    (tmp_path / "passphrase").write_text("made up")
    return tmp_path


def shell(folder: Path, text: str, given: str = "") -> str:
    """What a shell says that is given these lines. It must get to their end."""
    path = f"{ENGINE}:{os.environ['PATH']}"
    # A CLI built without cgo takes the home folder from /etc/passwd: its login would be everybody's.
    own = {"HOME": str(folder), "PULUMI_HOME": str(folder / ".pulumi")}
    environment = {"PATH": path, "PULUMI_SKIP_UPDATE_CHECK": "1", **own}
    done = subprocess.run(
        ["sh", "-eu", "-c", f"{EXPORT}\n{text}"],
        cwd=folder,
        env=environment,
        input=given,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_local_folder_a_state_that_was_cut_off_a_move_and_a_lock_that_stays(folder: Path) -> None:
    shell(folder, BLOCKS["local"])
    assert (folder / ".pulumi/credentials.json").is_file(), "whoever runs the tests has another login now"
    assert (folder / "state/.pulumi/stacks/runbook/prod.json").is_file()

    shell(folder, BLOCKS["secret"], "a made-up token\n")
    text = (folder / "Pulumi.prod.yaml").read_text()
    assert "a made-up token" not in text
    assert yaml.safe_load(text)["config"]["runbook:secrets"]["CLOUDFLARE_API_TOKEN"].keys() == {"secure"}

    state = folder / "state/.pulumi/stacks/runbook/prod.json"
    state.write_bytes(b"")  # as a kill in the middle of the write leaves it
    with pytest.raises(AssertionError, match="failed to load checkpoint"):
        shell(folder, "pulumi stack export --stack prod")
    shell(folder, BLOCKS["mend"])

    shell(folder, BLOCKS["move"])
    assert (folder / "other/.pulumi/stacks/runbook/prod.json").is_file()
    command = "pulumi config get --path secrets.CLOUDFLARE_API_TOKEN --stack prod"
    assert shell(folder, command).strip() == "a made-up token"

    shell(folder, BLOCKS["cancel"])
