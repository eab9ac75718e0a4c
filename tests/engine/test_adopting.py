"""What exists before the first update is taken into the state as docs/first-cutover.md says."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from runbook.rehearsal.clouds import Held
from runbook.rehearsal.clouds.cloudflare import RECORD
from tests.docs.commands import typed
from tests.engine.bench import Bench, bench

LISTED = "existing.json"


@pytest.fixture
def forgotten(tmp_path: Path) -> Iterator[Bench]:
    """Clouds that have everything, and a state that knows of nothing."""
    with bench(tmp_path, "prod") as made:
        made.engine.add_stack(made.files["prod"])
        assert made.engine.run("prod", "up", "--yes", "--skip-preview").code == 0
        for words in (["unprotect", "--all", "--yes"], ["delete", "--all", "--force", "--yes"]):
            assert pulumi(made, ["state", *words, "--stack", "prod"]).returncode == 0
        yield made


def pulumi(made: Bench, words: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["pulumi", *words],
        executable=made.engine.folder / "pulumi",
        cwd=made.engine.root,
        env=made.engine.environment,
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def asked(made: Bench, block: str, listed: Path) -> list[subprocess.CompletedProcess[str]]:
    """The lines of a block, each typed as it stands but for where the stack file and the list lie."""
    lines = [shlex.split(line)[1:] for line in block.splitlines()]
    file = ["--config-file", str(made.engine.config_of("prod"))]
    return [pulumi(made, [str(listed) if each == LISTED else each for each in words] + file) for words in lines]


def test_names_that_exist_are_taken_over_without_a_change(forgotten: Bench, tmp_path: Path) -> None:
    there: dict[str, Held] = {
        f"dns-{app}": forgotten.one("DnsRecord", name=f"{host}.ibimina.rw")
        for app, host in {"staff": "staff", "member": "app", "auth.ibimina.rw": "auth"}.items()
    }
    before = {each.id: dict(each.properties) for each in forgotten.clouds.store.find("cloudflare", RECORD)}
    listed = tmp_path / LISTED
    provider, preview = asked(forgotten, typed()["list"], listed)
    assert "not specified in --target list" in provider.stdout
    assert preview.returncode == 0, preview.stdout

    found = json.loads(listed.read_text(encoding="utf-8"))
    for entry in found["resources"]:
        if entry["name"] in there:
            record = there[entry["name"]]
            entry["id"] = f"{record.properties['zoneId']}/{record.id}"
    found["resources"] = [each for each in found["resources"] if each.get("component") or each["name"] in there]
    listed.write_text(json.dumps(found), encoding="utf-8")
    (taken,) = asked(forgotten, typed()["take"], listed)
    assert taken.returncode == 0, taken.stdout

    outcome = forgotten.engine.run("prod", "preview")
    assert outcome.code == 0, outcome.output
    planned = dict(re.findall(r"DnsRecord (\S+) +(create|update|replace|delete)", outcome.output))
    assert {"dns-txt-_acme-challenge.auth.ibimina.rw"} == planned.keys()  # of this one nobody gave the id
    assert {each.id: dict(each.properties) for each in forgotten.clouds.store.find("cloudflare", RECORD)} == before
