from __future__ import annotations

from pathlib import Path

import pytest

from script.engine import find
from tests.setup.checkouts import program


def install(folder: Path, version: str = "v3.258.0") -> Path:
    program(folder / "pulumi", f'[ "$1" = version ] && echo {version}')
    program(folder / "pulumi-language-python", "")
    return folder


def look(*folders: Path, own: str = "none") -> Path | None:
    return find.on_path("3.258.0", {"PATH": ":".join(map(str, folders))}, Path(own))


def test_a_sufficient_cli_on_path_is_taken(tmp_path: Path) -> None:
    assert look(tmp_path / "absent", install(tmp_path / "bin", "v3.259.1")) == tmp_path / "bin"


@pytest.mark.parametrize("version", ["v3.257.0", "v4.0.0", "'Download failed.'"])
def test_another_version_is_passed_over(tmp_path: Path, version: str) -> None:
    old, new = install(tmp_path / "old", version), install(tmp_path / "new")
    assert look(old) is None
    assert look(old, new) == new


def test_a_cli_that_does_not_run_is_passed_over(tmp_path: Path) -> None:
    folder = install(tmp_path / "bin")
    program(folder / "pulumi", "echo v3.258.0; exit 1")
    assert look(folder) is None


def test_a_cli_without_its_python_host_is_passed_over(tmp_path: Path) -> None:
    folder = install(tmp_path / "bin")
    (folder / "pulumi-language-python").chmod(0o644)
    assert look(folder) is None


def test_a_linked_cli_is_taken_from_where_it_lives(tmp_path: Path) -> None:
    real = install(tmp_path / "cellar")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "pulumi").symlink_to(real / "pulumi")
    assert look(tmp_path / "bin") == real


def test_our_own_link_does_not_answer_for_itself(tmp_path: Path) -> None:
    assert look(install(tmp_path / "engine"), own=str(tmp_path / "engine")) is None
