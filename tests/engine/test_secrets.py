"""No secret of a rehearsal lies in clear but at the vendors: the engine neither prints nor keeps one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.engine.bench import Bench
from tests.engine.conftest import Mended
from tests.stacks import STACKS


def _secrets(bench: Bench) -> dict[str, str]:
    """Name to value: what the rehearsal made up, the key to it, and what the vendors made themselves."""
    found = {f"{stack} {name}": value for stack, file in bench.files.items() for name, value in file.secrets.items()}
    for held in bench.clouds.store.objects():
        if held.kind.endswith(":EdgeConfigToken"):
            found |= {f"{held.id} {name}": held.properties[name] for name in ("token", "connectionString")}
    return found | {"passphrase": bench.engine.environment["PULUMI_CONFIG_PASSPHRASE"]}


def _leaks(bench: Bench, text: str) -> list[str]:
    return [name for name, value in _secrets(bench).items() if value in text or value.split("/")[-1] in text]


def _written(out: Path) -> list[Path]:
    """All that was written, but for the vendors' own side."""
    return [path for path in out.rglob("*") if path.is_file() and not path.name.startswith("clouds.db")]


@pytest.mark.parametrize("stack", STACKS)
def test_the_exported_state_has_none(stood: Bench, stack: str) -> None:
    exported = stood.engine.export(stack)

    assert _leaks(stood, exported) == []
    assert exported.count("ciphertext") >= len(stood.files[stack].secrets)


def test_no_file_has_any(stood: Bench, mended: Mended) -> None:
    for bench in (stood, mended.bench):
        written = _written(bench.engine.out)
        names = {path.name for path in written}
        assert {"1-preview.txt", "prod.json", "Pulumi.prod.yaml"} <= names or bench is mended.bench
        assert any("home" in path.parts and path.suffix == ".log" for path in written)
        found = [(str(path), name) for path in written for name in _leaks(bench, path.read_text("utf-8", "replace"))]
        assert found == []


def test_the_clouds_have_them(stood: Bench) -> None:
    """Or else there would be nothing to leak, and the tests above could not fail."""
    held = json.dumps([each.properties for each in stood.clouds.store.objects()])

    assert len(_leaks(stood, held)) > 20
